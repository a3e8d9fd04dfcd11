"""Frames at a constant rate."""

import numpy as np
import pytest

from kinelift.app.export.timing import clock_of
from kinelift.poses import VideoFacts
from kinelift.poses.errors import DataError


def video(times: np.ndarray) -> VideoFacts:
    return VideoFacts("dance", 64, 48, times)


@pytest.mark.parametrize("times", [
    np.arange(50) * 1001 / 30000, np.round(np.arange(500) / 29.97, 3), np.array([0.0]), 2.5 + np.arange(10) / 24,
])  # fmt: skip
def test_a_constant_rate_is_kept_with_its_times(times: np.ndarray) -> None:
    clock = clock_of(video(times))
    assert not clock.resampled and clock.times is times
    if len(times) > 1:
        assert clock.rate == pytest.approx((len(times) - 1) / (times[-1] - times[0]))


def test_a_varying_rate_becomes_the_usual_one() -> None:
    times = np.concatenate([np.arange(40) / 30, 40 / 30 + np.arange(20) / 10])
    clock = clock_of(video(times))
    assert clock.resampled and clock.rate == pytest.approx(30)
    np.testing.assert_allclose(np.diff(clock.times), 1 / 30)
    assert times[-1] - clock.times[-1] < 1 / 30


def test_a_long_pause_is_refused() -> None:
    with pytest.raises(DataError, match="glb"):
        clock_of(video(np.concatenate([np.arange(40) / 30, [1e6]])))


def test_a_span_includes_both_ends() -> None:
    clock = clock_of(video(np.arange(20) / 30))
    np.testing.assert_allclose(clock.span(5 / 30, 9 / 30).times, np.arange(5, 10) / 30)
