from dataclasses import replace

import numpy as np
import pytest

from kinelift.poses.positions import positions
from tests.poses.scenes import poses, track


def test_joints_are_where_the_root_is() -> None:
    walking = poses(track(frames=4))
    walking = replace(walking, root=np.array([[0.0, 0, 3], [0.1, 0, 3], [0.2, 0, 3], [0.3, 0, 3]]))
    assert walking.root is not None
    assert np.array_equal(positions(walking), walking.points + walking.root[:, None], equal_nan=True)


def test_an_unknown_root_is_interpolated_in_time() -> None:
    some = replace(poses(track(frames=3)), times=np.array([0.0, 1.0, 4.0]))
    known = replace(some, root=np.array([[0.0, 0, 2], [1.0, 0, 2], [4.0, 0, 2]]))
    gap = replace(some, root=np.array([[0.0, 0, 2], [np.nan] * 3, [4.0, 0, 2]]))
    assert np.array_equal(positions(gap), positions(known), equal_nan=True)


@pytest.mark.parametrize("root", [None, np.full((3, 3), np.nan)])
def test_a_root_that_is_never_known_leaves_joints_relative_to_it(root: np.ndarray | None) -> None:
    still = replace(poses(track(frames=3)), root=root)
    assert np.array_equal(positions(still), still.points, equal_nan=True)
