"""One frame of reference for every source of poses: found from the bodies themselves, so that all axes agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal

import numpy as np
from jaxtyping import Float

from kinelift.poses import H36M17, Skeleton

Axes = Literal["body", "first", "upright", "recorded"]
Up = Literal["+x", "-x", "+y", "-y", "+z", "-z"]
Origin = Literal["frame", "window"]

_TINY = 1e-9
_Part = tuple[int, ...]
"""Joints of which the middle is meant: most often one."""


@dataclass(frozen=True)
class _Body:
    """Where one person's parts are among the joints."""

    trunk: tuple[_Part, ...]
    across: tuple[tuple[int, int], ...]
    legs: tuple[tuple[int, int], ...]


def to_body(
    points: Float[np.ndarray, "B T J 3"],
    skeleton: Skeleton = H36M17,
    axes: Axes = "body",
    up: Up = "+y",
    origin: Origin = "frame",
) -> Float[np.ndarray, "B T J 3"]:
    """Poses of ``skeleton`` in body axes and body sizes: x the person's left, y up the trunk, z ahead.

    ``points`` are in any right-handed axes and any unit. One set of axes serves a whole window (frames near its middle
    count most), so turning within the window remains visible, while place, heading and size of the person, the pitch
    of the camera and the direction of the world's axes do not. Of two people, x points from the first to the second.

    ``axes``: "body" takes up from the trunk, "first" as well, but from the first eighth of the window above all, and
    "upright" takes it from the recording, whose axis ``up`` points there; "recorded" turns nothing. ``origin``: the hip
    (between two people: the middle of their hips) "frame" by frame, or where it is on average over the "window", so
    that travel remains visible.
    Raises ``DataError`` if the skeleton has no hips, knees or shoulders.
    """
    bodies = _bodies(skeleton)
    hips = [_middle(points, body.trunk[0]) for body in bodies]
    centre = np.mean(hips, axis=0)
    if origin == "window":
        centre = np.einsum("t,btc->bc", _weights(points) / _weights(points).sum(), centre)[:, None]
    centred = points - centre[:, :, None]
    size = body_size(centred, skeleton)[:, None, None, None]
    if axes == "recorded":
        return centred / size
    weights = _early(points) if axes == "first" else _weights(points)
    turns = _axes(centred, bodies, weights, up if axes == "upright" else None)
    return np.einsum("btjc,bac->btja", centred, turns) / size


def body_size(points: Float[np.ndarray, "B T J 3"], skeleton: Skeleton = H36M17) -> Float[np.ndarray, " B"]:
    """Length of trunk and one leg, median over the window: about 1.2 m for an adult. Of two people, the mean."""
    sizes = [np.median(_lengths(points, body), axis=1) for body in _bodies(skeleton)]
    return np.maximum(sum(sizes) / len(sizes), _TINY)


def _lengths(points: Float[np.ndarray, "B T J 3"], body: _Body) -> Float[np.ndarray, "B T"]:
    stations = [_middle(points, part) for part in body.trunk]
    trunk = sum(np.linalg.norm(b - a, axis=-1) for a, b in pairwise(stations))
    legs = sum(np.linalg.norm(points[:, :, a] - points[:, :, b], axis=-1) for a, b in body.legs)
    return trunk + legs / 2


def _axes(
    points: Float[np.ndarray, "B T J 3"],
    bodies: Sequence[_Body],
    weights: Float[np.ndarray, " T"],
    vertical: Up | None,
) -> Float[np.ndarray, "B 3 3"]:
    if vertical:
        up = np.tile(_direction(vertical), (len(points), 1))
    else:
        trunks = sum(_middle(points, body.trunk[-1]) - _middle(points, body.trunk[0]) for body in bodies)
        up = _unit(np.einsum("t,btc->bc", weights, trunks))
    first = np.einsum("t,btc->bc", weights, _aside(points, bodies))
    first = _unit(first - (first * up).sum(axis=-1, keepdims=True) * up)
    return np.stack([first, up, np.cross(first, up)], axis=1)


def _aside(points: Float[np.ndarray, "B T J 3"], bodies: Sequence[_Body]) -> Float[np.ndarray, "B T 3"]:
    """To the left of one person; from the first of two people to the second."""
    if len(bodies) == 2:
        first, second = (_middle(points, body.trunk[0]) for body in bodies)
        return second - first
    return sum(points[:, :, left] - points[:, :, right] for left, right in bodies[0].across)


def _weights(points: Float[np.ndarray, "B T J 3"]) -> Float[np.ndarray, " T"]:
    return np.hanning(points.shape[1] + 2)[1:-1]


def _early(points: Float[np.ndarray, "B T J 3"]) -> Float[np.ndarray, " T"]:
    return np.exp(-8 * np.arange(points.shape[1]) / points.shape[1])


def _middle(points: Float[np.ndarray, "B T J 3"], part: _Part) -> Float[np.ndarray, "B T 3"]:
    return points[:, :, part].mean(axis=2)


def _unit(vectors: Float[np.ndarray, "B 3"]) -> Float[np.ndarray, "B 3"]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), _TINY)


def _direction(axis: Up) -> Float[np.ndarray, " 3"]:
    return np.eye(3)["xyz".index(axis[1])] * (1.0 if axis[0] == "+" else -1.0)


@lru_cache(maxsize=16)
def _bodies(skeleton: Skeleton) -> tuple[_Body, ...]:
    endings = ("_1", "_2") if "left_hip_1" in skeleton.joints else ("",)
    return tuple(_body(skeleton, ending) for ending in endings)


def _body(skeleton: Skeleton, ending: str) -> _Body:
    def one(*names: str) -> int:
        """The first of ``names`` that the skeleton has."""
        known = [name for name in names if name + ending in skeleton.joints]
        return skeleton.index((known or names)[0] + ending)

    def middle(side: str, *names: str) -> _Part:
        """The first of ``names`` that the skeleton has, else both joints called ``side``."""
        known = [name for name in names if name + ending in skeleton.joints]
        return (one(known[0]),) if known else (one(f"left_{side}"), one(f"right_{side}"))

    spine = ((one("spine"),),) if f"spine{ending}" in skeleton.joints else ()
    across = tuple((one(f"left_{name}"), one(f"right_{name}")) for name in ("hip", "shoulder"))
    legs = tuple(
        bone
        for side in ("left", "right")
        for knee in (one(f"{side}_knee"),)
        for bone in ((one(f"{side}_hip"), knee), (knee, one(f"{side}_ankle", f"{side}_foot")))
    )
    return _Body((middle("hip", "hip"), *spine, middle("shoulder", "thorax", "neck")), across, legs)
