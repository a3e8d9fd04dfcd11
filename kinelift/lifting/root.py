"""Where the person is: the translation under which a root-relative pose projects onto its keypoints."""

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import gaussian_filter1d

from kinelift.poses import COCO17, H36M17
from kinelift.poses.timeseries import fill_linear

BODY = tuple(j for j, name in enumerate(H36M17.joints) if name in COCO17.joints)
"""Joints that the keypoint layouts and H36M-17 share."""

NEAREST = 0.2
"""Metres: no person is nearer to the camera."""

DEPTH_SECONDS = 0.2
"""Standard deviation of the smoothing of depth over time, which a single view measures poorly."""


def place(
    points: Float[np.ndarray, "T J 3"], plane: Float[np.ndarray, "T J 2"], times: Float[np.ndarray, " T"]
) -> Float[np.ndarray, "T 3"]:
    """The root (metres, camera frame) of every frame of a root-relative pose.

    ``plane`` holds the joints' keypoints on the plane z = 1, NaN where unseen or unknown. Linear least squares for
    x, y and depth; depth is then smoothed over ``times`` (seconds), and x and y fitted once more to it. Frames with
    fewer than three joints take over their neighbours' depth; NaN where nothing was ever seen.
    """
    points, plane = points[:, BODY], plane[:, BODY]
    seen = np.isfinite(plane).all(-1) & np.isfinite(points).all(-1)
    plane, points = np.where(seen[..., None], plane, 0.0), np.where(seen[..., None], points, 0.0)
    depth = _smoothed(_depth(points, plane, seen), times)
    lateral = plane * (points[..., 2:] + depth[:, None, None]) - points[..., :2]
    count = seen.sum(1)[:, None]
    with np.errstate(invalid="ignore"):
        sideways = np.where(count > 0, (lateral * seen[..., None]).sum(1) / count, np.nan)
    return np.concatenate([bridged(sideways), depth[:, None]], 1)


def _depth(
    points: Float[np.ndarray, "T J 3"], plane: Float[np.ndarray, "T J 2"], seen: Bool[np.ndarray, "T J"]
) -> Float[np.ndarray, " T"]:
    """Least-squares depth of the root: (X + t)ₓᵧ = uv · (X + t)_z for every seen joint; NaN under three joints."""
    weight = seen[..., None, None].astype(float)
    rows = np.concatenate([np.broadcast_to(np.eye(2), (*plane.shape, 2)), -plane[..., None]], -1) * weight
    right = (plane * points[..., 2:] - points[..., :2])[..., None] * weight
    normal = np.einsum("tjki,tjkl->til", rows, rows) + 1e-9 * np.eye(3)
    depth = np.linalg.solve(normal, np.einsum("tjki,tjkl->til", rows, right))[:, 2, 0]
    return np.where(seen.sum(1) >= 3, depth.clip(min=NEAREST), np.nan)


def _smoothed(depth: Float[np.ndarray, " T"], times: Float[np.ndarray, " T"]) -> Float[np.ndarray, " T"]:
    if len(depth) < 2 or np.isnan(depth).all():
        return depth
    spread = DEPTH_SECONDS / max(float(np.median(np.diff(times))), 1e-3)
    return np.exp(gaussian_filter1d(np.log(bridged(depth[:, None])[:, 0]), spread, mode="nearest"))


def bridged(values: Float[np.ndarray, "T C"]) -> Float[np.ndarray, "T C"]:
    """NaN rows filled linearly from their neighbours."""
    known = np.isfinite(values).all(1)
    if known.all() or not known.any():
        return values
    return fill_linear(values, np.arange(len(values)), known)
