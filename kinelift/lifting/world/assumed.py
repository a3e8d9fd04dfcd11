"""A world without contacts: up from standing bodies, and the floor at the lowest joints."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from kinelift.lifting.world import up as up_direction
from kinelift.poses import Poses3D, World

FLOOR = 10
"""Percentile of the lowest joints' heights at which the floor is assumed."""


def assumed_world(people: Sequence[Poses3D]) -> World:
    """The world of poses that were lifted without one. If nobody stands, the camera is taken to be level."""
    up = up_direction.combine([up_direction.of_bodies(poses) for poses in people])
    return world_around(up_direction.CAMERA_UP if up is None else up, people)


def world_around(up: Float[np.ndarray, " 3"], people: Sequence[Poses3D], floor: float | None = None) -> World:
    """A world whose origin is on the floor under the first person's first place.

    Args:
        up: The direction up in camera axes.
        people: Everybody, in camera axes.
        floor: Height of the floor along ``up`` over the camera, metres (negative); None to assume it.
    """
    rotation = up_direction.world_rotation(up)
    roots = [poses.root[np.isfinite(poses.root).all(1)] for poses in people if poses.root is not None]
    first = next((rotation @ root[0] for root in roots if len(root)), np.zeros(3))
    return World(rotation, -np.array([first[0], _lowest(people, up) if floor is None else floor, first[2]]))


def _lowest(people: Sequence[Poses3D], up: Float[np.ndarray, " 3"]) -> float:
    heights = [(poses.points + poses.root[:, None]) @ up for poses in people if poses.root is not None]
    lowest = np.concatenate([np.zeros(0), *(np.where(np.isnan(h), np.inf, h).min(1, initial=np.inf) for h in heights)])
    lowest = lowest[np.isfinite(lowest)]
    return float(np.percentile(lowest, FLOOR)) if len(lowest) else 0.0
