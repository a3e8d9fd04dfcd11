"""Keypoints on the body's axis that detectors lack and some data sets have, estimated from those they give."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from kinelift.poses import Skeleton, Track2D, missing_keypoints

_SHARES: Mapping[str, Mapping[str, float]] = {
    "hip": {"left_hip": 0.5, "right_hip": 0.5},
    "thorax": {"left_shoulder": 0.5, "right_shoulder": 0.5},
    "head": {"left_ear": 0.75, "right_ear": 0.75, "left_shoulder": -0.25, "right_shoulder": -0.25},
}
"""Each as a weighted sum: the middle of the hips, the middle of the shoulders, and the top of the head, which lies one
and a half times as far from the middle of the shoulders as the middle of the ears. In HumanEva-I the first two are
within 5 cm of the recorded joints."""


def lacking(given: Skeleton, wanted: Skeleton) -> tuple[str, ...]:
    """The joints of ``wanted``, other than face and feet, that ``given`` neither has nor allows to be estimated."""
    return tuple(name for name in missing_keypoints(given, wanted) if not _estimable(name, given))


def _estimable(name: str, given: Skeleton) -> bool:
    return name in _SHARES and _SHARES[name].keys() <= {*given.joints}


def keypoints(track: Track2D, wanted: Skeleton) -> Float[np.ndarray, "T J 2"]:
    """The keypoints of ``track`` in another layout, pixels; NaN where they are neither seen nor estimated."""
    points = track.converted(wanted).points.copy()
    for name in set(missing_keypoints(track.skeleton, wanted)) - {*lacking(track.skeleton, wanted)}:
        shares = _SHARES[name].items()
        points[:, wanted.index(name)] = sum(share * track.points[:, track.skeleton.index(j)] for j, share in shares)
    return points
