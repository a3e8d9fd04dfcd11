"""Acclaim motion capture: a skeleton (ASF) and its motion (AMC)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from kinelift.lifting.mocap.kinematics import JointMotion, euler_matrices, rotate_vector
from kinelift.poses.errors import DataError

RATE = 120.0
"""Frames per second of the CMU database. AMC files do not contain it."""

_FREEDOMS = ("rx", "ry", "rz")
_ROOT_ORDER = ["order", "TX", "TY", "TZ", "RX", "RY", "RZ"]


@dataclass(frozen=True, eq=False)
class Bone:
    """One bone of a skeleton.

    Attributes:
        parent: Name of the parent bone.
        vector: From start to end in the rest pose, world axes.
        axis: Rotation of the frame in which its angles are given.
        degrees_of_freedom: Names of its angles.
    """

    parent: str
    vector: Float[np.ndarray, " 3"]
    axis: Float[np.ndarray, "3 3"]
    degrees_of_freedom: tuple[str, ...]


def read_asf(path: Path) -> Mapping[str, Bone]:
    """Read a skeleton.

    Returns:
        Bones by name, parents before children. The parent of the first is ``root``.

    Raises:
        DataError: The file cannot be read.
    """
    try:
        sections = _sections(path.read_text(encoding="latin-1"))
        if _ROOT_ORDER not in sections["root"]:
            raise ValueError("the order of the root's channels must be TX TY TZ RX RY RZ")
        fields = dict(_bonedata(sections["bonedata"]))
        return {
            child: _bone(words[0], fields[child])
            for words in sections["hierarchy"]
            if words[0] not in ("begin", "end")
            for child in words[1:]
        }
    except (KeyError, ValueError, IndexError, OSError) as error:
        raise DataError(f"{path} is not a readable ASF skeleton: {error!r}.") from error


def read_amc(path: Path) -> Mapping[str, Float[np.ndarray, "T K"]]:
    """Read the channel values of every bone in every frame.

    Raises:
        DataError: The file cannot be read.
    """
    try:
        text = path.read_text(encoding="latin-1")
        if ":RADIANS" in text:
            raise ValueError("its angles are in radians, but must be in degrees")
        frames: list[dict[str, list[float]]] = []
        for line in text.splitlines():
            words = line.split()
            if not words or words[0][0] in "#:":
                continue
            if words[0].isdigit():
                frames.append({})
            else:
                frames[-1][words[0]] = [float(w) for w in words[1:]]
        return {name: np.array([frame[name] for frame in frames]) for name in frames[0]}
    except (KeyError, ValueError, IndexError, OSError) as error:
        raise DataError(f"{path} is not a readable AMC file: {error!r}.") from error


def pose(bones: Mapping[str, Bone], motion: Mapping[str, Float[np.ndarray, "T K"]]) -> JointMotion:
    """Compute positions and rotations by forward kinematics.

    Returns:
        World positions of the end of every bone, and of the pelvis as ``root``, in the file's unit.

    Raises:
        DataError: The motion does not fit the skeleton.
    """
    root = _channels(motion, "root", 6)
    positions = {"root": root[:, :3]}
    rotations = {"root": euler_matrices("xyz", root[:, 3:])}
    for name, bone in bones.items():
        angles = np.zeros((len(root), 3))
        if bone.degrees_of_freedom:
            free = [_FREEDOMS.index(freedom) for freedom in bone.degrees_of_freedom]
            angles[:, free] = _channels(motion, name, len(free))
        rotations[name] = rotations[bone.parent] @ (bone.axis @ euler_matrices("xyz", angles) @ bone.axis.T)
        positions[name] = positions[bone.parent] + rotate_vector(rotations[name], bone.vector)
    return JointMotion(positions, rotations, RATE)


def _channels(motion: Mapping[str, Float[np.ndarray, "T _"]], bone: str, count: int) -> Float[np.ndarray, "T _"]:
    given = motion[bone].shape[1] if bone in motion else 0
    if given != count:
        raise DataError(
            f"{bone} has {given} numbers per frame, but {count} in the skeleton. Use the matching skeleton."
        )
    return motion[bone]


def _sections(text: str) -> dict[str, list[list[str]]]:
    sections: dict[str, list[list[str]]] = {}
    current: list[list[str]] = []
    for line in text.splitlines():
        words = line.split()
        if words and words[0].startswith(":"):
            current = sections.setdefault(words[0][1:], [])
        elif words:
            current.append(words)
    return sections


def _bonedata(lines: list[list[str]]) -> Iterator[tuple[str, dict[str, list[str]]]]:
    fields: dict[str, list[str]] = {}
    for words in lines:
        if words[0] == "begin":
            fields = {}
        elif words[0] == "end":
            yield fields["name"][0], fields
        else:
            fields[words[0]] = words[1:]


def _bone(parent: str, fields: Mapping[str, list[str]]) -> Bone:
    x, y, z, order = fields["axis"]
    axis = euler_matrices(order.lower(), np.array([[x, y, z]], dtype=float))[0]
    vector = np.array(fields["direction"], dtype=float) * float(fields["length"][0])
    freedoms = tuple(fields.get("dof", ()))
    if not set(freedoms) <= set(_FREEDOMS):
        raise ValueError(f"its degrees of freedom are not all rotations: {freedoms}")
    return Bone(parent, vector, axis, freedoms)
