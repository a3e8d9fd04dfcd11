"""Which is a person's left: a question that networks answer wrongly for a while, but not all at once."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from poses import Skeleton

_MEMORY = 0.5
"""Seconds after which a vote counts 37 %."""


@dataclass(frozen=True, eq=False)
class Sides:
    """Decides, frame by frame, whether the sides of one person's joints are read as they are or swapped.

    Bodies do not swap sides between two frames, so each reading is first turned to continue the ``last`` one. Whether
    that one had the sides right is voted on in every frame: by the network that placed the joints, and by another that
    saw the person. Past votes fade with time; their sum, ``votes``, is never negative.
    """

    skeleton: Skeleton
    last: Float[np.ndarray, "J 2"] | None = None
    votes: float = 0.0

    def read(
        self,
        points: Float[np.ndarray, "J 2"],
        scores: Float[np.ndarray, " J"],
        witness: Float[np.ndarray, "J 2"] | None,
        step: float,
    ) -> "tuple[bool, Sides]":
        """Whether left and right of ``points`` have to be exchanged, ``step`` seconds after the last reading, and
        what to ask next time. ``witness``: where the other network saw the joints, if it looked.
        """
        mirror = list(self.skeleton.mirror)
        swap = self.last is not None and crosswise(points, self.last, scores, self.skeleton)
        reading = points[mirror] if swap else points
        votes = self.votes * float(np.exp(-step / _MEMORY)) + (-1 if swap else 1)
        if witness is not None:
            votes += -1 if crosswise(witness, reading, scores, self.skeleton) else 1
        if votes < 0:
            swap, reading, votes = not swap, reading[mirror], -votes
        return swap, Sides(self.skeleton, reading, votes)


def crosswise(
    points: Float[np.ndarray, "J 2"],
    others: Float[np.ndarray, "J 2"],
    scores: Float[np.ndarray, " J"],
    skeleton: Skeleton,
) -> bool:
    """Whether ``points`` lie nearer to ``others`` with their sides exchanged; joints count by ``scores``."""
    mirror = list(skeleton.mirror)
    weights = scores * scores[mirror]
    straight = np.linalg.norm(points - others, axis=1)
    crossed = np.linalg.norm(points[mirror] - others, axis=1)
    return bool(np.nansum(weights * (crossed - straight)) < 0)
