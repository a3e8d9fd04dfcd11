"""Cameras: from points in front of them to pixels and back (intrinsics), and where they stand (extrinsics)."""

from dataclasses import astuple, dataclass
from math import inf, isfinite, radians, tan
from typing import Any

import numpy as np
from jaxtyping import Float

from kinelift.poses.errors import SettingsError

DEFAULT_FIELD_OF_VIEW = 55.0
"""Degrees along the longer side of the picture: between a phone's main camera (about 65) and a camcorder."""
STEPS = 100
"""Newton steps at most to undo a distortion; a few do, except at the edge of where that is possible."""
RESIDUAL = 1e-13
"""Distance on the plane z = 1 at which a distortion counts as undone: 1e-10 pixels at a focal length of 1000."""


@dataclass(frozen=True)
class Distortion:
    """Lens distortion on the plane z = 1, by OpenCV's model and names: ``Distortion(*coefficients)`` in its order.

    With r² = x² + y² a point (x, y) moves to (Brown 1966; OpenCV, ``projectPoints``)

        x·(1 + k1·r² + k2·r⁴ + k3·r⁶) + 2·p1·x·y + p2·(r² + 2x²) + s1·r²
        y·(1 + k1·r² + k2·r⁴ + k3·r⁶) + 2·p2·x·y + p1·(r² + 2y²) + s3·r²

    ``s1`` and ``s3`` are OpenCV's first-order thin-prism terms.
    """

    k1: float = 0.0
    k2: float = 0.0
    p1: float = 0.0
    p2: float = 0.0
    k3: float = 0.0
    s1: float = 0.0
    s3: float = 0.0

    def __post_init__(self) -> None:
        if not all(isfinite(number) for number in astuple(self)):
            raise SettingsError(f"{self} has a coefficient that is not a number. Give finite coefficients.")

    @staticmethod
    def human36m(k: tuple[float, float, float], p: tuple[float, float]) -> "Distortion":
        """The model of Human3.6M (its ``ProjectPointRadial``), which is not quite OpenCV's.

        There a point xy moves to xy·(1 + k·(r², r⁴, r⁶) + p1·y + p2·x) + (p2, p1)·r², with half of OpenCV's
        2·(p1·y + p2·x). The same polynomial is OpenCV's with p/2 as tangential and (p2, p1)/2 as prism coefficients.
        (Pavllo et al. 2019 write p·xy and p·r², so their p is (p2, p1).)
        """
        return Distortion(k[0], k[1], p[0] / 2, p[1] / 2, k[2], s1=p[1] / 2, s3=p[0] / 2)

    def apply(self, plane: Float[np.ndarray, "*N 2"]) -> Float[np.ndarray, "*N 2"]:
        """Where the lens moves points of the plane z = 1."""
        return np.stack(moved(plane[..., 0], plane[..., 1], *astuple(self)), -1)

    def undo(self, plane: Float[np.ndarray, "*N 2"]) -> Float[np.ndarray, "*N 2"]:
        """The points that ``apply`` moves to ``plane``, by Newton's method.

        NaN where there are none within ``fold``.
        """
        found = plane.astype(np.float64)
        with np.errstate(all="ignore"):
            for _ in range(STEPS):
                error = self.apply(found) - plane
                (a, b), (c, d) = self._slopes(found)
                step = np.stack([d * error[..., 0] - b * error[..., 1], a * error[..., 1] - c * error[..., 0]], -1)
                found = found - step / (a * d - b * c)[..., None]
                if not (np.abs(error) > RESIDUAL).any():
                    break
            error = np.abs(self.apply(found) - plane).max(-1, initial=0)
            good = (error <= 10 * RESIDUAL) & (np.linalg.norm(found, axis=-1) < self.fold)
        return np.where(good[..., None], found, np.nan)

    @property
    def fold(self) -> float:
        """The radius on the plane z = 1 from which the radial terms lead back inwards: the model ends before it."""
        inverse_squares = np.roots([1.0, 3 * self.k1, 5 * self.k2, 7 * self.k3])
        nearest = inverse_squares[np.isreal(inverse_squares)].real.max(initial=0.0)
        return float(nearest**-0.5) if nearest > 0 else inf

    def _slopes(self, plane: Float[np.ndarray, "*N 2"]) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
        """Derivatives of ``apply``: ((∂x'/∂x, ∂x'/∂y), (∂y'/∂x, ∂y'/∂y))."""
        x, y = plane[..., 0], plane[..., 1]
        square = x * x + y * y
        radial = 1 + square * (self.k1 + square * (self.k2 + square * self.k3))
        growth = 2 * (self.k1 + square * (2 * self.k2 + square * 3 * self.k3))
        shear = growth * x * y + 2 * (self.p1 * x + self.p2 * y)
        return (
            (radial + growth * x * x + 2 * self.p1 * y + (6 * self.p2 + 2 * self.s1) * x, shear + 2 * self.s1 * y),
            (shear + 2 * self.s3 * x, radial + growth * y * y + 2 * self.p2 * x + (6 * self.p1 + 2 * self.s3) * y),
        )


@dataclass(frozen=True)
class Camera:
    """Intrinsics in pixels. Camera axes: x right, y down, z forward.

    ``focal``: one focal length, or one along x and one along y; ``centre``: principal point (x, y) in the coordinates
    of the keypoints.
    """

    focal: float | tuple[float, float]
    centre: tuple[float, float]
    distortion: Distortion | None = None

    def __post_init__(self) -> None:
        if not all(isfinite(focal) and focal > 0 for focal in self.focals):
            raise SettingsError(f"The focal length is {self.focal} pixels; it must be a positive number.")
        if not all(isfinite(place) for place in self.centre):
            raise SettingsError(f"The principal point is {self.centre}; it must be two finite numbers.")

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

    @staticmethod
    def from_parameters(parameters: Float[np.ndarray, " 11"]) -> "Camera":
        """The camera of a ``parameters`` vector."""
        fx, fy, cx, cy, *bend = (float(number) for number in parameters)
        return Camera(fx if fx == fy else (fx, fy), (cx, cy), Distortion(*bend) if any(bend) else None)

    @property
    def focals(self) -> tuple[float, float]:
        """Focal lengths along x and y."""
        return self.focal if isinstance(self.focal, tuple) else (self.focal, self.focal)

    @property
    def parameters(self) -> Float[np.ndarray, " 11"]:
        """fx, fy, cx, cy, k1, k2, p1, p2, k3, s1, s3: the whole camera as numbers, for files and
        ``lifting.losses.terms``.
        """
        return np.array([*self.focals, *self.centre, *astuple(self.distortion or Distortion())])

    def plane(self, points: Float[np.ndarray, "*N 2"]) -> Float[np.ndarray, "*N 2"]:
        """Pixels to the plane z = 1 of the camera frame, the lens' distortion undone.

        NaN for pixels that no point in front of a distorting lens reaches (see ``Distortion.undo``).
        """
        plane = (points - np.asarray(self.centre)) / np.asarray(self.focal)
        return plane if self.distortion is None else self.distortion.undo(plane)

    def project(self, points: Float[np.ndarray, "*N 3"]) -> Float[np.ndarray, "*N 2"]:
        """Points in the camera frame (metres, z > 0) to pixels; NaN for points behind the camera."""
        plane = points[..., :2] / np.where(points[..., 2:] > 0, points[..., 2:], np.nan)
        bent = plane if self.distortion is None else self.distortion.apply(plane)
        return bent * np.asarray(self.focal) + np.asarray(self.centre)


@dataclass(frozen=True, eq=False)
class Extrinsics:
    """Where a camera stands: a world point X has camera coordinates ``rotation`` · (X − ``centre``).

    Rows of ``rotation`` are the camera's axes (right, down, forward) in the world; ``centre`` is its place there in
    metres.
    """

    rotation: Float[np.ndarray, "3 3"]
    centre: Float[np.ndarray, " 3"]

    def __post_init__(self) -> None:
        off = np.abs(self.rotation @ self.rotation.T - np.eye(3)).max()
        if not (off < 1e-6 and np.linalg.det(self.rotation) > 0 and np.isfinite(self.centre).all()):
            raise SettingsError(
                f"These extrinsics are no camera's: rotation {self.rotation.tolist()}, centre {self.centre.tolist()}. "
                f"The rotation must be orthonormal and right-handed, the centre finite."
            )

    @staticmethod
    def from_quaternion(orientation: Float[np.ndarray, " 4"], centre: Float[np.ndarray, " 3"]) -> "Extrinsics":
        """As calibrations of Human3.6M are published: camera = R⁻¹ · (X − ``centre``).

        R is the rotation of ``orientation``, a unit quaternion (w, x, y, z), from camera to world.
        """
        length = float(np.linalg.norm(orientation))
        if not abs(length - 1) < 1e-3:
            raise SettingsError(f"The quaternion {orientation.tolist()} has length {length:.4g}; it must be 1.")
        w, (x, y, z) = orientation[0] / length, orientation[1:] / length
        cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
        return Extrinsics((np.eye(3) + 2 * w * cross + 2 * cross @ cross).T, centre)

    @staticmethod
    def from_translation(rotation: Float[np.ndarray, "3 3"], translation: Float[np.ndarray, " 3"]) -> "Extrinsics":
        """As OpenCV has them: camera = ``rotation`` · X + ``translation``."""
        return Extrinsics(rotation, -rotation.T @ translation)

    def to_camera(self, world: Float[np.ndarray, "*N 3"]) -> Float[np.ndarray, "*N 3"]:
        """World points in the camera's frame (x right, y down, z forward), metres."""
        return (world - self.centre) @ self.rotation.T

    def to_world(self, camera: Float[np.ndarray, "*N 3"]) -> Float[np.ndarray, "*N 3"]:
        """The inverse of ``to_camera``."""
        return camera @ self.rotation + self.centre


def moved(x: Any, y: Any, k1: Any, k2: Any, p1: Any, p2: Any, k3: Any, s1: Any, s3: Any) -> tuple[Any, Any]:
    """The formula of ``Distortion``, for numbers, arrays and tensors alike."""
    square = x * x + y * y
    scale = 1 + square * (k1 + square * (k2 + square * k3)) + 2 * (p1 * y + p2 * x)
    return x * scale + (p2 + s1) * square, y * scale + (p1 + s3) * square
