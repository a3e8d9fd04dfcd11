"""The virtual camera of the 3D view: a direction that does not change, and a place that may."""

from dataclasses import dataclass
from functools import cached_property
from math import cos, radians, sin

import numpy as np
from jaxtyping import Float

AZIMUTH, ELEVATION = 28.0, 14.0
"""Rotation from the video camera's view to the side and up (degrees): enough to make depth visible."""
FOCAL_LENGTH = 1.9
"""Focal length in panel heights: a mild perspective."""
CENTRE = 0.48
"""Height of the target's place on the panel, as a share from the top: the legend takes the bottom."""
NEAREST = 0.3
"""Share of the distance to what the camera looks at; nearer points are not shown."""


@dataclass(frozen=True, eq=False)
class ViewCamera:
    """Projects world points (metres, y up) onto a panel.

    Args:
        size: Width and height of the panel in pixels.
        target: What the camera looks at, in the world (metres).
        distance: Distance to it (metres).
    """

    size: tuple[int, int]
    target: Float[np.ndarray, " 3"]
    distance: float

    def project(
        self, points: Float[np.ndarray, "*B N 3"]
    ) -> tuple[Float[np.ndarray, "*B N 2"], Float[np.ndarray, "*B N"]]:
        """Project points of the world.

        Returns:
            Pixels (x right, y down), and depth in metres; both NaN for points that are unknown or too near.
        """
        in_view = (points - self.eye) @ ROTATION.T
        depth = np.where(-in_view[..., 2] >= NEAREST * self.distance, -in_view[..., 2], np.nan)
        plane = in_view[..., :2] * [1.0, -1.0] / depth[..., None]
        return plane * FOCAL_LENGTH * self.size[1] + [self.size[0] / 2, self.size[1] * CENTRE], depth

    @cached_property
    def eye(self) -> Float[np.ndarray, " 3"]:
        """Position of the camera in the world (metres)."""
        eye: Float[np.ndarray, " 3"] = self.target + self.distance * ROTATION[2]
        return eye

    def pixels(self, metres: float, depth: float) -> float:
        """The size in pixels of something at a depth (metres)."""
        return metres * FOCAL_LENGTH * self.size[1] / depth


def _view_rotation() -> Float[np.ndarray, "3 3"]:
    a, e = radians(AZIMUTH), radians(ELEVATION)
    around_y = np.array([[cos(a), 0, -sin(a)], [0, 1, 0], [sin(a), 0, cos(a)]])
    around_x = np.array([[1, 0, 0], [0, cos(e), -sin(e)], [0, sin(e), cos(e)]])
    rotation: Float[np.ndarray, "3 3"] = around_x @ around_y
    return rotation


ROTATION = _view_rotation()
"""World to view axes (x right, y up, z towards the camera): first the azimuth, then the elevation."""
