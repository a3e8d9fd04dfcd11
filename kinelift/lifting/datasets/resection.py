"""Where a camera stood and what its lens is like, from points of the room and their places in its picture."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Int

from kinelift.poses.camera import Camera, Distortion, Extrinsics
from kinelift.poses.errors import DataError, SettingsError

FEWEST = 100
"""Points that are needed."""
MOST = 2000
"""Points that are used; more of a recording say nothing new."""
WORST = 1.5
"""Root-mean-square error in pixels beyond which the points are not those of one camera."""
FLAT = 0.01
"""Extent of the points in their thinnest direction, as a share of the largest, below which they count as flat."""
START = 1.2
"""Focal length to start from, in picture widths. Anything from 0.5 to 4 is found from there."""
GAIN = 0.95
"""A lens model with more coefficients must bring the error below this share of the simpler one's."""

_PINHOLE = cv2.CALIB_FIX_K1 | cv2.CALIB_FIX_K2 | cv2.CALIB_FIX_K3 | cv2.CALIB_ZERO_TANGENT_DIST
_LENSES = (_PINHOLE, cv2.CALIB_FIX_K3, 0)
"""From simple to rich: no distortion; k1, k2, p1, p2; also k3."""


@dataclass(frozen=True, eq=False)
class Resection:
    """A camera, its place, and the root-mean-square and largest error of its projections in pixels."""

    camera: Camera
    place: Extrinsics
    residual: float
    largest: float


def resect(world: Float[np.ndarray, "N 3"], pixels: Float[np.ndarray, "N 2"], size: tuple[int, int]) -> Resection:
    """The camera with pictures of ``size`` that sees the points ``world`` (metres) at ``pixels``; NaN = not known.

    By ``cv2.calibrateCamera`` (Zhang 2000): a direct linear transform for the place, then least squares for all. The
    simplest lens wins that a richer one does not clearly surpass. Raises ``DataError`` if the points do not determine
    a camera, or if none fits them.
    """
    known = np.isfinite(world).all(-1) & np.isfinite(pixels).all(-1)
    points, places = world[known].astype(np.float64), pixels[known].astype(np.float64)
    _check(points)
    chosen = np.linspace(0, len(points) - 1, min(MOST, len(points))).round().astype(int)
    best = _fitted(points, places, chosen, size, _LENSES[0])
    for lens in _LENSES[1:]:
        richer = _fitted(points, places, chosen, size, lens)
        if richer.residual < GAIN * best.residual:
            best = richer
    if not best.residual < WORST:
        raise DataError(
            f"no camera fits: the best one is {best.residual:.1f} pixels off, and {WORST} is the limit. To find it, "
            f"keypoints must be the projections of the 3D joints (ground truth), not what a detector saw."
        )
    return best


def _check(points: Float[np.ndarray, "N 3"]) -> None:
    if len(points) < FEWEST:
        raise DataError(f"{len(points)} points are too few to find a camera; {FEWEST} are needed.")
    spread = np.linalg.svd(points - points.mean(0), compute_uv=False)
    if spread[2] < FLAT * spread[0]:
        raise DataError("the points lie in a plane and so do not say where the camera is. Add recordings of movement.")


def _fitted(
    points: Float[np.ndarray, "N 3"], places: Float[np.ndarray, "N 2"], chosen: Int[np.ndarray, " M"],
    size: tuple[int, int], lens: int,
) -> Resection:  # fmt: skip
    """The best camera for the ``chosen`` points, and its errors at all."""
    middle = points.mean(0)  # OpenCV wants single precision, which is finest around zero
    world, pixels = (points[chosen] - middle).astype(np.float32), places[chosen].astype(np.float32)
    start = np.array([[START * size[0], 0, size[0] / 2], [0, START * size[0], size[1] / 2], [0, 0, 1]])
    flags = lens | cv2.CALIB_USE_INTRINSIC_GUESS
    try:
        _, inner, bend, (turn,), (shift,) = cv2.calibrateCamera(
            [world], [pixels], size, start, np.zeros(5), flags=flags
        )
        distortion = None if lens == _PINHOLE else Distortion(*bend.ravel().tolist())
        (fx, _, cx), (_, fy, cy), _ = inner.tolist()
        camera = Camera((fx, fy), (cx, cy), distortion)
    except (cv2.error, SettingsError) as error:
        raise DataError(f"no camera fits the points ({error}).") from error
    rotation = cv2.Rodrigues(turn)[0]
    place = Extrinsics.from_translation(rotation, shift.ravel() - rotation @ middle)
    errors = np.linalg.norm(camera.project(place.to_camera(points)) - places, axis=-1)
    return Resection(camera, place, float(np.sqrt(np.mean(errors**2))), float(errors.max()))
