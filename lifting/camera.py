"""The camera of a user's video: a pinhole with square pixels and its principal point in the middle."""

from dataclasses import dataclass
from math import isfinite, radians, tan

import numpy as np
from jaxtyping import Float

from poses.errors import SettingsError

DEFAULT_FIELD_OF_VIEW = 55.0
"""Degrees along the longer side of the picture: between a phone's main camera (about 65) and a camcorder."""


@dataclass(frozen=True)
class Camera:
    """Intrinsics in pixels: one focal length, principal point ``centre`` (x, y).

    Camera axes: x right, y down, z forward.
    """

    focal: float
    centre: tuple[float, float]

    def __post_init__(self) -> None:
        if not (isfinite(self.focal) and self.focal > 0):
            raise SettingsError(f"The focal length is {self.focal} pixels; it must be a positive number.")

    @staticmethod
    def from_focal(pixels: float, size: tuple[int, int]) -> "Camera":
        """A camera of known focal length for pictures of ``size`` (width, height)."""
        return Camera(pixels, (size[0] / 2, size[1] / 2))

    @staticmethod
    def from_field_of_view(degrees: float, size: tuple[int, int]) -> "Camera":
        """A camera that sees ``degrees`` along the longer side of pictures of ``size`` (width, height)."""
        if not 1 <= degrees <= 170:
            raise SettingsError(f"A field of view of {degrees}° is out of range. Give one between 1° and 170°.")
        return Camera.from_focal(max(size) / 2 / tan(radians(degrees) / 2), size)

    def plane(self, points: Float[np.ndarray, "*N 2"]) -> Float[np.ndarray, "*N 2"]:
        """Pixels to the plane z = 1 of the camera frame."""
        return (points - np.asarray(self.centre)) / self.focal

    def project(self, points: Float[np.ndarray, "*N 3"]) -> Float[np.ndarray, "*N 2"]:
        """Points in the camera frame (metres, z > 0) to pixels; NaN for points behind the camera."""
        depth = np.where(points[..., 2:] > 0, points[..., 2:], np.nan)
        return points[..., :2] / depth * self.focal + np.asarray(self.centre)
