"""Letterboxing: fit an image into a network's input without changing its proportions, and map coordinates back."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8


@dataclass(frozen=True)
class Letterbox:
    """An image of ``size`` that is scaled to ``content`` and padded on the right and below to ``padded``.

    All sizes are (width, height) in pixels. Rounding makes the scales of the two axes differ slightly; ``undo`` takes
    this into account.
    """

    size: tuple[int, int]
    content: tuple[int, int]
    padded: tuple[int, int]

    @staticmethod
    def fit(width: int, height: int, long_side: int, multiple: int = 32) -> "Letterbox":
        """The letterbox whose longer side is ``long_side`` before both sides are padded to a ``multiple``."""
        scale = long_side / max(width, height)
        content = max(1, round(width * scale)), max(1, round(height * scale))
        return Letterbox((width, height), content, (_round_up(content[0], multiple), _round_up(content[1], multiple)))

    @staticmethod
    def within(width: int, height: int, padded: tuple[int, int]) -> "Letterbox":
        """The letterbox that fills as much as possible of an input of size ``padded``."""
        scale = min(padded[0] / width, padded[1] / height)
        content = max(1, round(width * scale)), max(1, round(height * scale))
        return Letterbox((width, height), content, padded)

    def apply(self, image: UInt8[np.ndarray, "H W 3"], fill: int = 0) -> UInt8[np.ndarray, "H2 W2 3"]:
        """Scale an image and pad it with grey of value ``fill``."""
        smaller = self.content[0] < self.size[0]
        if smaller:
            image = _halved(image, self.content)
        scaled = cv2.resize(image, self.content, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
        out = np.full((self.padded[1], self.padded[0], 3), fill, np.uint8)
        out[: self.content[1], : self.content[0]] = scaled
        return out

    def undo(self, points: Float[np.ndarray, "*many 2"]) -> Float[np.ndarray, "*many 2"]:
        """Map (x, y) in the padded image to (x, y) in the original; pixel centres are at +0.5 in both."""
        original: Float[np.ndarray, "*many 2"] = points * (np.array(self.size) / np.array(self.content))
        return original


def _halved(image: UInt8[np.ndarray, "H W 3"], least: tuple[int, int]) -> UInt8[np.ndarray, "H2 W2 3"]:
    """The image, halved as often as its sides are even and stay at least twice as long as ``least``.

    Means of 2 × 2 pixels are quick, and the means over larger areas are then taken from a quarter of the pixels. They
    are nearly the same: an area that ends within a pair of pixels gets its share of their mean. Where areas are smaller
    than 4 × 4 pixels, that would show: joints would jitter by 8 % more at MoveNet's larger input.
    """
    while all(n >= 4 * side and n % 2 == 0 for n, side in zip(image.shape[1::-1], least, strict=True)):
        image = cv2.resize(image, (image.shape[1] // 2, image.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return image


def _round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple
