"""The direction up from many estimates, of which some are wrong."""

import numpy as np
import pytest

from kinelift.lifting.world.up import combine, of_bodies, world_rotation
from tests.lifting.body.people import scene, standing, still


def tilted(pitch: float, roll: float = 0.0) -> np.ndarray:
    """Up in the axes of a camera that looks down by ``pitch`` degrees, then is rolled."""
    p, r = np.radians(pitch), np.radians(roll)
    return np.array([np.cos(p) * np.sin(r), -np.cos(p) * np.cos(r), -np.sin(p)])


def around(up: np.ndarray, degrees: float, frames: int, seed: int = 0) -> np.ndarray:
    rows = up + np.radians(degrees) * np.random.default_rng(seed).normal(size=(frames, 3))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def angle(a: np.ndarray | None, b: np.ndarray) -> float:
    assert a is not None
    return float(np.degrees(np.arccos(np.clip(a @ b, -1, 1))))


@pytest.mark.parametrize("pitch", [-10.0, 0.0, 25.0])
def test_outliers_matter_little(pitch: float) -> None:
    up = tilted(pitch)
    one, other = around(up, 3, 200), around(up, 3, 100, seed=1)
    one[:60] = around(tilted(pitch - 90), 10, 60)  # they lie for a while
    one[100:120] = np.nan
    assert angle(combine([one, other]), up) < 2
    mean = np.nanmean(np.concatenate([one, other]), 0)
    assert angle(mean / np.linalg.norm(mean), up) > 10


def test_nothing_is_known_without_estimates() -> None:
    assert combine([]) is None
    assert combine([np.full((5, 3), np.nan), np.zeros((0, 3))]) is None


def test_a_slight_roll_is_reduced_and_a_large_one_stays() -> None:
    for roll, least, most in ((3.0, 0.3, 2.5), (25.0, 24.0, 25.01), (-25.0, -25.01, -24.0)):
        up = combine([np.tile(tilted(12, roll), (50, 1))])
        assert up is not None
        assert least < np.degrees(np.arctan2(up[0], -up[1])) < most
        assert np.degrees(np.arcsin(-up[2])) == pytest.approx(12, abs=0.01)  # the pitch stays


def test_standing_bodies_show_up_and_sitting_ones_do_not() -> None:
    poses = still(5).truth
    np.testing.assert_allclose(of_bodies(poses), np.tile([0, -1, 0], (5, 1)), atol=0.05)
    sitting = scene(np.tile(standing(knee=150.0), (5, 1, 1)), np.arange(5) / 30).truth
    turned = sitting.points[..., [0, 2, 1]] * [1, -1, 1]  # a body that lies
    assert np.isnan(of_bodies(type(poses)(turned, poses.times, poses.root, poses.skeleton))).all()


@pytest.mark.parametrize(("pitch", "roll"), [(0.0, 0.0), (30.0, 0.0), (-20.0, 8.0), (90.0, 0.0), (10.0, 170.0)])
def test_world_axes_are_right_handed_and_level(pitch: float, roll: float) -> None:
    up = tilted(pitch, roll)
    rotation = world_rotation(up)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)
    np.testing.assert_allclose(rotation @ up, [0, 1, 0], atol=1e-12)
    assert rotation[0, 0] > 0  # the world's x points to the camera's right
    assert rotation[0] @ [0.0, 0.0, 1.0] == pytest.approx(0, abs=1e-12)  # and is level, like the picture's horizon
