"""Joint flexion, trunk lean, and variation of limb lengths in 3D poses."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Float

from kinelift.poses import H36M17, Poses3D, Skeleton

Hinge: TypeAlias = Literal["knee", "elbow"]
HINGES: Mapping[Hinge, tuple[str, str, str]] = {
    "knee": ("hip", "knee", "ankle"),
    "elbow": ("shoulder", "elbow", "wrist"),
}
SIDES = ("left", "right")
LIMBS = {
    "thigh": ("hip", "knee"), "shank": ("knee", "ankle"), "upper_arm": ("shoulder", "elbow"),
    "forearm": ("elbow", "wrist"),
}  # fmt: skip


def flexion(
    points: Float[np.ndarray, "*frames J 3"], hinge: Hinge, skeleton: Skeleton = H36M17
) -> Float[np.ndarray, "*frames 2"]:
    """Flexion of the left and right knee or elbow in degrees: 0 is straight."""
    bent = []
    for side in SIDES:
        first, middle, last = (points[..., skeleton.index(f"{side}_{part}"), :] for part in HINGES[hinge])
        bent.append(between(middle - first, last - middle))
    return np.stack(bent, -1)


def between(
    one: Float[np.ndarray, "*frames 3"], other: Float[np.ndarray, "*#frames 3"]
) -> Float[np.ndarray, "*frames"]:
    """Angle between vectors in degrees, accurate near 0 and 180."""
    across = np.linalg.norm(np.cross(one, other), axis=-1)
    return np.degrees(np.arctan2(across, (one * other).sum(-1)))


def lean(
    points: Float[np.ndarray, "*frames J 3"], up: Float[np.ndarray, " 3"], skeleton: Skeleton = H36M17
) -> Float[np.ndarray, "*frames"]:
    """Angle between the trunk (hip to thorax) and ``up`` in degrees, both in the axes of ``points``."""
    return between(points[..., skeleton.index("thorax"), :] - points[..., skeleton.index("hip"), :], up)


def lengths(poses: Poses3D) -> dict[str, Float[np.ndarray, " T"]]:
    """Length of each limb in each frame, m, by name (``left_thigh`` …)."""
    points, index = poses.points, poses.skeleton.index
    return {
        f"{side}_{limb}": np.linalg.norm(points[:, index(f"{side}_{a}")] - points[:, index(f"{side}_{b}")], axis=-1)
        for limb, (a, b) in LIMBS.items()
        for side in SIDES
    }


def spread(poses: Poses3D) -> dict[str, float]:
    """Coefficient of variation of each limb's length in percent, over frames with a pose."""
    return {limb: float(100 * np.nanstd(size) / np.nanmean(size)) for limb, size in lengths(poses).items()}
