"""Left and right of one person, decided frame by frame: networks swap them for a while, but not all at once."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinelift.poses import Skeleton

_FADING = 1.0
"""Seconds after which a vote counts 37 %."""
_CLEAR = 0.2
"""Agreement of two frames from which on there is no doubt that they have the same sides."""


@dataclass(frozen=True, eq=False)
class SideVoting:
    """Decides whether left and right of one person's joints are read as they are or swapped.

    Bodies do not swap sides between two frames, so each reading is first turned to agree with the last one. Whether the
    last one had the sides right is put to the vote in every frame: the network that located the joints votes, and so
    does another one that saw the person. Past votes fade with time. They fade at once where left and right limbs pass
    each other, as in somebody who walks by: which side is which is not clear then.

    Args:
        skeleton: The joints.
        last: The last reading, px; None = there was none.
        votes: The sum of the votes for the last reading; never negative.
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
    ) -> "tuple[bool, SideVoting]":
        """Decide about one reading.

        Args:
            points: The joints as read, px.
            scores: Their confidence, 0-1.
            witness: The joints as another network saw them, if it looked.
            step: Seconds since the last reading.

        Returns:
            Whether left and right of ``points`` must be swapped, and the state for the next reading.
        """
        mirror = list(self.skeleton.mirror)
        agreement = 1.0 if self.last is None else side_agreement(points, self.last, scores, self.skeleton)
        swap = agreement < 0
        reading = points[mirror] if swap else points
        faded = self.votes * float(np.exp(-step / _FADING)) * min(1.0, abs(agreement) / _CLEAR)
        votes = faded + (-1 if swap else 1)
        if witness is not None:
            votes += 1 if side_agreement(witness, reading, scores, self.skeleton) >= 0 else -1
        if votes < 0:
            swap, reading, votes = not swap, reading[mirror], -votes
        return swap, SideVoting(self.skeleton, reading, votes)


def side_agreement(
    points: Float[np.ndarray, "J 2"],
    others: Float[np.ndarray, "J 2"],
    scores: Float[np.ndarray, " J"],
    skeleton: Skeleton,
) -> float:
    """How much nearer ``points`` are to ``others`` as they are (up to 1) than with left and right swapped (down to -1).

    0 = undecided. Joints are weighted by the product of their own score and that of their mirror joint. Heels and toes
    do not count.
    """
    body, mirror = list(skeleton.body), [skeleton.mirror[j] for j in skeleton.body]
    weights = scores[body] * scores[mirror]
    straight = float(np.nansum(weights * np.linalg.norm(points[body] - others[body], axis=1)))
    crossed = float(np.nansum(weights * np.linalg.norm(points[mirror] - others[body], axis=1)))
    return (crossed - straight) / max(crossed + straight, 1e-9)
