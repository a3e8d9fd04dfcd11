"""From decoded pictures to upright RGB with square pixels."""

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
class Turn:
    """How a stored picture is laid upright: first ``transpose`` (rows become columns), then the flips."""

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @classmethod
    def of(cls, picture: av.VideoFrame) -> "Turn":
        """Read off a picture's display matrix, to the nearest right angle.

        The matrix maps a stored point (x, y), y down, to (a x + c y, b x + d y); it is stored as 3 × 3 fixed-point
        numbers by rows (a, b, u), (c, d, v), (tx, ty, w). Source: ISO/IEC 14496-12, 8.3.2.
        """
        matrix = picture.side_data.get("DISPLAYMATRIX")
        if not isinstance(matrix, SideData):
            return cls()
        a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32)[:5].tolist()
        if abs(b) + abs(c) > abs(a) + abs(d):
            return cls(transpose=True, flip_x=c < 0, flip_y=b < 0)
        return cls(flip_x=a < 0, flip_y=d < 0)

    @property
    def degrees(self) -> int:
        """Clockwise rotation (0, 90, 180, 270), before the mirroring if ``mirrored``."""
        if self.transpose:
            return 270 if self.flip_y else 90
        return 180 if self.flip_y else 0

    @property
    def mirrored(self) -> bool:
        """Whether left and right change sides after the rotation, as in pictures of some front cameras."""
        return self.transpose ^ self.flip_x ^ self.flip_y

    def __call__(self, image: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "H2 W2 3"]:
        """The image laid upright, contiguous in memory."""
        image = image.swapaxes(0, 1) if self.transpose else image
        image = image[:, ::-1] if self.flip_x else image
        return np.ascontiguousarray(image[::-1] if self.flip_y else image)


class Upright:
    """Converts the pictures of one stream: all come out in the size of the first, whatever the later ones are.

    Pixels that are not square are stretched, never shrunk; transparency is laid over black; pictures that do not
    state their colour matrix are taken for BT.709 from 720 lines on, else for BT.601, as players do.
    """

    def __init__(self, first: av.VideoFrame, pixel_aspect: Fraction) -> None:
        self.turn = Turn.of(first)
        self._stored = (
            round(first.width * max(pixel_aspect, Fraction(1))),
            round(first.height / min(pixel_aspect, Fraction(1))),
        )
        self._convert = VideoReformatter()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels of what comes out."""
        width, height = self._stored
        return (height, width) if self.turn.transpose else (width, height)

    def __call__(self, picture: av.VideoFrame) -> UInt8[np.ndarray, "H W 3"]:
        """The upright RGB image of a decoded picture; the caller may draw on it."""
        if not _has_alpha(picture):
            return self.turn(self._pixels(picture, "rgb24"))
        image = self._pixels(picture, "rgba")
        return self.turn(_over_black(image[..., :3], image[..., 3:]))

    def _pixels(self, picture: av.VideoFrame, layout: str) -> UInt8[np.ndarray, "H W C"]:
        width, height = self._stored
        converted = self._convert.reformat(picture, width, height, layout, src_colorspace=_colour_matrix(picture))
        image = converted.to_ndarray()
        return image.copy() if converted is picture else image


def _has_alpha(picture: av.VideoFrame) -> bool:
    return picture.format.name == "pal8" or any(c.is_alpha for c in picture.format.components)


def _over_black(colour: UInt8[np.ndarray, "H W 3"], alpha: UInt8[np.ndarray, "H W 1"]) -> UInt8[np.ndarray, "H W 3"]:
    return ((np.multiply(colour, alpha, dtype=np.uint16) + 127) // 255).astype(np.uint8)


def _colour_matrix(picture: av.VideoFrame) -> Colorspace | None:
    if picture.format.is_rgb or picture.format.name == "pal8" or picture.colorspace != _UNSPECIFIED:
        return None
    return Colorspace.ITU709 if picture.height >= _HD_LINES else Colorspace.ITU601
