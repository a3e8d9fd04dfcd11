"""Bodies of constant lengths in chosen poses."""

from collections.abc import Mapping

import numpy as np
from scipy.spatial.transform import Rotation

from kinelift.poses import H36M21, Skeleton
from kinelift.poses.kinematics import Motion, Rig
from kinelift.poses.kinematics.rig import build

LENGTHS: Mapping[str, float] = {
    "hip": 0.09, "knee": 0.42, "ankle": 0.41, "spine": 0.24, "thorax": 0.26, "neck": 0.08, "head": 0.2,
    "shoulder": 0.19, "elbow": 0.28, "wrist": 0.26, "heel": 0.075, "toe": 0.2,
}  # fmt: skip
REST: Mapping[str, tuple[float, float, float]] = {
    "hip": (1, 0, 0), "knee": (0, -1, 0), "ankle": (0, -1, 0), "spine": (0, 1, 0), "thorax": (0, 1, 0),
    "neck": (0, 1, 0), "head": (0, 1, 0), "shoulder": (0.92, -np.sqrt(1 - 0.92**2), 0), "elbow": (1, 0, 0),
    "wrist": (1, 0, 0), "heel": (0, -0.7, -np.sqrt(1 - 0.7**2)), "toe": (0, -0.2625, np.sqrt(1 - 0.2625**2)),
}  # fmt: skip
"""The T-pose of the documentation, written here again on purpose. Heels and toes are at one height."""


def direction(joint: str) -> np.ndarray:
    """The direction of a bone in the T-pose, of length 1, from its beginning to this joint."""
    side, _, part = joint.rpartition("_")
    x, y, z = REST[part or joint]
    out = np.array([-x if side == "right" else x, y, z])
    return out / np.linalg.norm(out)


def from_directions(directions: Mapping[str, np.ndarray], frames: int, skeleton: Skeleton = H36M21) -> np.ndarray:
    """Joints of a body with ``LENGTHS``, given unit directions of bones; the others are as in the T-pose."""
    points = np.zeros((frames, len(skeleton), 3))
    for parent, joint in skeleton.outward:
        name = skeleton.joints[joint]
        length = LENGTHS[name.rpartition("_")[2]]
        points[:, joint] = points[:, parent] + length * directions.get(name, direction(name))
    return points


def t_pose(frames: int = 1, skeleton: Skeleton = H36M21) -> np.ndarray:
    return from_directions({}, frames, skeleton)


def rest_rig() -> Rig:
    return build(t_pose(), H36M21)


def posed(turns: Mapping[str, Rotation], frames: int = 1) -> tuple[Motion, np.ndarray]:
    """A motion in which some nodes are turned against their parents, and its joints."""
    rig = rest_rig()
    rotations = np.tile([0.0, 0.0, 0.0, 1.0], (frames, len(rig), 1))
    for name, turn in turns.items():
        rotations[:, rig.index(name)] = turn.as_quat()
    motion = Motion(rig, np.arange(frames) / 30, np.zeros((frames, 3)), rotations)
    return motion, motion.joints(H36M21)


def turn(axis: str, degrees: float) -> Rotation:
    return Rotation.from_euler(axis, degrees, degrees=True)
