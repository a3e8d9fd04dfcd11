"""Draws anti-aliased lines, discs and polygons on an RGB image, in place.

Coordinates are those of ``fixed``, which converts pixels, with centres at +0.5, all at once.
"""

import cv2
import numpy as np
from jaxtyping import Float, Int32, UInt8

from kinelift.app.render.style import RGB

_SHIFT = 4  # fractional bits of OpenCV's fixed-point coordinates
_FARTHEST = 1e5
_MAX_DASHES = 200
Image = UInt8[np.ndarray, "H W 3"]
Fixed = Int32[np.ndarray, "*N 2"]


def fixed(points: Float[np.ndarray, "*N 2"]) -> Fixed:
    """Convert to OpenCV's fixed-point pixels, whose centres are whole numbers.

    Distant points are clamped; what becomes of NaN is undefined.
    """
    with np.errstate(invalid="ignore"):
        whole = np.rint((np.asarray(points).clip(-_FARTHEST, _FARTHEST) - 0.5) * (1 << _SHIFT))
        converted: Fixed = whole.astype(np.int32)
    return converted


def line(image: Image, start: Fixed, end: Fixed, colour: RGB, width: int) -> None:
    """Draw a straight line with round ends."""
    cv2.line(image, tuple(start), tuple(end), colour, width, cv2.LINE_AA, _SHIFT)


def lines(image: Image, ends: Int32[np.ndarray, "N 2 2"], colour: RGB, width: int) -> None:
    """Draw many straight lines in one colour."""
    if len(ends):
        cv2.polylines(image, list(ends), False, colour, width, cv2.LINE_AA, _SHIFT)


def dashed_line(image: Image, start: Fixed, end: Fixed, colour: RGB, width: int) -> None:
    """Draw a straight line of dashes, three widths long and as far apart."""
    a, step = np.asarray(start, dtype=float), np.subtract(end, start, dtype=float)
    dashes = max(1, min(round(float(np.linalg.norm(step)) / (1 << _SHIFT) / (6 * width)), _MAX_DASHES))
    begins = np.arange(dashes)[:, None] / dashes
    ends = np.stack([a + step * begins, a + step * (begins + 0.5 / dashes)], axis=1)
    lines(image, np.rint(ends).astype(np.int32), colour, width)


def disc(image: Image, centre: Fixed, radius: float, colour: RGB) -> None:
    """Draw a filled circle; its radius is in pixels."""
    cv2.circle(image, tuple(centre), max(1, round(radius * (1 << _SHIFT))), colour, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def hull(points: Int32[np.ndarray, "N 2"]) -> Int32[np.ndarray, "M 2"]:
    """The corners of the convex hull of some points, in order."""
    corners: Int32[np.ndarray, "M 2"] = cv2.convexHull(points)[:, 0]
    return corners


def polygon(image: Image, corners: Fixed, colour: RGB) -> None:
    """Fill a convex polygon."""
    cv2.fillConvexPoly(image, corners, colour, cv2.LINE_AA, _SHIFT)


def outline(image: Image, corners: Fixed, colour: RGB, width: int) -> None:
    """Draw the edges of a polygon, with round corners."""
    cv2.polylines(image, [corners], True, colour, width, cv2.LINE_AA, _SHIFT)
