"""Where joints are expected next, from positions that are noisy, missing or wrong."""

import numpy as np
import pytest

from kinelift.detectors.tracking.expected import Expected, MotionCosts

COSTS, SIZE, STEP = MotionCosts(), 100.0, 1 / 30
PACE = np.array([120.0, -60.0])
"""Pixels per second."""


def place(time: float) -> np.ndarray:
    """Where the joint is, one reading of one joint."""
    return (np.array([300.0, 200.0]) + PACE * time).reshape(1, 1, 2)


def followed(frames: int) -> Expected:
    """What is known of a joint that moves evenly, after so many frames."""
    expected = Expected.nowhere(1, 1, COSTS).seen(place(0), SIZE)
    for k in range(1, frames):
        expected = expected.after(STEP).seen(place(k * STEP), SIZE)
    return expected


def test_an_even_movement_is_continued() -> None:
    ahead = followed(10).after(STEP)
    np.testing.assert_allclose(ahead.place, place(10 * STEP), atol=0.1)
    np.testing.assert_allclose(ahead.velocity[0, 0], PACE, atol=3)


def test_a_position_out_of_place_hardly_counts() -> None:
    expected = followed(10).after(STEP)
    wrong = expected.seen(place(10 * STEP) + 50.0, SIZE)
    np.testing.assert_allclose(wrong.place, expected.place, atol=0.1)
    assert wrong.variance == pytest.approx(expected.variance, rel=1e-3)


def test_a_joint_not_seen_moves_on_and_becomes_uncertain() -> None:
    expected = followed(10).after(STEP)
    unseen = expected.seen(np.full((1, 1, 2), np.nan), SIZE)
    np.testing.assert_array_equal(unseen.place, expected.place)
    np.testing.assert_array_equal(unseen.variance, expected.variance)
    assert unseen.known.all()
    assert not unseen.after(0.3).known.any()


def test_a_joint_that_is_nowhere_starts_where_it_is_seen() -> None:
    nowhere = Expected.nowhere(1, 1, COSTS)
    assert not nowhere.known.any()
    assert nowhere.density(place(0), SIZE) == 0
    fresh = nowhere.seen(place(0), SIZE)
    np.testing.assert_array_equal(fresh.place, place(0))
    np.testing.assert_array_equal(fresh.velocity, 0.0)
    assert fresh.variance == pytest.approx(COSTS.noise**2)


def test_the_density_is_one_of_probability() -> None:
    expected = followed(10).after(STEP)
    grid = np.stack(np.meshgrid(*[np.arange(-60.0, 60.5)] * 2), -1).reshape(-1, 1, 1, 2)
    density = [float(expected.density(place(10 * STEP) + off, SIZE)[0, 0]) for off in grid]
    assert sum(density) / SIZE**2 == pytest.approx(1, abs=0.01)


def test_readings_can_be_chosen() -> None:
    both = Expected.nowhere(2, 1, COSTS).seen(np.concatenate([place(0), place(1)]), SIZE)
    np.testing.assert_array_equal(both.of(np.array([1, 1, 0])).place, np.concatenate([place(1), place(1), place(0)]))
