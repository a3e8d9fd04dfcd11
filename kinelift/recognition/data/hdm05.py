"""Labels for the HDM05 motion database: its files are named after what the actor does, once or a few times."""

from kinelift.recognition.data import evidence
from kinelift.recognition.data.clips import OTHER
from kinelift.recognition.data.labels import Rule

TERMS = (
    "Motion database HDM05 (Müller, Röder, Clausen, Eberhardt, Krüger, Weber: Documentation Mocap Database HDM05, "
    "CG-2007-2, Universität Bonn, 2007): Creative Commons BY-SA 3.0. What is trained on it is shared under CC BY-SA.\n"
)

RULES = (
    Rule(r"sneak.*", "walk", evidence.travelling),
    Rule(r"jog.*", "run", evidence.travelling),
    Rule(r"hop.*", "jump", evidence.airborne),
    Rule(r"squat.*", "squat", evidence.squatting),
    Rule(r"depositfloor.*", "bend", evidence.bending),
    Rule(r"liedownfloor", "lie", evidence.lying),
    Rule(r"kick.*", "kick", evidence.kicking),
    Rule(r"throw.*", "throw", evidence.throwing),
    Rule(r"elbowtoknee.*|rotatearms.*", "exercise", evidence.moving),
    Rule(r"grabhigh.*", OTHER, evidence.moving),
    Rule(r".*", "stand", evidence.idle),
)


def holds(name: str) -> bool:
    """Whether a clip of this name is one of this database."""
    return name.rsplit("/", 1)[-1].startswith("HDM_")
