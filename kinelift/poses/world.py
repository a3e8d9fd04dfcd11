"""Where a camera stands: a world with Y up, in metres, whose floor is y = 0."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

LEVEL = np.diag([1.0, -1.0, -1.0])
"""``World.rotation`` of a level camera."""


@dataclass(frozen=True, eq=False)
class World:
    """The pose of the camera whose axes the 3D poses have.

    Attributes:
        rotation: Rows are the world's axes (Y up, right-handed) in camera axes.
        position: Position of the camera in the world, metres.
    """

    rotation: Float[np.ndarray, "3 3"]
    position: Float[np.ndarray, " 3"]

    @property
    def up(self) -> Float[np.ndarray, " 3"]:
        """The direction up, in camera axes."""
        up: Float[np.ndarray, " 3"] = self.rotation[1]
        return up

    def from_camera(self, points: Float[np.ndarray, "*N 3"]) -> Float[np.ndarray, "*N 3"]:
        """World coordinates of points given in the camera frame (metres)."""
        return np.asarray(points @ self.rotation.T + self.position)
