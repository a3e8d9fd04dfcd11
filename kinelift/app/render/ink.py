"""Anti-aliased lines, discs and labels on an RGB picture, in place. Coordinates in pixels, pixel centres at +0.5."""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from kinelift.app.render.style import OUTLINE, RGB

_FONT = cv2.FONT_HERSHEY_DUPLEX
_SHIFT = 4
Picture = UInt8[np.ndarray, "H W 3"]
Point = Float[np.ndarray, " 2"] | Sequence[float]


def line(picture: Picture, start: Point, end: Point, colour: RGB, width: int) -> None:
    """A straight line."""
    cv2.line(picture, _fixed(start), _fixed(end), colour, width, cv2.LINE_AA, _SHIFT)


def disc(picture: Picture, centre: Point, radius: float, colour: RGB) -> None:
    """A filled circle."""
    cv2.circle(picture, _fixed(centre), max(1, round(radius * (1 << _SHIFT))), colour, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def polygon(picture: Picture, corners: Float[np.ndarray, "N 2"], colour: RGB) -> None:
    """A filled convex polygon."""
    fixed = np.array([_fixed(c) for c in corners], dtype=np.int32)
    cv2.fillConvexPoly(picture, fixed, colour, cv2.LINE_AA, _SHIFT)


def label(picture: Picture, text: str, anchor: Point, colour: RGB, scale: float) -> None:
    """``text`` on a dark plate with an edge of ``colour``, centred above ``anchor`` but kept inside the picture."""
    height, width = picture.shape[:2]
    thick = max(1, round(scale * 1.6))
    (text_width, text_height), base = cv2.getTextSize(text, _FONT, scale, thick)
    pad = max(2, round(text_height * 0.45))
    plate = np.array([text_width + 2 * pad, text_height + base + pad])
    corner = np.array([anchor[0] - plate[0] / 2, anchor[1] - plate[1]])
    x, y = np.clip(corner, 0, np.maximum([width - plate[0], height - plate[1]], 0)).astype(int)
    plate_area = picture[y : y + plate[1], x : x + plate[0]]
    plate_area[:] = (plate_area * 0.3 + np.array(OUTLINE) * 0.7).astype(np.uint8)
    plate_area[-max(1, pad // 3) :] = colour
    cv2.putText(picture, text, (x + pad, y + pad // 2 + text_height), _FONT, scale, (255, 255, 255), thick, cv2.LINE_AA)


def _fixed(point: Point) -> tuple[int, int]:
    """Pixels to OpenCV's fixed point, whose pixel centres lie at whole numbers. Far points are drawn far outside."""
    x, y = (max(-1e5, min(1e5, float(c))) - 0.5 for c in point)
    return round(x * (1 << _SHIFT)), round(y * (1 << _SHIFT))
