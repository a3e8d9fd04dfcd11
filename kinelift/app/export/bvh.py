"""BVH: a skeleton and its rotations, for Blender, MotionBuilder and game engines."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from kinelift.app.export.people_files import bone_residual, write_each
from kinelift.app.export.placing import Placed, motion_of
from kinelift.app.export.timing import Clock
from kinelift.poses import Recording
from kinelift.poses.kinematics import Motion, Rig
from kinelift.poses.kinematics.euler import euler_angles
from kinelift.poses.kinematics.rig import Node

Names = Literal["plain", "mixamo"]
_ROTATIONS = "Zrotation Xrotation Yrotation"
_STUB = 0.05
"""Metres: the length drawn for a hand or a toe, whose own end is not recorded."""


def write_bvh(path: Path, recording: Recording, names: Names = "plain") -> None:
    """Write the joint rotations of each person as ``NAME-personID.bvh``, and what is guessed as ``NAME.bvh.json``.

    Y is up, lengths are metres. The rest pose is a T-pose that faces +Z. Angles are degrees, in the order Z, X, Y. Each
    file covers the whole video at a constant rate, so that those of several people fit together. While a person is
    not in the picture, the pose is held. ``--names mixamo`` names the joints as Mixamo does.

    Raises:
        DataError: Nobody has 3D poses.
        OutputError: A file cannot be written.
    """

    def write(part: Path, person: Placed, clock: Clock) -> Mapping[str, Any]:
        motion = motion_of(person)
        with part.open("w", encoding="ascii", newline="\n") as file:
            file.writelines(f"{line}\n" for line in _lines(motion.at(clock.times), clock.rate, names))
        return bone_residual(person, motion)

    write_each(path, recording, write, whole=True)


def name_of(node: Node, names: Names) -> str:
    """The name of a node in a file."""
    return f"mixamorig:{node.mixamo}" if names == "mixamo" else node.name


def _lines(motion: Motion, rate: float, names: Names) -> Iterator[str]:
    yield "HIERARCHY"
    yield from _hierarchy(motion.rig, 0, "", names)
    yield "MOTION"
    yield f"Frames: {len(motion)}"
    yield f"Frame Time: {1 / rate:.10f}"
    order = [node for node in _depth_first(motion.rig, 0) if not _is_end(motion.rig, node)]
    angles = euler_angles(motion.rotations[:, order]).reshape(len(motion), -1)
    for row in np.concatenate([motion.root, angles], axis=1) + 0.0:
        yield " ".join(f"{value:.6f}" for value in row)


def _hierarchy(rig: Rig, node: int, indent: str, names: Names) -> Iterator[str]:
    """The lines of a node and what it carries. The root is at the origin: its channels are places, not offsets."""
    end, inner = _is_end(rig, node), indent + "  "
    yield f"{indent}End Site" if end else f"{indent}{'JOINT' if node else 'ROOT'} {name_of(rig.nodes[node], names)}"
    yield indent + "{"
    yield f"{inner}OFFSET {_numbers(rig.offsets[node])}"
    if not end:
        yield f"{inner}CHANNELS {f'3 {_ROTATIONS}' if node else f'6 Xposition Yposition Zposition {_ROTATIONS}'}"
        for child in rig.children(node):
            yield from _hierarchy(rig, child, inner, names)
        if not rig.children(node):
            yield from (f"{inner}End Site", inner + "{", f"{inner}  OFFSET {_numbers(_stub(rig, node))}", inner + "}")
    yield indent + "}"


def _is_end(rig: Rig, node: int) -> bool:
    """Whether a node is written as the end of its parent."""
    return rig.nodes[node].tip


def _stub(rig: Rig, node: int) -> Float[np.ndarray, " 3"]:
    """Where a node without a recorded end ends: hands go on sideways, everything else forward."""
    sideways = {"left_hand": [1.0, 0.0, 0.0], "right_hand": [-1.0, 0.0, 0.0]}
    return _STUB * np.array(sideways.get(rig.nodes[node].name, [0.0, 0.0, 1.0]))


def _depth_first(rig: Rig, node: int) -> Iterator[int]:
    yield node
    for child in rig.children(node):
        yield from _depth_first(rig, child)


def _numbers(vector: Float[np.ndarray, " 3"]) -> str:
    return " ".join(f"{value:.6f}" for value in vector + 0.0)
