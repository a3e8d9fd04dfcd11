"""The floor of the 3D view: a grid around what the camera looks at, which fades with the distance from it."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float, Int

from kinelift.app.render import drawing
from kinelift.app.render.style import BACKGROUND, FLOOR, RGB, blend
from kinelift.app.render.view_camera import ViewCamera

SPACING = 0.5
"""Distance between two lines (metres). Those at whole metres are stronger and reach farther."""
RADIUS, WEAK_RADIUS = 6.0, 3.0
"""Distances from the middle (metres) at which the lines at whole metres, and those between, have faded."""
_WEAK = 0.5
"""Share of the background in the lines between whole metres, in the middle."""
_SHADES = 6


@dataclass(frozen=True, eq=False)
class _Grid:
    """Pieces of lines around the origin, a metre long.

    Attributes:
        ends: Their ends on the floor, metres.
        middles: (x, z) of their middles, metres.
        radius: Distance at which each has faded, metres.
        first: The first of the ``_SHADES`` shades of its kind of line.
    """

    ends: Float[np.ndarray, "N 2 3"]
    middles: Float[np.ndarray, "N 2"]
    radius: Float[np.ndarray, " N"]
    first: Int[np.ndarray, " N"]


def draw_floor(image: drawing.Image, camera: ViewCamera) -> None:
    """Draw the floor, y = 0."""
    grid, target = _grid(), camera.target * [1.0, 0.0, 1.0]
    shift = np.rint(target)
    away = np.hypot(*(grid.middles + (shift - target)[[0, 2]]).T) / grid.radius
    near = away < 1
    flat, _ = camera.project((grid.ends[near] + shift).reshape(-1, 3))
    ends = flat.reshape(-1, 2, 2)
    shown = _is_shown(ends, camera.size)
    shade = ((away[near] * _SHADES).astype(int) + grid.first[near])[shown]
    ends, width = drawing.fixed(ends[shown]), max(1, round(camera.size[1] / 720))
    for k, colour in enumerate(_colours()):
        drawing.lines(image, ends[shade == k], colour, width)


def _is_shown(ends: Float[np.ndarray, "N 2 2"], size: tuple[int, int]) -> Bool[np.ndarray, " N"]:
    """Whether lines with these ends may cross a panel; not if an end is unknown, or both are beyond one side."""
    low, high = np.minimum(ends[:, 0], ends[:, 1]), np.maximum(ends[:, 0], ends[:, 1])
    return np.asarray(((high >= 0) & (low <= np.array(size))).all(axis=1))


@lru_cache(maxsize=1)
def _colours() -> tuple[RGB, ...]:
    """The shades of the weak lines, then those of the strong ones, each from near to far."""
    shares = [1 - strength * (1 - k / _SHADES) for strength in (1 - _WEAK, 1.0) for k in range(_SHADES)]
    return tuple(blend(FLOOR, BACKGROUND, share) for share in shares)


@lru_cache(maxsize=1)
def _grid() -> _Grid:
    kinds = [_pieces(WEAK_RADIUS, SPACING), _pieces(RADIUS, 0.0)]
    ends = np.concatenate(kinds)
    strong = np.repeat([False, True], [len(pieces) for pieces in kinds])
    radius = np.where(strong, RADIUS, WEAK_RADIUS)
    return _Grid(ends, ends.mean(axis=1)[:, [0, 2]], radius, np.where(strong, _SHADES, 0))


def _pieces(radius: float, offset: float) -> Float[np.ndarray, "N 2 3"]:
    """Pieces of lines in both directions, ``offset`` (metres) from the whole metres."""
    reach = int(radius) + 1
    place, begin = np.meshgrid(np.arange(-reach, reach + 1) + offset, np.arange(-reach, reach))
    x, z, zero = place.ravel(), begin.ravel(), np.zeros(place.size)
    one_way = np.stack([np.stack([x, zero, z], -1), np.stack([x, zero, z + 1], -1)], axis=1)
    return np.concatenate([one_way, one_way[..., ::-1]])
