"""Square, rotated crops of an image that show one person upright."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from kinelift.poses import Skeleton

_CIRCLE = 1.13
"""Radius of the circle around a person, in distances from the middle of the hips to the farthest joint.

Median over what BlazePose answers for people that MoveNet detected."""
_HIPS, _SHOULDERS = ("left_hip", "right_hip"), ("left_shoulder", "right_shoulder")


@dataclass(frozen=True)
class Crop:
    """A rotated square of an image. Pixel centres are at +0.5.

    Args:
        centre: (x, y) in pixels.
        side: In pixels.
        angle: The direction of the crop's upper side in radians: 0 = up in the image, π/2 = right.
    """

    centre: tuple[float, float]
    side: float
    angle: float = 0.0

    @staticmethod
    def around(
        centre: Float[np.ndarray, " 2"], top: Float[np.ndarray, " 2"], radius: float, margin: float = 1.25
    ) -> "Crop":
        """The crop around a circle, ``margin`` times as wide, in which ``top`` is above ``centre``."""
        x, y = top - centre
        return Crop((float(centre[0]), float(centre[1])), 2 * radius * margin, float(np.arctan2(x, -y)))

    def view(self, image: UInt8[np.ndarray, "H W 3"], size: int) -> UInt8[np.ndarray, "S S 3"]:
        """The crop as ``size`` × ``size`` pixels; black outside the image."""
        matrix = self._matrix(size)
        matrix[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5  # cv2 counts from the centre of the first pixel
        return cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)

    def undo(self, points: Float[np.ndarray, "*many 2"], size: int) -> Float[np.ndarray, "*many 2"]:
        """Map (x, y) in a view of ``size`` × ``size`` pixels to (x, y) in the image."""
        matrix = self._matrix(size)
        original: Float[np.ndarray, "*many 2"] = points @ matrix[:, :2].T + matrix[:, 2]
        return original

    def _matrix(self, size: int) -> Float[np.ndarray, "2 3"]:
        """The affine map from view to image."""
        scale = self.side / size
        cosine, sine = scale * np.cos(self.angle), scale * np.sin(self.angle)
        turn = np.array([[cosine, -sine], [sine, cosine]])
        return np.column_stack([turn, np.array(self.centre) - turn @ [size / 2, size / 2]])


def fresh_crop(points: Float[np.ndarray, "J 2"], box: Float[np.ndarray, " 4"], skeleton: Skeleton) -> Crop:
    """The crop around a person of whom only the first stage's joints and box are known.

    Without hips and shoulders it lies around the box, upright.
    """
    hips, shoulders = (points[[skeleton.index(name) for name in pair]].mean(axis=0) for pair in (_HIPS, _SHOULDERS))
    if not np.isfinite([hips, shoulders]).all():
        hips = (box[:2] + box[2:]) / 2
        points, shoulders = box.reshape(2, 2), hips - [0.0, 1.0]
    radius = _CIRCLE * float(np.nanmax(np.linalg.norm(points - hips, axis=1)))
    return Crop.around(hips, shoulders, max(radius, 1.0))
