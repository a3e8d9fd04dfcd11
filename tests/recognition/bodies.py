"""Made-up motions of bodies of any registered skeleton: metres, y up."""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from kinelift.poses import Skeleton
from tests.recognition.motions import REST

_ENDS = {
    "left_hand": (0.2, 0.82, 0.06), "right_hand": (-0.2, 0.82, 0.06),
    "left_foot": (0.12, 0.03, 0.12), "right_foot": (-0.12, 0.03, 0.12),
}  # fmt: skip
_PLACES = {**REST, **_ENDS}


def moving(skeleton: Skeleton, seed: int = 0, frames: int = 46) -> np.ndarray:
    """(1, frames, J, 3): every joint wanders smoothly about where it is at rest, some 5 cm at a time.

    The second of two people stands a metre and a half before the first, and faces them.
    """
    random = np.random.default_rng(seed)
    noise = random.normal(size=(frames, len(skeleton), 3))
    wander = gaussian_filter1d(noise, 6, axis=0, mode="nearest") * 0.25
    travel = np.cumsum(np.full((frames, 1, 3), random.uniform(-0.02, 0.02, 3)), axis=0)
    return (np.array([_place(name) for name in skeleton.joints]) + wander + travel)[None]


def mirrored(points: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """The same motion seen in a mirror, right hand for left hand."""
    return points[:, :, list(skeleton.mirror)] * [-1.0, 1.0, 1.0]


def _place(joint: str) -> tuple[float, float, float]:
    if not joint.endswith(("_1", "_2")):
        return _PLACES[joint]
    x, y, z = _PLACES[joint[:-2]]
    return (x, y, z) if joint.endswith("_1") else (-x, y, 1.5 - z)
