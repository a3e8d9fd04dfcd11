"""Square, turned pieces of a picture that show one person upright."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8


@dataclass(frozen=True)
class Crop:
    """A square of a picture: ``centre`` (x, y) and ``side`` in pixels, turned by ``angle`` radians.

    ``angle`` says where the crop's upper side points: 0 = up in the picture, π/2 = right. Pixel centres at +0.5.
    """

    centre: tuple[float, float]
    side: float
    angle: float = 0.0

    @staticmethod
    def around(
        centre: Float[np.ndarray, " 2"], top: Float[np.ndarray, " 2"], radius: float, margin: float = 1.25
    ) -> "Crop":
        """The crop around a circle, ``margin`` times as wide, that shows the way from ``centre`` to ``top`` upwards."""
        x, y = top - centre
        return Crop((float(centre[0]), float(centre[1])), 2 * radius * margin, float(np.arctan2(x, -y)))

    def view(self, image: UInt8[np.ndarray, "H W 3"], size: int) -> UInt8[np.ndarray, "S S 3"]:
        """What the crop shows, as ``size`` × ``size`` pixels; black outside of the picture."""
        matrix = self._matrix(size)
        matrix[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5  # cv2 counts from the centre of the first pixel
        return cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)

    def undo(self, points: Float[np.ndarray, "*many 2"], size: int) -> Float[np.ndarray, "*many 2"]:
        """(x, y) in a view of ``size`` × ``size`` pixels to (x, y) in the picture."""
        matrix = self._matrix(size)
        return points @ matrix[:, :2].T + matrix[:, 2]

    def _matrix(self, size: int) -> Float[np.ndarray, "2 3"]:
        """From view to picture."""
        scale = self.side / size
        cosine, sine = scale * np.cos(self.angle), scale * np.sin(self.angle)
        turn = np.array([[cosine, -sine], [sine, cosine]])
        return np.column_stack([turn, np.array(self.centre) - turn @ [size / 2, size / 2]])
