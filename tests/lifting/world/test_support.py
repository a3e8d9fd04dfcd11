"""Falls, jumps and standing from known paths."""

import numpy as np
import pytest

from kinelift.lifting.world.support import falls, flights, runs, stands

GRAVITY = 9.81


@pytest.mark.parametrize("rate", [24.0, 30.0, 60.0])
def test_a_free_fall_is_seen_and_a_slow_descent_is_not(rate: float) -> None:
    times = np.arange(int(2 * rate)) / rate
    fall = (times - 1.0).clip(0, 0.5)
    falling = falls(1.0 - GRAVITY / 2 * fall**2, times)
    assert falling[(times > 1.1) & (times < 1.4)].all() and not falling[times < 0.9].any()
    assert not falls(1.0 - 0.3 * GRAVITY / 2 * fall**2, times)[times < 1.4].any()


def test_falls_of_two_frames_are_not_believed() -> None:
    times = np.arange(60) / 30
    hip = 1.0 + 0.02 * (np.arange(60) == 30)
    assert not falls(hip, times).any()


def test_a_flight_is_the_inside_of_a_jump() -> None:
    times = np.arange(60) / 30
    air = (times - times[20]).clip(0, 0.6)
    hip = 1.0 + 3.0 * air - GRAVITY / 2 * air**2
    touches = np.ones(60, bool)
    touches[21:38] = False
    expected = np.zeros(60, bool)
    expected[22:37] = True
    np.testing.assert_array_equal(flights(touches, hip, times), expected)
    assert not flights(touches, np.ones(60), times).any()  # feet that are not seen are not a jump
    assert not flights(np.ones(60, bool), hip, times).any()
    assert not flights(touches, np.full(60, np.nan), times).any()


def test_somebody_stands_on_a_foot_that_rests_for_a_second() -> None:
    times, contact = np.arange(120) / 30, np.zeros((120, 4), bool)
    contact[10:41, 1] = True  # a toe for a second
    contact[60:85, 3] = True  # a step
    expected = np.zeros(120, bool)
    expected[10:41] = True
    np.testing.assert_array_equal(stands(contact, times), expected)


def test_runs() -> None:
    assert runs(np.array([True, True, False, True])) == [(0, 2), (3, 4)]
    assert runs(np.zeros(3, bool)) == []
