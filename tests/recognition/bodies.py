"""Synthetic motions of bodies of any registered skeleton: metres, y up."""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from kinelift.poses import Skeleton
from tests.recognition.motions import REST

_ENDS = {
    "left_hand": (0.2, 0.82, 0.06), "right_hand": (-0.2, 0.82, 0.06),
    "left_foot": (0.12, 0.03, 0.12), "right_foot": (-0.12, 0.03, 0.12),
}  # fmt: skip
_POSITIONS = {**REST, **_ENDS}


def moving(skeleton: Skeleton, seed: int = 0, frames: int = 46) -> np.ndarray:
    """(1, frames, J, 3): every joint drifts smoothly about its rest position by some 5 cm.

    The second of two people stands 1.5 m in front of the first and faces them.
    """
    random = np.random.default_rng(seed)
    noise = random.normal(size=(frames, len(skeleton), 3))
    wander = gaussian_filter1d(noise, 6, axis=0, mode="nearest") * 0.25
    travel = np.cumsum(np.full((frames, 1, 3), random.uniform(-0.02, 0.02, 3)), axis=0)
    return (np.array([_position(name) for name in skeleton.joints]) + wander + travel)[None]


def mirrored(points: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """The motion mirrored left to right."""
    return points[:, :, list(skeleton.mirror)] * [-1.0, 1.0, 1.0]


def _position(joint: str) -> tuple[float, float, float]:
    if not joint.endswith(("_1", "_2")):
        return _POSITIONS[joint]
    x, y, z = _POSITIONS[joint[:-2]]
    return (x, y, z) if joint.endswith("_1") else (-x, y, 1.5 - z)
