"""From what a motion-capture index says about a clip to one label a frame.

A description covers a whole clip: "sit on stepstool, stand up" is twenty seconds of standing, sitting down, sitting
and rising. So each rule has two halves: which descriptions it reads, and in which frames the body shows the action
(``recognition.evidence``). A frame without evidence has no label, and a description that no rule reads leaves the
whole clip out: no label is better than a wrong one.
"""

import re
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from recognition import evidence
from recognition.evidence import Evidence, Motion

OTHER = "other"
"""Motions that are none of the actions; a classifier reports them as unknown."""

LABELS = ("walk", "run", "jump", "sit", "stand", "gesture", "kick", "punch", "dance", "climb", OTHER)

UNLABELLED = -1


@dataclass(frozen=True)
class Rule:
    """Clips whose description matches ``pattern`` show ``label`` in the frames where ``evidence`` holds."""

    pattern: str
    label: str
    evidence: Evidence

    def reads(self, description: str) -> bool:
        """Whether the description, in lower case, matches as a whole."""
        return re.fullmatch(self.pattern, description) is not None


RULES = (
    Rule(r"(slow |brisk )?walk|(slow )?walk/stride|walk, exaggerated stride", "walk", evidence.travelling),
    Rule(r"walk on uneven terrain|navigate - walk.*", "walk", evidence.travelling),
    Rule(r"run|run/jog", "run", evidence.travelling),
    Rule(r"(forward )?jump|jump, balance|\w*jumping_\d+", "jump", evidence.airborne),
    Rule(r"playground - forward jumps, turn around", "jump", evidence.airborne),
    Rule(r"sit on (high stool|stepstool).*", "sit", evidence.seated),
    Rule(r"sit on (high stool|stepstool), stand up|(forward )?jump", "stand", evidence.upright),
    Rule(r"laugh|.*drink soda.*", "stand", evidence.upright),
    Rule(r"direct traffic, wave|\w*directing_traffic_\d+|\w*basketball_signal_\d+", "gesture", evidence.signalling),
    Rule(r"soccer - kick ball|\w*soccer_\d+|front kick|mawashigeri|yokogeri", "kick", evidence.kicking),
    Rule(r"punch/strike|boxing|oiduki", "punch", evidence.punching),
    Rule(r"dance - .*|salsa dance|\w*salsa\w*|\w*indian\w*", "dance", evidence.moving),
    Rule(r"playground - climb|climb ladder|climb 3 steps", "climb", evidence.moving),
    Rule(r"basketball - .*|(train|test)_basketball_\d+", OTHER, evidence.moving),
    Rule(r"swordplay|wash (self|windows)|\w*washwindow\w*", OTHER, evidence.moving),
    Rule(r"bend over, scoop up, rise, lift arm", OTHER, evidence.moving),
)


def labels_of(description: str, motion: Motion) -> Int[np.ndarray, " T"]:
    """Index into ``LABELS`` for every frame, ``UNLABELLED`` where no rule speaks; an earlier rule goes before a later.

    ``description`` is the index's text, or the clip's own name where the index has none.
    """
    found = np.full(len(motion), UNLABELLED)
    for rule in RULES:
        if rule.reads(description.strip().lower()):
            found[(found == UNLABELLED) & rule.evidence(motion)] = LABELS.index(rule.label)
    return found
