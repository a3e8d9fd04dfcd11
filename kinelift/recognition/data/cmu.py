"""Knowledge about the CMU Graphics Lab clips beyond their files: labels for descriptions, and missing subjects.

Some clips of the "expmap" selection have no subject. Most duplicate recordings of numbered subjects (they have the same
length; see docs/how-to/retrain-the-classifier.md): jumps and traffic of subject 13, the washed window of 14, the soccer
clips of 10 and 11, the dribbling of 6. They are left out: as a subject of their own, they would put a test subject into
the training data. The other jumping and traffic clips count as subject 13, whose sessions contain such trials; the
referee signals stay a subject of their own.
"""

import re

from kinelift.recognition.data import evidence
from kinelift.recognition.data.clips import OTHER
from kinelift.recognition.data.labels import Rule

TERMS = (
    "CMU Graphics Lab Motion Capture Database: free for research and commercial use. The data used in this project was "
    "obtained from mocap.cs.cmu.edu. The database was created with funding from NSF EIA-0196217.\n"
)

RULES = (
    Rule(r"(slow |brisk )?walk|(slow )?walk/stride|walk, exaggerated stride", "walk", evidence.travelling),
    Rule(r"walk on uneven terrain|navigate - walk.*|start walk stop", "walk", evidence.travelling),
    Rule(r"run|run/jog|run, leap", "run", evidence.travelling),
    Rule(r"(forward )?jump|jump, balance|jumping|jump up to grab.*", "jump", evidence.airborne),
    Rule(r"playground - forward jumps, turn around|jump up and down.*|start hop stop", "jump", evidence.airborne),
    Rule(r"sit on (high stool|stepstool).*", "sit", evidence.seated),
    Rule(r"sit on (high stool|stepstool), stand up|(forward )?jump", "stand", evidence.upright),
    Rule(r".*drink soda.*|laugh", "stand", evidence.upright),
    Rule(r"direct traffic, wave|directing traffic|basketball signal", "gesture", evidence.signalling),
    Rule(r"soccer - kick ball|front kick|mawashigeri|yokogeri", "kick", evidence.kicking),
    Rule(r"punch/strike|boxing|oiduki", "punch", evidence.punching),
    Rule(r"dance - .*|.*salsa.*|.*indian.*", "dance", evidence.moving),
    Rule(r"playground - climb|climb ladder|climb 3 steps", "climb", evidence.moving),
    Rule(r"(side|hand|back) ?(flip|spring)|cartwheels?|acrobatics - .*", "acrobatics", evidence.moving),
    Rule(r"jumping jacks.*squats.*", "squat", evidence.squatting),
    Rule(r"jumping jacks.*(bend over|stretches).*|bend over, scoop up, rise, lift arm", "bend", evidence.bending),
    Rule(r"jumping jacks.*", "exercise", evidence.moving),
    Rule(r"basketball - .*shoot", "throw", evidence.throwing),
    Rule(r"basketball - .*", OTHER, evidence.moving),
    Rule(r"swordplay|wash (self|windows)|gedanbarai|syutouuke", OTHER, evidence.moving),
    Rule(r"bend over, scoop up, rise, lift arm", OTHER, evidence.moving),
    Rule(r".*", "stand", evidence.idle),
)

_DUPLICATES = re.compile(
    r"(train|test)_(soccer|basketball|washwindow)_\d+|train_jumping_[1345]|train_directing_traffic_1"
)
_OF_SUBJECT_13 = re.compile(r"(train|test)_(jumping|directing_traffic)_\d+")


def is_duplicate(name: str) -> bool:
    """Whether the clip of this name duplicates a clip of a numbered subject."""
    return _DUPLICATES.fullmatch(_stem(name)) is not None


def subject_of(name: str, subject: str) -> str:
    """The subject that a clip must share a side with in a split.

    Args:
        name: Of the clip.
        subject: As recorded; returned unless the clip is known to be of someone else.
    """
    return "13" if _OF_SUBJECT_13.fullmatch(_stem(name)) else subject


def _stem(name: str) -> str:
    return name.rsplit("/", 1)[-1]
