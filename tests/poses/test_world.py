"""A world turns camera coordinates into its own."""

import numpy as np

from kinelift.poses import World


def test_a_point_under_a_level_camera_is_below_it() -> None:
    world = World(np.diag([1.0, -1.0, -1.0]), np.array([0.0, 1.5, 0.0]))
    np.testing.assert_allclose(world.from_camera(np.array([0.0, 1.5, 4.0])), [0, 0, -4])
    np.testing.assert_allclose(world.up, [0, -1, 0])
