"""Joint angles of a person, with what each rests on and its expected error."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int8

from kinelift.app.export.placing import Placed, motion_of
from kinelift.poses import Skeleton
from kinelift.poses.kinematics.angles import joint_angles

Bone = tuple[str, str]
_LIMB_BONES: Mapping[str, tuple[Bone, ...]] = {
    "hip_flexion": (("hip", "spine"), ("~hip", "~knee")),
    "hip_adduction": (("right_hip", "left_hip"), ("~hip", "~knee")),
    "hip_rotation": (("right_hip", "left_hip"), ("~knee", "~ankle")),
    "knee_flexion": (("~hip", "~knee"), ("~knee", "~ankle")),
    "ankle_dorsiflexion": (("~knee", "~ankle"), ("~heel", "~toe")),
    "shoulder_plane": (("right_shoulder", "left_shoulder"), ("~shoulder", "~elbow")),
    "shoulder_elevation": (("spine", "thorax"), ("~shoulder", "~elbow")),
    "shoulder_rotation": (("right_shoulder", "left_shoulder"), ("~elbow", "~wrist")),
    "elbow_flexion": (("~shoulder", "~elbow"), ("~elbow", "~wrist")),
}  # fmt: skip
"""The bones between which an angle lies; ~ stands for the side."""
_TRUNK_BONES: Mapping[str, tuple[Bone, ...]] = {
    "trunk_flexion": (("hip", "spine"), ("spine", "thorax")), "trunk_bending": (("hip", "spine"), ("spine", "thorax")),
    "trunk_rotation": (("right_hip", "left_hip"), ("right_shoulder", "left_shoulder")),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class AngleSeries:
    """One angle of one person over the frames of the track.

    Attributes:
        degrees: NaN where unknown or not defined.
        seen: The least certain ``JointState`` of the joints that it rests on; None if not computed.
        error: The expected error in degrees; NaN where it was not computed.
    """

    degrees: Float[np.ndarray, " T"]
    seen: Int8[np.ndarray, " T"] | None
    error: Float[np.ndarray, " T"]


def angle_series(person: Placed) -> dict[str, AngleSeries]:
    """All angles of a person by name (``poses.kinematics.angles.joint_angles``)."""
    skeleton = person.poses.skeleton
    angles = joint_angles(person.points, skeleton, motion_of(person))
    lifted = np.isfinite(person.points).all(-1).any(1)
    return {name: _series(person, skeleton, name, np.where(lifted, values, np.nan)) for name, values in angles.items()}


def bones_of(angle: str) -> tuple[Bone, ...]:
    """The pairs of joints between which an angle lies."""
    if angle in _TRUNK_BONES:
        return _TRUNK_BONES[angle]
    side, _, name = angle.partition("_")
    return tuple((a.replace("~", f"{side}_"), b.replace("~", f"{side}_")) for a, b in _LIMB_BONES[name])


def _series(person: Placed, skeleton: Skeleton, name: str, degrees: Float[np.ndarray, " T"]) -> AngleSeries:
    bones, poses = bones_of(name), person.poses
    if not {joint for bone in bones for joint in bone} <= {*skeleton.joints}:
        return AngleSeries(degrees, None, np.full(len(degrees), np.nan))
    pairs = [(skeleton.index(a), skeleton.index(b)) for a, b in bones]
    joints = sorted({joint for pair in pairs for joint in pair})
    seen = None if poses.seen is None else poses.seen[:, joints].min(1)
    error = np.full(len(degrees), np.nan) if poses.error is None else _error(person.points, poses.error, pairs)
    return AngleSeries(degrees, seen, np.where(np.isfinite(degrees), error, np.nan))


def _error(
    points: Float[np.ndarray, "T J 3"], error: Float[np.ndarray, "T J"], bones: Sequence[tuple[int, int]]
) -> Float[np.ndarray, " T"]:
    """The expected error of an angle between bones, degrees.

    A point whose expected distance from the truth is e has an expected error of e / 2 in any one direction, if errors
    are normally distributed and the same in all directions. Errors of different points are taken as independent.
    """
    variance = np.zeros(len(points))
    for a, b in bones:
        length = np.linalg.norm(points[:, a] - points[:, b], axis=-1)
        variance += (error[:, a] ** 2 + error[:, b] ** 2) / (2 * length) ** 2
    return np.asarray(np.degrees(np.sqrt(variance)))
