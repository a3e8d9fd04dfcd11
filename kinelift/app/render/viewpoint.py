"""The virtual camera of the 3D view: fixed for the whole clip, and far enough to see all of it."""

from dataclasses import dataclass
from math import cos, radians, sin

import numpy as np
from jaxtyping import Float

AZIMUTH, ELEVATION = 28.0, 14.0
"""Degrees to the side of, and above, the video camera's own view: enough to read depth."""
LENS = 1.9
"""Focal length in panel heights: a mild perspective."""
MARGIN = 0.06
"""Share of the panel that stays free on each side."""
OUTLIERS = 0.5
"""Percent of the coordinates at each end that need not fit."""


@dataclass(frozen=True, eq=False)
class Viewpoint:
    """Projects the world (metres, y up) onto a panel of ``size`` pixels (width, height)."""

    size: tuple[int, int]
    rotation: Float[np.ndarray, "3 3"]
    eye: Float[np.ndarray, " 3"]

    def project(
        self, points: Float[np.ndarray, "*B N 3"]
    ) -> tuple[Float[np.ndarray, "*B N 2"], Float[np.ndarray, "*B N"]]:
        """Pixels (x right, y down) and depth in metres."""
        seen = (points - self.eye) @ self.rotation.T
        depth = -seen[..., 2]
        flat = seen[..., :2] * [1.0, -1.0] / np.maximum(depth, 0.1)[..., None]
        return flat * LENS * self.size[1] + np.array(self.size) / 2, depth


def framing(points: Float[np.ndarray, "N 3"], size: tuple[int, int]) -> Viewpoint:
    """A viewpoint that shows all ``points`` (NaN are ignored) with a margin around them."""
    known = points[np.isfinite(points).all(1)]
    known = _bulk(known) if len(known) else np.array([[-1.0, 0.0, -1.0], [1.0, 1.8, 1.0]])
    turn = _turn()
    seen = known @ turn.T
    middle = (seen.min(0) + seen.max(0)) / 2
    distance = _distance(seen - middle, size)
    for _ in range(3):  # perspective makes near things larger: centre what is seen, then step back as far as needed
        flat = (seen - middle)[:, :2] / (distance - (seen - middle)[:, 2:])
        middle[:2] += (flat.min(0) + flat.max(0)) / 2 * distance
        distance = _distance(seen - middle, size)
    return Viewpoint(size, turn, (middle + np.array([0.0, 0.0, distance])) @ turn)


def _distance(seen: Float[np.ndarray, "N 3"], size: tuple[int, int]) -> float:
    """How far back the eye must be for every point to lie inside the margins."""
    half = np.array([size[0] / size[1], 1.0]) * (0.5 - MARGIN) / LENS
    return float(max((np.abs(seen[:, :2]) / half + seen[:, 2:]).max(), 1.5 / half.min() * 0.5))


def _bulk(points: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, "M 3"]:
    """The points without the farthest outliers, and what they stand on."""
    low, high = np.percentile(points, [OUTLIERS, 100 - OUTLIERS], axis=0)
    inside = points[((points >= low - 0.3) & (points <= high + 0.3)).all(1)]
    return np.concatenate([inside, inside * [1.0, 0.0, 1.0]])


def _turn() -> Float[np.ndarray, "3 3"]:
    """World to view axes (x right, y up, z towards the eye): around the vertical first, then from above."""
    a, e = radians(AZIMUTH), radians(ELEVATION)
    around = np.array([[cos(a), 0, -sin(a)], [0, 1, 0], [sin(a), 0, cos(a)]])
    above = np.array([[1, 0, 0], [0, cos(e), -sin(e)], [0, sin(e), cos(e)]])
    return above @ around
