"""Draws anti-aliased lines, discs and labels on an RGB image, in place.

Coordinates are in pixels, with pixel centres at +0.5.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from kinelift.app.render.style import OUTLINE, RGB

_FONT = cv2.FONT_HERSHEY_DUPLEX
_SHIFT = 4  # fractional bits of OpenCV's fixed-point coordinates
_MAX_DASHES = 200
Image = UInt8[np.ndarray, "H W 3"]
Point = Float[np.ndarray, " 2"] | Sequence[float]


def line(image: Image, start: Point, end: Point, colour: RGB, width: int) -> None:
    """Draw a straight line."""
    cv2.line(image, _fixed_point(start), _fixed_point(end), colour, width, cv2.LINE_AA, _SHIFT)


def dashed_line(image: Image, start: Point, end: Point, colour: RGB, width: int) -> None:
    """Draw a straight line of dashes, three widths long and as far apart."""
    a, b = np.asarray(start, dtype=float), np.asarray(end, dtype=float)
    dashes = max(1, min(round(float(np.linalg.norm(b - a)) / (6 * width)), _MAX_DASHES))
    for k in range(dashes):
        line(image, a + (b - a) * k / dashes, a + (b - a) * (k + 0.5) / dashes, colour, width)


def disc(image: Image, centre: Point, radius: float, colour: RGB) -> None:
    """Draw a filled circle."""
    fixed_radius = max(1, round(radius * (1 << _SHIFT)))
    cv2.circle(image, _fixed_point(centre), fixed_radius, colour, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def polygon(image: Image, corners: Float[np.ndarray, "N 2"], colour: RGB) -> None:
    """Draw a filled convex polygon."""
    fixed = np.array([_fixed_point(corner) for corner in corners], dtype=np.int32)
    cv2.fillConvexPoly(image, fixed, colour, cv2.LINE_AA, _SHIFT)


def label(image: Image, text: str, anchor: Point, colour: RGB, scale: float) -> None:
    """Draw a text on a dark box with a coloured bottom edge.

    Args:
        image: The image to draw on.
        text: The text.
        anchor: Bottom centre of the box; the box is moved to lie inside the image.
        colour: Colour of the bottom edge.
        scale: Font scale of OpenCV.
    """
    height, width = image.shape[:2]
    thickness = max(1, round(scale * 1.6))
    (text_width, text_height), baseline = cv2.getTextSize(text, _FONT, scale, thickness)
    pad = max(2, round(text_height * 0.45))
    box = np.array([text_width + 2 * pad, text_height + baseline + pad])
    corner = np.array([anchor[0] - box[0] / 2, anchor[1] - box[1]])
    x, y = np.clip(corner, 0, np.maximum([width - box[0], height - box[1]], 0)).astype(int)
    area = image[y : y + box[1], x : x + box[0]]
    area[:] = (area * 0.3 + np.array(OUTLINE) * 0.7).astype(np.uint8)
    area[-max(1, pad // 3) :] = colour
    origin = (x + pad, y + pad // 2 + text_height)
    cv2.putText(image, text, origin, _FONT, scale, (255, 255, 255), thickness, cv2.LINE_AA)


def _fixed_point(point: Point) -> tuple[int, int]:
    """Convert to OpenCV's fixed-point pixels, whose centres are whole numbers; distant points are clamped."""
    x, y = (max(-1e5, min(1e5, float(c))) - 0.5 for c in point)
    return round(x * (1 << _SHIFT)), round(y * (1 << _SHIFT))
