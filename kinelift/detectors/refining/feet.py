"""Which heels and toes of the second stage to believe: the first stage has none to compare them with."""

import numpy as np
from jaxtyping import Bool, Float

from kinelift.poses import Skeleton

_LONGEST = 0.3
"""Distance of a heel or toe from its ankle, in body sizes, from which on it belongs to no such foot."""
_SEEN = 0.2
"""The score from which on the first stage's ankle can contradict a foot."""


def ankles(skeleton: Skeleton) -> list[int]:
    """The ankle of each of the skeleton's ``feet``."""
    return [skeleton.index(f"{skeleton.side(joint)}_ankle") for joint in skeleton.feet]


def contradicted(agree: Bool[np.ndarray, " J"], scores: Float[np.ndarray, " J"], skeleton: Skeleton) -> list[int]:
    """The heels and toes of ankles that the first stage sees somewhere else.

    Args:
        agree: Whether both stages agree on a joint.
        scores: The first stage's.
        skeleton: The joints.
    """
    pairs = zip(skeleton.feet, ankles(skeleton), strict=True)
    return [joint for joint, ankle in pairs if scores[ankle] >= _SEEN and not agree[ankle]]


def stray(points: Float[np.ndarray, "J 2"], size: float, skeleton: Skeleton) -> list[int]:
    """The heels and toes that are missing, or too far from their ankle, for a body of this size in px."""
    feet = list(skeleton.feet)
    near = np.linalg.norm(points[feet] - points[ankles(skeleton)], axis=1) < _LONGEST * size
    return [joint for joint, kept in zip(feet, near, strict=True) if not kept]
