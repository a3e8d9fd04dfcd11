"""Camera models: intrinsics with lens distortion, which map camera coordinates to pixels, and extrinsics."""

from dataclasses import astuple, dataclass, field, replace
from math import cos, inf, isfinite, radians, tan
from typing import Any

import numpy as np
from jaxtyping import Float

from kinelift.poses.errors import SettingsError, ShapeError

DEFAULT_FIELD_OF_VIEW = 55.0
"""Degrees along the longer side of the picture: between a phone's main camera (about 65) and a camcorder."""
MAX_NEWTON_STEPS = 100
"""Limit of steps to undo a distortion. A few suffice, except near the radius at which the model folds."""
TOLERANCE = 1e-13
"""Residual on the plane z = 1 at which a distortion counts as undone: 1e-10 px at a focal length of 1000 px."""
MAX_RAY_ANGLE = 65.0
"""Degrees from the reference axis up to which a turning camera's pixels are mapped: the plane z = 1 ends at 90°."""
ROUNDING = 1e-6
"""Limit of a rotation matrix's deviation from orthonormal."""


@dataclass(frozen=True)
class Distortion:
    """Lens distortion on the plane z = 1. Model, names and order of the coefficients are OpenCV's.

    With r² = x² + y², a point (x, y) moves to

        x·(1 + k1·r² + k2·r⁴ + k3·r⁶) + 2·p1·x·y + p2·(r² + 2x²) + s1·r²
        y·(1 + k1·r² + k2·r⁴ + k3·r⁶) + 2·p2·x·y + p1·(r² + 2y²) + s3·r²

    ``s1`` and ``s3`` are OpenCV's first-order thin-prism terms. Sources: Brown, Decentering distortion of lenses, 1966;
    OpenCV, ``projectPoints``.
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
            raise SettingsError(f"{self} has a coefficient that is not finite. Give finite coefficients.")

    @staticmethod
    def human36m(k: tuple[float, float, float], p: tuple[float, float]) -> "Distortion":
        """The distortion of a Human3.6M calibration, whose model differs slightly from OpenCV's.

        There a point xy moves to xy·(1 + k·(r², r⁴, r⁶) + p1·y + p2·x) + (p2, p1)·r², where OpenCV has
        2·(p1·y + p2·x). OpenCV's model gives the same polynomial with p/2 as tangential and (p2, p1)/2 as prism
        coefficients. Source: ``ProjectPointRadial`` of Human3.6M's code. (Pavllo et al. 2019 write p·xy and p·r², so
        their p is (p2, p1).)
        """
        return Distortion(k[0], k[1], p[0] / 2, p[1] / 2, k[2], s1=p[1] / 2, s3=p[0] / 2)

    def apply(self, plane: Float[np.ndarray, "*N 2"]) -> Float[np.ndarray, "*N 2"]:
        """Distort points of the plane z = 1."""
        return np.stack(distort(plane[..., 0], plane[..., 1], *astuple(self)), -1)

    def undo(self, plane: Float[np.ndarray, "*N 2"]) -> Float[np.ndarray, "*N 2"]:
        """Undistort points of the plane z = 1 by Newton's method.

        Returns:
            The points that ``apply`` moves to ``plane``; NaN where there is none within the radius ``fold``.
        """
        estimate = plane.astype(np.float64)
        with np.errstate(all="ignore"):
            for _ in range(MAX_NEWTON_STEPS):
                residual = self.apply(estimate) - plane
                (a, b), (c, d) = self._jacobian(estimate)
                rx, ry = residual[..., 0], residual[..., 1]
                step = np.stack([d * rx - b * ry, a * ry - c * rx], -1)
                estimate = estimate - step / (a * d - b * c)[..., None]
                if not (np.abs(residual) > TOLERANCE).any():
                    break
            distance = np.abs(self.apply(estimate) - plane).max(-1, initial=0)
            converged = (distance <= 10 * TOLERANCE) & (np.linalg.norm(estimate, axis=-1) < self.fold)
        return np.where(converged[..., None], estimate, np.nan)

    @property
    def fold(self) -> float:
        """The radius on the plane z = 1 beyond which the radial terms decrease, so that the model is not valid."""
        inverse_squares = np.roots([1.0, 3 * self.k1, 5 * self.k2, 7 * self.k3])
        nearest = inverse_squares[np.isreal(inverse_squares)].real.max(initial=0.0)
        return float(nearest**-0.5) if nearest > 0 else inf

    def _jacobian(self, plane: Float[np.ndarray, "*N 2"]) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
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
    """Intrinsics in pixels, and how the camera turns. Camera axes: x right, y down, z forward.

    Poses have the reference axes of the camera: its own, unless it turns.

    Attributes:
        focal: One focal length, or one along x and one along y.
        centre: Principal point (x, y) in the coordinates of the keypoints.
        distortion: None for a lens without distortion.
        rotations: For every frame of the video, or of the track (``during``), the rotation from the camera's axes to
            the reference axes; None for a camera that does not turn.
    """

    focal: float | tuple[float, float]
    centre: tuple[float, float]
    distortion: Distortion | None = None
    rotations: Float[np.ndarray, "F 3 3"] | None = field(default=None, hash=False, repr=False)

    def __post_init__(self) -> None:
        if self.rotations is not None and not are_rotations(self.rotations):
            raise SettingsError("The camera's rotations are not all orthonormal and right-handed 3 × 3 matrices.")
        if not all(isfinite(focal) and focal > 0 for focal in self.focals):
            raise SettingsError(f"The focal length is {self.focal} pixels; it must be a positive number.")
        if not all(isfinite(coordinate) for coordinate in self.centre):
            raise SettingsError(f"The principal point is {self.centre}; it must be two finite numbers.")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Camera):
            return NotImplemented
        one, two = ((camera.focal, camera.centre, camera.distortion) for camera in (self, other))
        if self.rotations is None or other.rotations is None:
            return one == two and self.rotations is other.rotations
        return one == two and np.array_equal(self.rotations, other.rotations)

    @staticmethod
    def from_focal(pixels: float, size: tuple[int, int]) -> "Camera":
        """A camera of known focal length, with the principal point at the centre of pictures of ``size``.

        Args:
            pixels: Focal length, px.
            size: (width, height) of the pictures, px.
        """
        return Camera(pixels, (size[0] / 2, size[1] / 2))

    @staticmethod
    def from_field_of_view(degrees: float, size: tuple[int, int]) -> "Camera":
        """A camera of known field of view.

        Args:
            degrees: Field of view along the longer side of the pictures, 1-170.
            size: (width, height) of the pictures, px.

        Raises:
            SettingsError: The field of view is out of range.
        """
        if not 1 <= degrees <= 170:
            raise SettingsError(f"A field of view of {degrees}° is out of range. Give one between 1° and 170°.")
        return Camera.from_focal(max(size) / 2 / tan(radians(degrees) / 2), size)

    @staticmethod
    def from_parameters(parameters: Float[np.ndarray, " 11"]) -> "Camera":
        """The camera with these ``parameters``."""
        fx, fy, cx, cy, *coefficients = (float(number) for number in parameters)
        distortion = Distortion(*coefficients) if any(coefficients) else None
        return Camera(fx if fx == fy else (fx, fy), (cx, cy), distortion)

    @property
    def focals(self) -> tuple[float, float]:
        """Focal lengths along x and y, px."""
        return self.focal if isinstance(self.focal, tuple) else (self.focal, self.focal)

    @property
    def parameters(self) -> Float[np.ndarray, " 11"]:
        """The camera as numbers: fx, fy, cx, cy, k1, k2, p1, p2, k3, s1, s3."""
        return np.array([*self.focals, *self.centre, *astuple(self.distortion or Distortion())])

    def during(self, start: int, stop: int) -> "Camera":
        """The camera for the frames from ``start`` to ``stop`` (exclusive)."""
        return self if self.rotations is None else replace(self, rotations=self.rotations[start:stop])

    @property
    def still(self) -> "Camera":
        """This camera, held at the reference axes."""
        return self if self.rotations is None else replace(self, rotations=None)

    def plane(self, points: Float[np.ndarray, "*N 2"]) -> Float[np.ndarray, "*N 2"]:
        """Map pixels to the plane z = 1 of the reference axes, with the lens distortion undone.

        Args:
            points: Pixels; for a camera that turns, the first axis is the frames of ``rotations``.

        Returns:
            (x, y) on the plane; NaN for pixels that no point reaches through the lens (see ``Distortion.undo``), and
            more than ``MAX_RAY_ANGLE`` away from the reference axis of a camera that turns.

        Raises:
            ShapeError: ``rotations`` has another number of frames than ``points``.
        """
        plane: Float[np.ndarray, "*N 2"] = (points - np.asarray(self.centre)) / np.asarray(self.focal)
        plane = plane if self.distortion is None else self.distortion.undo(plane)
        if self.rotations is None:
            return plane
        rays = np.concatenate([plane, np.ones_like(plane[..., :1])], -1)
        rays = np.einsum("f...c,fdc->f...d", rays, self._rotations_of(points))
        far = rays[..., 2] < cos(radians(MAX_RAY_ANGLE)) * np.linalg.norm(rays, axis=-1)
        depth = np.where(far, np.nan, rays[..., 2])
        return np.asarray(rays[..., :2] / depth[..., None])

    def project(self, points: Float[np.ndarray, "*N 3"]) -> Float[np.ndarray, "*N 2"]:
        """Project points in the reference axes (metres) to pixels; NaN for points that are not in front (z ≤ 0).

        Raises:
            ShapeError: ``rotations`` has another number of frames than ``points``.
        """
        if self.rotations is not None:
            points = np.einsum("f...c,fcd->f...d", points, self._rotations_of(points))
        plane = points[..., :2] / np.where(points[..., 2:] > 0, points[..., 2:], np.nan)
        distorted = plane if self.distortion is None else self.distortion.apply(plane)
        pixels: Float[np.ndarray, "*N 2"] = distorted * np.asarray(self.focal) + np.asarray(self.centre)
        return pixels

    def _rotations_of(self, points: Float[np.ndarray, "*N C"]) -> Float[np.ndarray, "F 3 3"]:
        assert self.rotations is not None
        if points.ndim < 2 or len(points) != len(self.rotations):
            raise ShapeError(
                f"Points of shape {points.shape} do not fit a camera with rotations of {len(self.rotations)} frames."
            )
        return self.rotations


@dataclass(frozen=True, eq=False)
class Extrinsics:
    """The pose of a camera: a world point X has camera coordinates ``rotation`` · (X − ``centre``).

    Attributes:
        rotation: Orthonormal; its rows are the camera's axes (right, down, forward) in the world.
        centre: The camera's position in the world, metres.
    """

    rotation: Float[np.ndarray, "3 3"]
    centre: Float[np.ndarray, " 3"]

    def __post_init__(self) -> None:
        if not (are_rotations(self.rotation) and np.isfinite(self.centre).all()):
            raise SettingsError(
                f"Invalid extrinsics: rotation {self.rotation.tolist()}, centre {self.centre.tolist()}. "
                f"The rotation must be orthonormal and right-handed, the centre finite."
            )

    @staticmethod
    def from_translation(rotation: Float[np.ndarray, "3 3"], translation: Float[np.ndarray, " 3"]) -> "Extrinsics":
        """Extrinsics as OpenCV gives them: camera = ``rotation`` · X + ``translation`` (metres)."""
        return Extrinsics(rotation, -rotation.T @ translation)

    def to_camera(self, world: Float[np.ndarray, "*N 3"]) -> Float[np.ndarray, "*N 3"]:
        """World points in the camera frame (x right, y down, z forward), metres."""
        points: Float[np.ndarray, "*N 3"] = (world - self.centre) @ self.rotation.T
        return points


def are_rotations(matrices: Float[np.ndarray, "*N 3 3"]) -> bool:
    """Whether all matrices are rotations: finite, orthonormal and right-handed."""
    if not np.isfinite(matrices).all():
        return False
    deviation = np.abs(matrices @ matrices.swapaxes(-1, -2) - np.eye(3)).max(initial=0.0)
    return bool(deviation < ROUNDING and (np.linalg.det(matrices) > 0).all())


def distort(x: Any, y: Any, k1: Any, k2: Any, p1: Any, p2: Any, k3: Any, s1: Any, s3: Any) -> tuple[Any, Any]:
    """The formula of ``Distortion``, for numbers, arrays and tensors alike."""
    square = x * x + y * y
    scale = 1 + square * (k1 + square * (k2 + square * k3)) + 2 * (p1 * y + p2 * x)
    return x * scale + (p2 + s1) * square, y * scale + (p1 + s3) * square
