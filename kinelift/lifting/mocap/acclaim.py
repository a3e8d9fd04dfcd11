"""Acclaim motion capture: a skeleton (ASF) and its movements (AMC)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from kinelift.lifting.mocap.kinematics import Motion, turned, turns
from kinelift.poses.errors import DataError

RATE = 120.0
"""Frames a second of the CMU database; AMC files do not say."""

_FREEDOMS = ("rx", "ry", "rz")
_ROOT_ORDER = ["order", "TX", "TY", "TZ", "RX", "RY", "RZ"]


@dataclass(frozen=True, eq=False)
class Bone:
    """``vector``: from start to end in the rest pose, world axes. ``axis``: the frame in which its angles count."""

    parent: str
    vector: Float[np.ndarray, " 3"]
    axis: Float[np.ndarray, "3 3"]
    degrees_of_freedom: tuple[str, ...]


def read_asf(path: Path) -> Mapping[str, Bone]:
    """Bones by name, parents before children; the parent of the first is ``root``. Raises ``DataError``."""
    try:
        sections = _sections(path.read_text(encoding="latin-1"))
        if _ROOT_ORDER not in sections["root"]:
            raise ValueError("the order of the root's numbers is not TX TY TZ RX RY RZ")
        facts = dict(_bonedata(sections["bonedata"]))
        return {
            child: _bone(words[0], facts[child])
            for words in sections["hierarchy"]
            if words[0] not in ("begin", "end")
            for child in words[1:]
        }
    except (KeyError, ValueError, IndexError, OSError) as error:
        raise DataError(f"{path} is not a readable ASF skeleton: {error!r}.") from error


def read_amc(path: Path) -> Mapping[str, Float[np.ndarray, "T K"]]:
    """The numbers of every bone in every frame. Raises ``DataError``."""
    try:
        text = path.read_text(encoding="latin-1")
        if ":RADIANS" in text:
            raise ValueError("angles in radians; write it in degrees")
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


def pose(bones: Mapping[str, Bone], motion: Mapping[str, Float[np.ndarray, "T K"]]) -> Motion:
    """World positions of every bone's end (of the pelvis: ``root``), and rotations, by forward kinematics.

    Raises ``DataError`` where the movement does not belong to the skeleton.
    """
    root = _numbers(motion, "root", 6)
    positions = {"root": root[:, :3]}
    rotations = {"root": turns("xyz", root[:, 3:])}
    for name, bone in bones.items():
        angles = np.zeros((len(root), 3))
        if bone.degrees_of_freedom:
            free = [_FREEDOMS.index(freedom) for freedom in bone.degrees_of_freedom]
            angles[:, free] = _numbers(motion, name, len(free))
        rotations[name] = rotations[bone.parent] @ (bone.axis @ turns("xyz", angles) @ bone.axis.T)
        positions[name] = positions[bone.parent] + turned(rotations[name], bone.vector)
    return Motion(positions, rotations, RATE)


def _numbers(motion: Mapping[str, Float[np.ndarray, "T _"]], bone: str, count: int) -> Float[np.ndarray, "T _"]:
    found = motion[bone].shape[1] if bone in motion else 0
    if found != count:
        raise DataError(f"{bone} has {found} numbers a frame where the skeleton states {count}.")
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
    facts: dict[str, list[str]] = {}
    for words in lines:
        if words[0] == "begin":
            facts = {}
        elif words[0] == "end":
            yield facts["name"][0], facts
        else:
            facts[words[0]] = words[1:]


def _bone(parent: str, facts: Mapping[str, list[str]]) -> Bone:
    x, y, z, order = facts["axis"]
    axis = turns(order.lower(), np.array([[x, y, z]], dtype=float))[0]
    vector = np.array(facts["direction"], dtype=float) * float(facts["length"][0])
    freedoms = tuple(facts.get("dof", ()))
    if not set(freedoms) <= set(_FREEDOMS):
        raise ValueError(f"degrees of freedom other than rotations: {freedoms}")
    return Bone(parent, vector, axis, freedoms)
