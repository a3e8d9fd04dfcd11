"""Draws anti-aliased lines, discs and polygons on an RGB image, in place.

Coordinates are in pixels, with pixel centres at +0.5.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float, Int32, UInt8

from kinelift.app.render.style import RGB

_SHIFT = 4  # fractional bits of OpenCV's fixed-point coordinates
_FARTHEST = 1e5
_MAX_DASHES = 200
Image = UInt8[np.ndarray, "H W 3"]
Point = Float[np.ndarray, " 2"] | Sequence[float]


def line(image: Image, start: Point, end: Point, colour: RGB, width: int) -> None:
    """Draw a straight line with round ends."""
    cv2.line(image, _fixed_point(start), _fixed_point(end), colour, width, cv2.LINE_AA, _SHIFT)


def lines(image: Image, ends: Float[np.ndarray, "N 2 2"], colour: RGB, width: int) -> None:
    """Draw many straight lines in one colour."""
    if len(ends):
        cv2.polylines(image, list(_fixed_points(ends)), False, colour, width, cv2.LINE_AA, _SHIFT)


def dashed_line(image: Image, start: Point, end: Point, colour: RGB, width: int) -> None:
    """Draw a straight line of dashes, three widths long and as far apart."""
    a, b = np.asarray(start, dtype=float), np.asarray(end, dtype=float)
    dashes = max(1, min(round(float(np.linalg.norm(b - a)) / (6 * width)), _MAX_DASHES))
    begins = np.arange(dashes)[:, None] / dashes
    lines(image, np.stack([a + (b - a) * begins, a + (b - a) * (begins + 0.5 / dashes)], axis=1), colour, width)


def disc(image: Image, centre: Point, radius: float, colour: RGB) -> None:
    """Draw a filled circle."""
    fixed_radius = max(1, round(radius * (1 << _SHIFT)))
    cv2.circle(image, _fixed_point(centre), fixed_radius, colour, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def hull(points: Float[np.ndarray, "N 2"]) -> Float[np.ndarray, "M 2"]:
    """The corners of the convex hull of some points, in order."""
    corners: Float[np.ndarray, "M 2"] = cv2.convexHull(points.astype(np.float32))[:, 0].astype(np.float64)
    return corners


def polygon(image: Image, corners: Float[np.ndarray, "N 2"], colour: RGB) -> None:
    """Fill a convex polygon."""
    cv2.fillConvexPoly(image, _fixed_points(corners), colour, cv2.LINE_AA, _SHIFT)


def outline(image: Image, corners: Float[np.ndarray, "N 2"], colour: RGB, width: int) -> None:
    """Draw the edges of a polygon, with round corners."""
    cv2.polylines(image, [_fixed_points(corners)], True, colour, width, cv2.LINE_AA, _SHIFT)


def _fixed_point(point: Point) -> tuple[int, int]:
    """Convert to OpenCV's fixed-point pixels, whose centres are whole numbers; distant points are clamped."""
    x, y = (max(-_FARTHEST, min(_FARTHEST, float(c))) - 0.5 for c in point)
    return round(x * (1 << _SHIFT)), round(y * (1 << _SHIFT))


def _fixed_points(points: Float[np.ndarray, "*N 2"]) -> Int32[np.ndarray, "*N 2"]:
    """As ``_fixed_point``, for many."""
    fixed: Int32[np.ndarray, "*N 2"] = np.round((points.clip(-_FARTHEST, _FARTHEST) - 0.5) * (1 << _SHIFT)).astype(
        np.int32
    )
    return fixed
