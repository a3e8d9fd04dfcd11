"""Keeps all pictures of a video in the size of the first, also where the size changes on the way."""

from fractions import Fraction

import av
import cv2
import numpy as np
from jaxtyping import UInt8

from kinelift.app.video.orientation import FrameConverter


class SizeKeeper:
    """Converts frames to upright RGB images of one size.

    A picture of another size is scaled into it with its own shape, and bordered in black.

    Args:
        first: The first frame of the stream.
        pixel_aspect: Width of a stored pixel over its height.

    Attributes:
        changes: The times (s) at which the size changed, and the sizes from then on.
    """

    def __init__(self, first: av.VideoFrame, pixel_aspect: Fraction) -> None:
        self._aspect = pixel_aspect
        self._stored = (first.width, first.height)
        self._converter = FrameConverter(first, pixel_aspect)
        self.size = self._converter.size
        self.changes: list[tuple[Fraction, tuple[int, int]]] = []

    def __call__(self, frame: av.VideoFrame, time: Fraction) -> UInt8[np.ndarray, "H W 3"]:
        """The upright image; the caller may draw on it."""
        if (frame.width, frame.height) != self._stored:
            self._stored = (frame.width, frame.height)
            self._converter = FrameConverter(frame, self._aspect)
            self.changes.append((time, self._converter.size))
        image = self._converter(frame)
        return image if self._converter.size == self.size else fitted(image, self.size)


def fitted(image: UInt8[np.ndarray, "H W 3"], size: tuple[int, int]) -> UInt8[np.ndarray, "H2 W2 3"]:
    """An image scaled into another size (width, height) without a change of its shape, bordered in black."""
    height, width = image.shape[:2]
    scale = min(size[0] / width, size[1] / height)
    inner = (max(round(width * scale), 1), max(round(height * scale), 1))
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    left, top = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(image, inner, interpolation=cv2.INTER_AREA)
    return canvas
