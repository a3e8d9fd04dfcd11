"""Biovision hierarchy files (BVH)."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float

from kinelift.lifting.mocap.kinematics import JointMotion, euler_matrices
from kinelift.poses.errors import DataError


@dataclass
class Joint:
    """One joint of the file. ``channels`` are in the order of a frame's values."""

    name: str
    parent: "Joint | None"
    offset: Float[np.ndarray, " 3"] = field(default_factory=lambda: np.zeros(3))
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Bvh:
    """A parsed file: joints, parents before children, and one row of channel values per frame."""

    joints: tuple[Joint, ...]
    values: Float[np.ndarray, "T K"]
    rate: float

    def offset(self, joint: str) -> Float[np.ndarray, " 3"]:
        """Get a joint's position in its parent's frame in the rest pose."""
        return next(j.offset for j in self.joints if j.name == joint)


def read_bvh(path: Path) -> Bvh:
    """Parse a file. End sites become joints named after their parent with ``_end``.

    Raises:
        DataError: The file cannot be read, or contradicts itself.
    """
    try:
        head, motion = path.read_text(encoding="latin-1").split("MOTION", 1)
        joints = _hierarchy(head.split())
        words = motion.split()
        frames, step = int(words[1]), float(words[4])
        values = np.array(words[5:], dtype=float).reshape(frames, -1)
    except (ValueError, IndexError, OSError) as error:
        raise DataError(f"{path} is not a readable BVH file: {error}.") from error
    width = sum(len(j.channels) for j in joints)
    if not 0 < step < np.inf:
        raise DataError(f"{path} states a frame time of {step} seconds. It must be positive.")
    if frames == 0 or values.shape[1] != width:
        raise DataError(
            f"{path} declares {width} channels per frame, but has {frames} frames of {values.shape[1]} numbers."
        )
    return Bvh(joints, values, 1 / step)


def pose(bvh: Bvh) -> JointMotion:
    """Compute world positions and rotations of every joint by forward kinematics."""
    positions, rotations, column = {}, {}, 0
    for joint in bvh.joints:
        values = bvh.values[:, column : column + len(joint.channels)]
        column += len(joint.channels)
        translation, rotation = _local(joint, values)
        if joint.parent is None:
            positions[joint.name], rotations[joint.name] = translation, rotation
            continue
        parent = joint.parent.name
        positions[joint.name] = positions[parent] + np.einsum("tij,tj->ti", rotations[parent], translation)
        rotations[joint.name] = rotations[parent] @ rotation
    return JointMotion(positions, rotations, bvh.rate)


def _local(
    joint: Joint, values: Float[np.ndarray, "T K"]
) -> tuple[Float[np.ndarray, "T 3"], Float[np.ndarray, "T 3 3"]]:
    """Compute a joint's position and rotation in its parent's frame; position channels replace the offset."""
    translation = np.tile(joint.offset, (len(values), 1))
    for k, channel in enumerate(joint.channels):
        if channel.endswith("position"):
            translation[:, "XYZ".index(channel[0])] = values[:, k]
    rotations = [k for k, channel in enumerate(joint.channels) if channel.endswith("rotation")]
    if not rotations:
        return translation, np.tile(np.eye(3), (len(values), 1, 1))
    return translation, euler_matrices("".join(joint.channels[k][0] for k in rotations), values[:, rotations])


def _hierarchy(words: list[str]) -> tuple[Joint, ...]:
    joints: list[Joint] = []
    open_joints: list[Joint] = []
    position = 0
    while position < len(words):
        word = words[position]
        if word in ("ROOT", "JOINT", "End"):
            parent = open_joints[-1] if open_joints else None
            name = f"{parent.name}_end" if word == "End" and parent else words[position + 1]
            joints.append(Joint(name, parent))
            position += 2
        elif word == "OFFSET":
            joints[-1].offset = np.array(words[position + 1 : position + 4], dtype=float)
            position += 4
        elif word == "CHANNELS":
            count = int(words[position + 1])
            joints[-1].channels = tuple(words[position + 2 : position + 2 + count])
            position += 2 + count
        else:
            if word == "{":
                open_joints.append(joints[-1])
            elif word == "}":
                open_joints.pop()
            position += 1
    return tuple(joints)
