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
    points, plane = points[:, SHARED_JOINTS], plane[:, SHARED_JOINTS]  # copies, changed in place: a track may be long
    visible = np.isfinite(plane).all(-1) & np.isfinite(points).all(-1)
    points[~visible] = plane[~visible] = 0.0
    shift = plane * points[..., 2:] - points[..., :2]
    depth = _smoothed(_depth(plane, shift, visible), times)
    shift += plane * depth[:, None, None]
    with np.errstate(invalid="ignore"):
        xy = shift.sum(1) / visible.sum(1)[:, None]
    return np.concatenate([fill_gaps(xy), depth[:, None]], 1)


def _depth(
    plane: Float[np.ndarray, "T J 2"], shift: Float[np.ndarray, "T J 2"], visible: Bool[np.ndarray, "T J"]
) -> Float[np.ndarray, " T"]:
    """Least-squares depth of the root; NaN for fewer than three joints.

    Args:
        plane: Keypoints on the plane z = 1; 0 where not visible.
        shift: ``plane`` · z - xy of each joint, which is xy of the root - ``plane`` · depth; 0 where not visible.
        visible: The joints that count.
    """
    count = visible.sum(1)
    middle = plane.sum(1) / count.clip(min=1)[:, None]
    slope = np.where(visible[..., None], plane - middle[:, None], 0.0)
    depth = -np.einsum("tjc,tjc->t", slope, shift) / (np.einsum("tjc,tjc->t", slope, slope) + 1e-12)
    return np.where(count >= 3, depth.clip(min=MIN_DEPTH), np.nan)


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
