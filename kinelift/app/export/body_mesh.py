"""A simple body around a rig at rest: a rounded part for each bone, which moves with it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from kinelift.poses.kinematics import Rig
from kinelift.poses.kinematics.rig import SIDES

_AROUND, _CAP = 14, 4
"""Corners of a cross-section, and cross-sections of a rounded end."""
_LEG = 0.82
"""Metres: thigh and shank of the body that the radii belong to; those of others follow in proportion."""
_RADII: Mapping[str, tuple[float, float, float]] = {
    "thigh": (0.078, 0.055, 1.0), "shank": (0.056, 0.036, 1.0), "upper_arm": (0.046, 0.037, 1.0),
    "forearm": (0.038, 0.026, 1.0), "shoulder": (0.060, 0.052, 0.9), "lower_back": (0.125, 0.130, 0.75),
    "upper_back": (0.135, 0.115, 0.75), "neck": (0.055, 0.050, 1.0), "head": (0.070, 0.090, 1.15),
    "foot": (0.038, 0.030, 0.8), "heel": (0.034, 0.036, 1.0), "hips": (0.105, 0.105, 0.9), "hand": (0.032, 0.022, 0.55),
}  # fmt: skip
"""Metres: radii where a part begins and ends, and its depth as a share of its width."""
_HAND = 0.15
"""Metres: the length of a hand."""


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles, each corner of which moves with one node.

    Attributes:
        points: Corners at rest, metres.
        normals: Unit vectors outwards.
        nodes: The index of the node that carries each corner.
        triangles: Three corners each, anticlockwise as seen from outside.
    """

    points: Float[np.ndarray, "V 3"]
    normals: Float[np.ndarray, "V 3"]
    nodes: Int[np.ndarray, " V"]
    triangles: Int[np.ndarray, "F 3"]


def body_mesh(rig: Rig) -> Mesh:
    """The body of a rig at rest."""
    points, nodes, triangles, count = [], [], [], 0
    scale = _scale(rig)
    for node, start, end in _parts(rig):
        begin, finish, depth = _RADII[_part(rig.names[node])]
        corners, faces = _capsule(start, end, begin * scale, finish * scale, depth)
        if _part(rig.names[node]) in ("foot", "heel"):
            corners[:, 1] = corners[:, 1].clip(min=0.0)  # a flat sole
        points.append(corners)
        nodes.append(np.full(len(corners), node))
        triangles.append(faces + count)
        count += len(corners)
    corners, faces = np.concatenate(points), np.concatenate(triangles)
    return Mesh(corners, _normals(corners, faces), np.concatenate(nodes), faces)


def _parts(rig: Rig) -> Iterator[tuple[int, Float[np.ndarray, " 3"], Float[np.ndarray, " 3"]]]:
    """Each node with a body, and where that begins and ends at rest."""
    places = rig.places
    for index, node in enumerate(rig.nodes):
        part = _part(node.name)
        if node.aim is not None and (end := rig.at(node.aim)) is not None:
            yield index, places[index], places[end]
        elif part == "hips" and {"left_thigh", "right_thigh"} <= {*rig.names}:
            thighs = [places[rig.index(f"{side}_thigh")] for side in SIDES]
            yield index, *(places[index] + 0.6 * (thigh - places[index]) for thigh in thighs)
        elif part == "hand":
            outwards = 1.0 if node.name.startswith("left") else -1.0
            yield index, places[index], places[index] + [outwards * _HAND * _scale(rig), 0.0, 0.0]


def _part(name: str) -> str:
    return name.removeprefix("left_").removeprefix("right_")


def _scale(rig: Rig) -> float:
    """The size of a body, against the one of the radii."""
    bones = [np.linalg.norm(rig.offsets[rig.index(name)]) for name in ("left_shank", "left_foot") if name in rig.names]
    return float(sum(bones)) / _LEG if len(bones) == 2 and sum(bones) > 0 else 1.0


def _capsule(
    start: Float[np.ndarray, " 3"], end: Float[np.ndarray, " 3"], begin: float, finish: float, depth: float
) -> tuple[Float[np.ndarray, "V 3"], Int[np.ndarray, "F 3"]]:
    """A tapered tube with rounded ends. ``depth`` scales it towards the front, or along the height of a level one."""
    axis = (end - start) / np.linalg.norm(end - start)
    deep = np.array([0.0, 1.0, 0.0]) if abs(axis[1]) < 0.5 else np.array([0.0, 0.0, 1.0])
    deep = deep - (deep @ axis) * axis
    deep /= np.linalg.norm(deep)
    wide = np.cross(deep, axis)
    rise = np.linspace(0, np.pi / 2, _CAP + 1)
    first = [(start - axis * begin * np.cos(a), begin * np.sin(a)) for a in rise]
    last = [(end + axis * finish * np.sin(a), finish * np.cos(a)) for a in rise]
    turn = np.arange(_AROUND) * 2 * np.pi / _AROUND
    circle = np.cos(turn)[:, None] * wide + np.sin(turn)[:, None] * deep * depth
    rings = np.stack([centre + max(radius, 1e-4) * circle for centre, radius in first + last])
    return rings.reshape(-1, 3), _tube(len(rings))


def _tube(rings: int) -> Int[np.ndarray, "F 3"]:
    """The triangles between rings of ``_AROUND`` corners. The end rings are so small that they need no lid."""
    ring, corner = np.meshgrid(np.arange(rings - 1), np.arange(_AROUND), indexing="ij")
    a = ring * _AROUND + corner
    b = ring * _AROUND + (corner + 1) % _AROUND
    quads = np.stack([a, b, b + _AROUND, a, b + _AROUND, a + _AROUND], axis=-1)
    return quads.reshape(-1, 3)


def _normals(points: Float[np.ndarray, "V 3"], triangles: Int[np.ndarray, "F 3"]) -> Float[np.ndarray, "V 3"]:
    """The mean direction of the triangles at each corner, weighted by their areas."""
    a, b, c = points[triangles].swapaxes(0, 1)
    out = np.zeros_like(points)
    for corner in triangles.T:
        np.add.at(out, corner, np.cross(b - a, c - a))
    return np.asarray(out / np.linalg.norm(out, axis=-1, keepdims=True).clip(min=1e-12))
