"""A world turns camera coordinates into its own."""

import numpy as np
import pytest

from kinelift.poses import World
from kinelift.poses.errors import ShapeError


def test_a_point_under_a_level_camera_is_below_it() -> None:
    world = World(np.diag([1.0, -1.0, -1.0]), np.array([0.0, 1.5, 0.0]))
    np.testing.assert_allclose(world.from_camera(np.array([0.0, 1.5, 4.0])), [0, 0, -4])
    np.testing.assert_allclose(world.up, [0, -1, 0])


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ShapeError, match="expected"):
        World(np.eye(2), np.zeros(3))
