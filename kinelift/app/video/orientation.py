"""Converts decoded frames to upright RGB images with square pixels."""

from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.sidedata.sidedata import SideData
from av.video.reformatter import Colorspace, VideoReformatter
from jaxtyping import UInt8

_UNSPECIFIED = 2  # AVCOL_SPC_UNSPECIFIED
_HD_LINES = 720


@dataclass(frozen=True)
class Orientation:
    """How a stored image is turned upright: first a transposition (rows become columns), then the flips."""

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @classmethod
    def of(cls, frame: av.VideoFrame) -> "Orientation":
        """Read the display matrix of a frame, rounded to the nearest right angle.

        The matrix maps a stored point (x, y), y down, to (a x + c y, b x + d y). It is stored as 3 × 3 fixed-point
        numbers by rows: (a, b, u), (c, d, v), (tx, ty, w). Source: ISO/IEC 14496-12, 8.3.2.
        """
        matrix = frame.side_data.get("DISPLAYMATRIX")
        if not isinstance(matrix, SideData):
            return cls()
        a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32)[:5].tolist()
        if abs(b) + abs(c) > abs(a) + abs(d):
            return cls(transpose=True, flip_x=c < 0, flip_y=b < 0)
        return cls(flip_x=a < 0, flip_y=d < 0)

    @property
    def degrees(self) -> int:
        """Clockwise rotation (0, 90, 180, 270), applied before any mirroring."""
        if self.transpose:
            return 270 if self.flip_y else 90
        return 180 if self.flip_y else 0

    @property
    def mirrored(self) -> bool:
        """Whether the image is mirrored after the rotation, as by some front cameras."""
        return self.transpose ^ self.flip_x ^ self.flip_y

    def apply(self, image: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "H2 W2 3"]:
        """Turn an image upright; the result is contiguous in memory."""
        image = image.swapaxes(0, 1) if self.transpose else image
        image = image[:, ::-1] if self.flip_x else image
        return np.ascontiguousarray(image[::-1] if self.flip_y else image)


class FrameConverter:
    """Converts the frames of one stream to upright RGB images, all of the size of the first frame.

    Pixels that are not square are stretched, never shrunk. Transparent pixels are composited over black. Frames that do
    not state their colour matrix are read as BT.709 from 720 lines up, otherwise as BT.601, as players do.

    Args:
        first: The first frame of the stream.
        pixel_aspect: Width of a stored pixel over its height.
    """

    def __init__(self, first: av.VideoFrame, pixel_aspect: Fraction) -> None:
        self.orientation = Orientation.of(first)
        self._stored_size = (
            round(first.width * max(pixel_aspect, Fraction(1))),
            round(first.height / min(pixel_aspect, Fraction(1))),
        )
        self._reformatter = VideoReformatter()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright images in pixels."""
        width, height = self._stored_size
        return (height, width) if self.orientation.transpose else (width, height)

    def __call__(self, frame: av.VideoFrame) -> UInt8[np.ndarray, "H W 3"]:
        """Convert a decoded frame; the caller may draw on the result."""
        if not _has_alpha(frame):
            return self.orientation.apply(self._pixels(frame, "rgb24"))
        image = self._pixels(frame, "rgba")
        return self.orientation.apply(_over_black(image[..., :3], image[..., 3:]))

    def _pixels(self, frame: av.VideoFrame, layout: str) -> UInt8[np.ndarray, "H W C"]:
        width, height = self._stored_size
        converted = self._reformatter.reformat(frame, width, height, layout, src_colorspace=_colour_matrix(frame))
        image: UInt8[np.ndarray, "H W C"] = converted.to_ndarray()
        return image.copy() if converted is frame else image


def _has_alpha(frame: av.VideoFrame) -> bool:
    return frame.format.name == "pal8" or any(c.is_alpha for c in frame.format.components)


def _over_black(colour: UInt8[np.ndarray, "H W 3"], alpha: UInt8[np.ndarray, "H W 1"]) -> UInt8[np.ndarray, "H W 3"]:
    composited: UInt8[np.ndarray, "H W 3"] = ((np.multiply(colour, alpha, dtype=np.uint16) + 127) // 255).astype(
        np.uint8
    )
    return composited


def _colour_matrix(frame: av.VideoFrame) -> Colorspace | None:
    if frame.format.is_rgb or frame.format.name == "pal8" or frame.colorspace != _UNSPECIFIED:
        return None
    return Colorspace.ITU709 if frame.height >= _HD_LINES else Colorspace.ITU601
