"""Estimates the root: the translation under which a root-relative pose projects onto its keypoints."""

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import gaussian_filter1d

from kinelift.poses import COCO17, H36M17
from kinelift.poses.timeseries import fill_linear

SHARED_JOINTS = tuple(j for j, name in enumerate(H36M17.joints) if name in COCO17.joints)
"""H36M-17 joints that COCO-17 has too."""

MIN_DEPTH = 0.2
"""Metres: smallest depth of a person."""

DEPTH_SMOOTHING = 0.2
"""Seconds: standard deviation of the smoothing of depth over time, because a single view measures depth poorly."""


def estimate_root(
    points: Float[np.ndarray, "T J 3"], plane: Float[np.ndarray, "T J 2"], times: Float[np.ndarray, " T"]
) -> Float[np.ndarray, "T 3"]:
    """Estimate the root of each frame by linear least squares, with depth smoothed over time.

    Args:
        points: H36M joints relative to the root, metres, camera axes.
        plane: The joints' keypoints on the plane z = 1; NaN where not detected or unknown.
        times: Time of each frame in seconds.

    Returns:
        Root positions (metres, camera frame). Frames with fewer than three keypoints take their depth from neighbouring
        frames. NaN if no frame has enough.
    """
    points, plane = points[:, SHARED_JOINTS], plane[:, SHARED_JOINTS]
    visible = np.isfinite(plane).all(-1) & np.isfinite(points).all(-1)
    plane, points = np.where(visible[..., None], plane, 0.0), np.where(visible[..., None], points, 0.0)
    depth = _smoothed(_depth(points, plane, visible), times)
    lateral = plane * (points[..., 2:] + depth[:, None, None]) - points[..., :2]
    count = visible.sum(1)[:, None]
    with np.errstate(invalid="ignore"):
        xy = np.where(count > 0, (lateral * visible[..., None]).sum(1) / count, np.nan)
    return np.concatenate([fill_gaps(xy), depth[:, None]], 1)


def _depth(
    points: Float[np.ndarray, "T J 3"], plane: Float[np.ndarray, "T J 2"], visible: Bool[np.ndarray, "T J"]
) -> Float[np.ndarray, " T"]:
    """Least-squares depth: (X + t)ₓᵧ = uv · (X + t)_z for every visible joint; NaN for fewer than three joints."""
    weight = visible[..., None, None].astype(float)
    rows = np.concatenate([np.broadcast_to(np.eye(2), (*plane.shape, 2)), -plane[..., None]], -1) * weight
    right = (plane * points[..., 2:] - points[..., :2])[..., None] * weight
    normal = np.einsum("tjki,tjkl->til", rows, rows) + 1e-9 * np.eye(3)
    depth = np.linalg.solve(normal, np.einsum("tjki,tjkl->til", rows, right))[:, 2, 0]
    return np.where(visible.sum(1) >= 3, depth.clip(min=MIN_DEPTH), np.nan)


def _smoothed(depth: Float[np.ndarray, " T"], times: Float[np.ndarray, " T"]) -> Float[np.ndarray, " T"]:
    if len(depth) < 2 or np.isnan(depth).all():
        return depth
    sigma = DEPTH_SMOOTHING / max(float(np.median(np.diff(times))), 1e-3)
    return np.exp(gaussian_filter1d(np.log(fill_gaps(depth[:, None])[:, 0]), sigma, mode="nearest"))


def fill_gaps(values: Float[np.ndarray, "T C"]) -> Float[np.ndarray, "T C"]:
    """Fill rows that contain NaN by linear interpolation over the frame number."""
    valid = np.isfinite(values).all(1)
    if valid.all() or not valid.any():
        return values
    return fill_linear(values, np.arange(len(values)), valid)
