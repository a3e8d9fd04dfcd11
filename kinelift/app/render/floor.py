"""The floor of the 3D view: a grid around what the camera looks at, which fades with the distance from it."""

from functools import lru_cache

import numpy as np
from jaxtyping import Float

from kinelift.app.render import drawing
from kinelift.app.render.style import BACKGROUND, FLOOR, blend
from kinelift.app.render.view_camera import ViewCamera

SPACING = 0.5
"""Distance between two lines (metres). Those at whole metres are stronger."""
RADIUS = 6.0
"""Distance from the middle (metres) at which the lines have faded."""
_SHADES = 8
_WEAK = 0.5
"""Share of the background in the lines between whole metres."""


def draw_floor(image: drawing.Image, camera: ViewCamera) -> None:
    """Draw the floor, y = 0."""
    middle = camera.target[[0, 2]]
    pieces, strong = _pieces()
    shift = np.round(middle)
    distance = np.linalg.norm(pieces.mean(axis=1) + shift - middle, axis=1)
    shade = np.floor(distance / RADIUS * _SHADES).astype(int)
    near = shade < _SHADES
    flat, _ = camera.project(_on_floor(pieces[near] + shift))
    shown = np.isfinite(flat).all(axis=(1, 2))
    width = max(1, round(camera.size[1] / 720))
    for k in reversed(range(_SHADES)):
        for level, weakness in ((False, _WEAK), (True, 0.0)):
            chosen = shown & (shade[near] == k) & (strong[near] == level)
            fade = 1 - (1 - weakness) * (1 - k / _SHADES)
            drawing.lines(image, flat[chosen], blend(FLOOR, BACKGROUND, fade), width)


def _on_floor(points: Float[np.ndarray, "N 2 2"]) -> Float[np.ndarray, "N 2 3"]:
    return np.stack([points[..., 0], np.zeros(points.shape[:2]), points[..., 1]], axis=-1)


@lru_cache(maxsize=1)
def _pieces() -> tuple[Float[np.ndarray, "N 2 2"], np.ndarray]:
    """Pieces of the lines around the origin, a metre long, as (x, z); and whether each lies at a whole metre."""
    reach = int(RADIUS) + 1
    across = np.arange(-reach, reach + SPACING / 2, SPACING)
    along = np.arange(-reach, reach)
    place, begin = (grid.ravel() for grid in np.meshgrid(across, along))
    one_way = np.stack([np.stack([place, begin], -1), np.stack([place, begin + 1], -1)], axis=1)
    strong = np.isclose(place % 1, 0)
    return np.concatenate([one_way, one_way[..., ::-1]]), np.concatenate([strong, strong])
