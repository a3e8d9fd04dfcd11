"""Body axes: one frame of reference for all sources of poses, derived from the bodies themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal

import numpy as np
from jaxtyping import Float

from kinelift.poses import H36M17, Skeleton
from kinelift.poses.vectors import unit

Axes = Literal["body", "first", "upright", "recorded"]
Up = Literal["+x", "-x", "+y", "-y", "+z", "-z"]
Origin = Literal["frame", "window"]

_EPSILON = 1e-9
_Part = tuple[int, ...]
"""Joints whose midpoint is meant; usually just one."""


@dataclass(frozen=True)
class _Body:
    """Joint indices of one person's body parts."""

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
    """Transform poses into body axes and body sizes: x to the person's left, y up the trunk, z ahead.

    One set of axes serves the whole window; frames near its middle weigh most. So turning within the window remains
    visible. The person's position, heading and size, the pitch of the camera and the world's axes do not. With two
    people, x points from the first to the second.

    Args:
        points: Joints in any right-handed axes and any unit.
        skeleton: Names the joints of ``points``.
        axes: "body" takes up from the trunk; "first" does too, but weighs the first eighth of the window most;
            "upright" takes up from the recording, see ``up``; "recorded" does not rotate.
        up: The recording's vertical axis. Used with "upright" only.
        origin: "frame" puts the hip at the origin in every frame, "window" only on average, so that travel remains
            visible. With two people, it is the midpoint of their hips.

    Returns:
        Joints in body axes, in units of ``body_size``.

    Raises:
        DataError: The skeleton has no hips, knees or shoulders.
    """
    bodies = _bodies(skeleton)
    hips = [_midpoint(points, body.trunk[0]) for body in bodies]
    centre: Float[np.ndarray, "B _ 3"] = np.mean(hips, axis=0)
    if origin == "window":
        centre = np.einsum("t,btc->bc", _central_weights(points) / _central_weights(points).sum(), centre)[:, None]
    centred = points - centre[:, :, None]
    size = body_size(centred, skeleton)[:, None, None, None]
    if axes == "recorded":
        unturned: Float[np.ndarray, "B T J 3"] = centred / size
        return unturned
    weights = _early_weights(points) if axes == "first" else _central_weights(points)
    rotations = _axes(centred, bodies, weights, up if axes == "upright" else None)
    turned: Float[np.ndarray, "B T J 3"] = np.einsum("btjc,bac->btja", centred, rotations) / size
    return turned


def body_size(points: Float[np.ndarray, "B T J 3"], skeleton: Skeleton = H36M17) -> Float[np.ndarray, " B"]:
    """Length of the trunk plus one leg, median over the window: about 1.2 m for an adult.

    With two people, it is their mean. The unit is that of ``points``.
    """
    sizes = [np.median(_lengths(points, body), axis=1) for body in _bodies(skeleton)]
    size: Float[np.ndarray, " B"] = np.maximum(np.mean(sizes, axis=0), _EPSILON)
    return size


def _lengths(points: Float[np.ndarray, "B T J 3"], body: _Body) -> Float[np.ndarray, "B T"]:
    midpoints = [_midpoint(points, part) for part in body.trunk]
    trunk = sum(np.linalg.norm(b - a, axis=-1) for a, b in pairwise(midpoints))
    legs = sum(np.linalg.norm(points[:, :, a] - points[:, :, b], axis=-1) for a, b in body.legs)
    lengths: Float[np.ndarray, "B T"] = trunk + legs / 2
    return lengths


def _axes(
    points: Float[np.ndarray, "B T J 3"],
    bodies: Sequence[_Body],
    weights: Float[np.ndarray, " T"],
    vertical: Up | None,
) -> Float[np.ndarray, "B 3 3"]:
    if vertical:
        up = np.tile(_direction(vertical), (len(points), 1))
    else:
        trunks = sum(_midpoint(points, body.trunk[-1]) - _midpoint(points, body.trunk[0]) for body in bodies)
        up = unit(np.einsum("t,btc->bc", weights, trunks))
    left = np.einsum("t,btc->bc", weights, _lateral(points, bodies))
    left = unit(left - (left * up).sum(axis=-1, keepdims=True) * up)
    return np.stack([left, up, np.cross(left, up)], axis=1)


def _lateral(points: Float[np.ndarray, "B T J 3"], bodies: Sequence[_Body]) -> Float[np.ndarray, "B T 3"]:
    """Vectors to the left of one person, or from the first of two people to the second."""
    if len(bodies) == 2:
        first, second = (_midpoint(points, body.trunk[0]) for body in bodies)
        between: Float[np.ndarray, "B T 3"] = second - first
        return between
    lateral: Float[np.ndarray, "B T 3"] = sum(
        points[:, :, left] - points[:, :, right] for left, right in bodies[0].across
    )
    return lateral


def _central_weights(points: Float[np.ndarray, "B T J 3"]) -> Float[np.ndarray, " T"]:
    weights: Float[np.ndarray, " T"] = np.hanning(points.shape[1] + 2)[1:-1]
    return weights


def _early_weights(points: Float[np.ndarray, "B T J 3"]) -> Float[np.ndarray, " T"]:
    weights: Float[np.ndarray, " T"] = np.exp(-8 * np.arange(points.shape[1]) / points.shape[1])
    return weights


def _midpoint(points: Float[np.ndarray, "B T J 3"], part: _Part) -> Float[np.ndarray, "B T 3"]:
    midpoint: Float[np.ndarray, "B T 3"] = points[:, :, part].mean(axis=2)
    return midpoint


def _direction(axis: Up) -> Float[np.ndarray, " 3"]:
    direction: Float[np.ndarray, " 3"] = np.eye(3)["xyz".index(axis[1])] * (1.0 if axis[0] == "+" else -1.0)
    return direction


@lru_cache(maxsize=16)
def _bodies(skeleton: Skeleton) -> tuple[_Body, ...]:
    endings = ("_1", "_2") if "left_hip_1" in skeleton.joints else ("",)
    return tuple(_body(skeleton, ending) for ending in endings)


def _body(skeleton: Skeleton, ending: str) -> _Body:
    def one(*names: str) -> int:
        """Index of the first of ``names`` that the skeleton has."""
        known = [name for name in names if name + ending in skeleton.joints]
        return skeleton.index((known or names)[0] + ending)

    def middle(side: str, *names: str) -> _Part:
        """The first of ``names`` that the skeleton has, or else both joints called ``side``."""
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
