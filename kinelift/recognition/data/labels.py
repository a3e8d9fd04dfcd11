"""Label every frame of a motion-capture clip from its description.

A description covers a whole clip: "sit on stepstool, stand up" is twenty seconds of standing, sitting down, sitting and
rising. So a rule has two halves: which descriptions it matches, and in which frames the body shows the action
(``recognition.data.evidence``). A frame without evidence has no label. A clip whose description matches no rule has no
segments: no label is better than a wrong one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from kinelift.recognition.data.clips import OTHER
from kinelift.recognition.data.evidence import Evidence, ObservedMotion

LABELS = (
    "stand", "walk", "run", "jump", "sit", "squat", "bend", "lie", "kick", "punch", "throw", "gesture", "climb",
    "dance", "acrobatics", "exercise", OTHER,
)  # fmt: skip

UNLABELLED = -1


@dataclass(frozen=True)
class Rule:
    """In clips whose description matches ``pattern``, frames where ``evidence`` holds show ``label``."""

    pattern: str
    label: str
    evidence: Evidence

    def matches(self, description: str) -> bool:
        """Whether the whole description, in lower case, matches."""
        return re.fullmatch(self.pattern, description) is not None


def labels_of(description: str, motion: ObservedMotion, rules: Sequence[Rule]) -> Int[np.ndarray, " T"]:
    """Label the frames of a clip.

    Args:
        description: Text of the index, or the clip's name if the index has none.
        motion: The clip.
        rules: If several apply to a frame, the first one counts.

    Returns:
        Indices into ``LABELS``, ``UNLABELLED`` where no rule applies.
    """
    labels = np.full(len(motion), UNLABELLED)
    for rule in rules:
        if rule.matches(description.strip().lower()):
            labels[(labels == UNLABELLED) & rule.evidence(motion)] = LABELS.index(rule.label)
    return labels
