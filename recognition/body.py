"""One body frame for every source of poses: found from the skeleton itself, so camera and world axes agree."""

import numpy as np
from jaxtyping import Float

from poses import H36M17

_HIP, _SPINE, _THORAX = (H36M17.index(name) for name in ("hip", "spine", "thorax"))
_HIPS = (H36M17.index("left_hip"), H36M17.index("right_hip"))
_SHOULDERS = (H36M17.index("left_shoulder"), H36M17.index("right_shoulder"))
_SIZED = tuple(
    (H36M17.index(f"{side}_{a}"), H36M17.index(f"{side}_{b}"))
    for side in ("left", "right")
    for a, b in (("hip", "knee"), ("knee", "ankle"))
)
_TINY = 1e-9


def to_body(points: Float[np.ndarray, "B T 17 3"]) -> Float[np.ndarray, "B T 17 3"]:
    """Poses in body axes: hip at the origin in every frame, body size 1, x the person's left, y up the trunk, z ahead.

    ``points`` are h36m17 joints in any right-handed axes and any unit. One set of axes serves a whole window (frames
    near its middle count most), so turning within the window remains visible, while the place, the heading and the
    size of the person, the pitch of the camera and the direction of the world's axes do not.
    """
    centred = points - points[:, :, _HIP : _HIP + 1]
    return np.einsum("btjc,bac->btja", centred, _axes(centred)) / body_size(centred)[:, None, None, None]


def body_size(points: Float[np.ndarray, "B T 17 3"]) -> Float[np.ndarray, " B"]:
    """Length of trunk and one leg, median over the window: about 1.2 m for an adult."""
    trunk = _distance(points, _HIP, _SPINE) + _distance(points, _SPINE, _THORAX)
    legs = sum(_distance(points, a, b) for a, b in _SIZED) / 2
    return np.maximum(np.median(trunk + legs, axis=1), _TINY)


def _axes(points: Float[np.ndarray, "B T 17 3"]) -> Float[np.ndarray, "B 3 3"]:
    frames = points.shape[1]
    weights = np.hanning(frames + 2)[1:-1]
    up = _unit(np.einsum("t,btc->bc", weights, points[:, :, _THORAX]))
    across = sum(points[:, :, left] - points[:, :, right] for left, right in (_HIPS, _SHOULDERS))
    left = np.einsum("t,btc->bc", weights, across)
    left = _unit(left - (left * up).sum(axis=-1, keepdims=True) * up)
    return np.stack([left, up, np.cross(left, up)], axis=1)


def _unit(vectors: Float[np.ndarray, "B 3"]) -> Float[np.ndarray, "B 3"]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), _TINY)


def _distance(points: Float[np.ndarray, "B T 17 3"], a: int, b: int) -> Float[np.ndarray, "B T"]:
    return np.linalg.norm(points[:, :, a] - points[:, :, b], axis=-1)
