"""Which is a person's left: a question that networks answer wrongly for a while, but not all at once."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinelift.poses import Skeleton

_MEMORY = 1.0
"""Seconds after which a vote counts 37 %."""
_CLEAR = 0.2
"""Straightness from which on one frame continues another without doubt about the sides."""


@dataclass(frozen=True, eq=False)
class Sides:
    """Decides, frame by frame, whether the sides of one person's joints are read as they are or swapped.

    Bodies do not swap sides between two frames, so each reading is first turned to continue the ``last`` one. Whether
    that one had the sides right is voted on in every frame: by the network that placed the joints, and by another that
    saw the person. Past votes fade with time, and at once where left and right limbs pass each other, as in somebody
    who walks by: what continues what is not clear then. The sum of the ``votes`` is never negative.
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
        clear = 1.0 if self.last is None else straightness(points, self.last, scores, self.skeleton)
        swap = clear < 0
        reading = points[mirror] if swap else points
        votes = self.votes * float(np.exp(-step / _MEMORY)) * min(1.0, abs(clear) / _CLEAR) + (-1 if swap else 1)
        if witness is not None:
            votes += 1 if straightness(witness, reading, scores, self.skeleton) >= 0 else -1
        if votes < 0:
            swap, reading, votes = not swap, reading[mirror], -votes
        return swap, Sides(self.skeleton, reading, votes)


def straightness(
    points: Float[np.ndarray, "J 2"],
    others: Float[np.ndarray, "J 2"],
    scores: Float[np.ndarray, " J"],
    skeleton: Skeleton,
) -> float:
    """Whether ``points`` lie nearer to ``others`` as they are (up to 1) or with their sides exchanged (down to -1).

    0 = no telling. Joints count by ``scores``, their own and their partners'.
    """
    mirror = list(skeleton.mirror)
    weights = scores * scores[mirror]
    straight = float(np.nansum(weights * np.linalg.norm(points - others, axis=1)))
    crossed = float(np.nansum(weights * np.linalg.norm(points[mirror] - others, axis=1)))
    return (crossed - straight) / max(crossed + straight, 1e-9)
