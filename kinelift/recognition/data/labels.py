"""From what a motion-capture index says about a clip to one label a frame.

A description covers a whole clip: "sit on stepstool, stand up" is twenty seconds of standing, sitting down, sitting
and rising. So each rule has two halves: which descriptions it reads, and in which frames the body shows the action
(``recognition.data.evidence``). A frame without evidence has no label, and a description that no rule reads leaves the
whole clip out: no label is better than a wrong one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from kinelift.recognition.data.clips import OTHER
from kinelift.recognition.data.evidence import Evidence, ObservedMotion

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


def labels_of(description: str, motion: ObservedMotion, rules: Sequence[Rule]) -> Int[np.ndarray, " T"]:
    """Index into ``LABELS`` for every frame, ``UNLABELLED`` where no rule speaks; an earlier rule goes before a later.

    ``description`` is the index's text, or the clip's own name where the index has none.
    """
    found = np.full(len(motion), UNLABELLED)
    for rule in rules:
        if rule.reads(description.strip().lower()):
            found[(found == UNLABELLED) & rule.evidence(motion)] = LABELS.index(rule.label)
    return found
