"""The virtual camera of the 3D view: fixed for the whole clip, at a distance that shows all of it."""

from dataclasses import dataclass
from math import cos, radians, sin

import numpy as np
from jaxtyping import Float

AZIMUTH, ELEVATION = 28.0, 14.0
"""Rotation from the video camera's view to the side and up (degrees): enough to make depth visible."""
FOCAL_LENGTH = 1.9
"""Focal length in panel heights: a mild perspective."""
MARGIN = 0.06
"""Share of the panel that stays free on each side."""
OUTLIER_PERCENT = 0.5
"""Percentage of the coordinates, at each end, that may lie outside the panel."""


@dataclass(frozen=True, eq=False)
class ViewCamera:
    """Projects world points (metres, y up) onto a panel.

    Args:
        size: Width and height of the panel in pixels.
        rotation: World to view axes (x right, y up, z towards the camera).
        eye: Position of the camera in the world (metres).
    """

    size: tuple[int, int]
    rotation: Float[np.ndarray, "3 3"]
    eye: Float[np.ndarray, " 3"]

    def project(
        self, points: Float[np.ndarray, "*B N 3"]
    ) -> tuple[Float[np.ndarray, "*B N 2"], Float[np.ndarray, "*B N"]]:
        """Project points of the world.

        Returns:
            Pixels (x right, y down), and depth in metres.
        """
        in_view = (points - self.eye) @ self.rotation.T
        depth = -in_view[..., 2]
        plane = in_view[..., :2] * [1.0, -1.0] / np.maximum(depth, 0.1)[..., None]
        return plane * FOCAL_LENGTH * self.size[1] + np.array(self.size) / 2, depth


def fit_camera(points: Float[np.ndarray, "N 3"], size: tuple[int, int]) -> ViewCamera:
    """Place a camera so that all points are visible, with a margin around them.

    Args:
        points: Points of the world (metres, y up); NaN are ignored.
        size: Width and height of the panel in pixels.
    """
    valid = points[np.isfinite(points).all(1)]
    valid = _without_outliers(valid) if len(valid) else np.array([[-1.0, 0.0, -1.0], [1.0, 1.8, 1.0]])
    rotation = _view_rotation()
    in_view = valid @ rotation.T
    centre = (in_view.min(0) + in_view.max(0)) / 2
    distance = _camera_distance(in_view - centre, size)
    for _ in range(3):  # perspective enlarges near points: centre the projection, then adapt the distance
        plane = (in_view - centre)[:, :2] / (distance - (in_view - centre)[:, 2:])
        centre[:2] += (plane.min(0) + plane.max(0)) / 2 * distance
        distance = _camera_distance(in_view - centre, size)
    return ViewCamera(size, rotation, (centre + np.array([0.0, 0.0, distance])) @ rotation)


def _camera_distance(points: Float[np.ndarray, "N 3"], size: tuple[int, int]) -> float:
    """The smallest distance from the origin (metres) at which all points in view axes lie inside the margins."""
    half = np.array([size[0] / size[1], 1.0]) * (0.5 - MARGIN) / FOCAL_LENGTH
    return float(max((np.abs(points[:, :2]) / half + points[:, 2:]).max(), 1.5 / half.min() * 0.5))


def _without_outliers(points: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, "M 3"]:
    """The points without outliers, and their projections onto the floor."""
    low, high = np.percentile(points, [OUTLIER_PERCENT, 100 - OUTLIER_PERCENT], axis=0)
    inside = points[((points >= low - 0.3) & (points <= high + 0.3)).all(1)]
    return np.concatenate([inside, inside * [1.0, 0.0, 1.0]])


def _view_rotation() -> Float[np.ndarray, "3 3"]:
    """World to view axes (x right, y up, z towards the camera): first the azimuth, then the elevation."""
    a, e = radians(AZIMUTH), radians(ELEVATION)
    around_y = np.array([[cos(a), 0, -sin(a)], [0, 1, 0], [sin(a), 0, cos(a)]])
    around_x = np.array([[1, 0, 0], [0, cos(e), -sin(e)], [0, sin(e), cos(e)]])
    rotation: Float[np.ndarray, "3 3"] = around_x @ around_y
    return rotation
