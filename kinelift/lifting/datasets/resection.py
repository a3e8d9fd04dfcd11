"""Camera calibration (intrinsics, distortion and pose) from 3D points and their image points."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Int

from kinelift.poses.camera import Camera, Distortion, Extrinsics
from kinelift.poses.errors import DataError, SettingsError

MIN_POINTS = 100
"""Points required."""
MAX_POINTS = 2000
"""Points used. More points of a recording add no information."""
MAX_RMS_ERROR = 1.5
"""RMS error in pixels above which the points cannot be those of one camera."""
MIN_EXTENT_RATIO = 0.01
"""Ratio of the smallest to the largest extent of the points, below which they count as coplanar."""
INITIAL_FOCAL = 1.2
"""Initial focal length in image widths. The estimate converges for focal lengths from 0.5 to 4."""
MIN_IMPROVEMENT = 0.95
"""A lens model with more coefficients must reduce the error below this share of the simpler one's."""

_PINHOLE = cv2.CALIB_FIX_K1 | cv2.CALIB_FIX_K2 | cv2.CALIB_FIX_K3 | cv2.CALIB_ZERO_TANGENT_DIST
_LENSES = (_PINHOLE, cv2.CALIB_FIX_K3, 0)
"""From simple to complex: no distortion; k1, k2, p1 and p2; also k3."""


@dataclass(frozen=True, eq=False)
class Resection:
    """A camera, its pose, and the RMS of its reprojection errors in pixels."""

    camera: Camera
    extrinsics: Extrinsics
    residual: float


def resect(world: Float[np.ndarray, "N 3"], pixels: Float[np.ndarray, "N 2"], size: tuple[int, int]) -> Resection:
    """Calibrate a camera.

    Uses ``cv2.calibrateCamera`` (Zhang 2000): a direct linear transform for the pose, then least squares for all
    parameters. A more complex lens model is used only if it clearly reduces the error.

    Args:
        world: 3D points in metres, NaN where unknown.
        pixels: Their image points, NaN where unknown.
        size: Width and height of the image in pixels.

    Raises:
        DataError: The points do not determine a camera, or no camera fits them.
    """
    known = np.isfinite(world).all(-1) & np.isfinite(pixels).all(-1)
    points, image = world[known].astype(np.float64), pixels[known].astype(np.float64)
    _check(points)
    selected = np.linspace(0, len(points) - 1, min(MAX_POINTS, len(points))).round().astype(int)
    best = _fit(points, image, selected, size, _LENSES[0])
    for lens in _LENSES[1:]:
        richer = _fit(points, image, selected, size, lens)
        if richer.residual < MIN_IMPROVEMENT * best.residual:
            best = richer
    if not best.residual < MAX_RMS_ERROR:
        raise DataError(
            f"no camera fits: the smallest error is {best.residual:.1f} pixels, above the limit of {MAX_RMS_ERROR}. "
            f"Give projections of the 3D joints (ground truth) as keypoints, not detections."
        )
    return best


def _check(points: Float[np.ndarray, "N 3"]) -> None:
    if len(points) < MIN_POINTS:
        raise DataError(f"{len(points)} points are too few to calibrate a camera; it needs {MIN_POINTS}.")
    spread = np.linalg.svd(points - points.mean(0), compute_uv=False)
    if spread[2] < MIN_EXTENT_RATIO * spread[0]:
        raise DataError("the points lie in a plane, which does not determine a camera. Add recordings with motion.")


def _fit(
    points: Float[np.ndarray, "N 3"], image: Float[np.ndarray, "N 2"], selected: Int[np.ndarray, " M"],
    size: tuple[int, int], lens: int,
) -> Resection:  # fmt: skip
    """Fit a camera to the ``selected`` points, and compute its errors at all points."""
    mean = points.mean(0)  # OpenCV needs single precision, which is finest near zero
    world, pixels = (points[selected] - mean).astype(np.float32), image[selected].astype(np.float32)
    start = np.array([[INITIAL_FOCAL * size[0], 0, size[0] / 2], [0, INITIAL_FOCAL * size[0], size[1] / 2], [0, 0, 1]])
    flags = lens | cv2.CALIB_USE_INTRINSIC_GUESS
    try:
        _, matrix, coefficients, (rotation_vector,), (shift,) = cv2.calibrateCamera(
            [world], [pixels], size, start, np.zeros(5), flags=flags
        )
        distortion = None if lens == _PINHOLE else Distortion(*coefficients.ravel().tolist())
        (fx, _, cx), (_, fy, cy), _ = matrix.tolist()
        camera = Camera((fx, fy), (cx, cy), distortion)
    except (cv2.error, SettingsError) as error:
        raise DataError(f"no camera fits the points ({error}).") from error
    rotation = cv2.Rodrigues(rotation_vector)[0]
    extrinsics = Extrinsics.from_translation(rotation, shift.ravel() - rotation @ mean)
    errors = np.linalg.norm(camera.project(extrinsics.to_camera(points)) - image, axis=-1)
    return Resection(camera, extrinsics, float(np.sqrt(np.mean(errors**2))))
