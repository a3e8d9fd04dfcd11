"""Writes text on RGB images, in any script that OpenCV's own fonts have; other characters are escaped."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from kinelift.app.render.style import OUTLINE, RGB, TEXT
from kinelift.terminal.escapes import escaped

Image = UInt8[np.ndarray, "H W 3"]
Point = Float[np.ndarray, " 2"] | Sequence[float]
_WEIGHT = 500
"""Between regular (400) and bold (700)."""
_SAMPLE = 32
"""Side in pixels of the image on which a character is tried."""


def write(image: Image, words: str, left: float, baseline: float, height: float, colour: RGB = TEXT) -> None:
    """Write a text of one line.

    Args:
        image: The image to write on.
        words: The text; characters that the fonts lack are escaped.
        left: Where the text begins, in pixels.
        baseline: Where its letters stand, in pixels.
        height: Font size in pixels.
        colour: Colour of the letters.
    """
    place, size = (round(left), round(baseline)), _size(height)
    cv2.putText(image, legible(words), place, colour, _font(), size, _WEIGHT)


def width_of(words: str, height: float) -> int:
    """The width in pixels of a text as ``write`` shows it."""
    _, _, width, _ = cv2.getTextSize((1, 1), legible(words), (0, 0), _font(), _size(height), _WEIGHT)
    return int(width)


def label(image: Image, words: str, anchor: Point, colour: RGB, height: float) -> None:
    """Write a text on a dark box with a coloured bottom edge.

    Args:
        image: The image to draw on.
        words: The text.
        anchor: Bottom centre of the box in pixels; the box is moved to lie inside the image.
        colour: Colour of the bottom edge.
        height: Font size in pixels.
    """
    pad = max(2, round(0.3 * height))
    box = np.array([width_of(words, height) + 2 * pad, round(1.1 * height) + pad])
    corner = np.array([anchor[0] - box[0] / 2, anchor[1] - box[1]])
    x, y = np.clip(corner, 0, np.maximum(image.shape[1::-1] - box, 0)).astype(int).tolist()
    area = image[y : y + box[1], x : x + box[0]]
    cv2.addWeighted(area, 0.3, np.broadcast_to(np.array(OUTLINE, np.uint8), area.shape), 0.7, 0, dst=area)
    area[-max(1, pad // 2) :] = colour
    write(image, words, x + pad, y + 0.35 * pad + 0.9 * height, height)


@lru_cache(maxsize=1024)
def legible(words: str) -> str:
    r"""Escape characters that the fonts lack and control characters, as ``\u0939``."""
    return "".join(one if one.isprintable() and _is_known(one) else escaped(one) for one in words)


@lru_cache(maxsize=4096)
def _is_known(character: str) -> bool:
    """Whether the fonts have a character. OpenCV draws a question mark for those that they lack."""
    return character in "? " or not np.array_equal(_drawn(character), _drawn("?"))


def _drawn(character: str) -> np.ndarray:
    image = np.zeros((_SAMPLE, _SAMPLE), np.uint8)
    cv2.putText(image, character, (2, _SAMPLE - 8), 255, _font(), _SAMPLE // 2, _WEIGHT)
    return image


def _size(height: float) -> int:
    return max(6, round(height))


@lru_cache(maxsize=1)
def _font() -> Any:
    """OpenCV's sans-serif font, which takes what it lacks from a second one with many scripts."""
    return cv2.FontFace("sans")
