"""Smoothing: steadier, no later than it says, never across a gap, and marked as before."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinelift.detectors.tracking.smoothing import OneEuro, SavitzkyGolay, Smoothing, smoothing
from kinelift.poses import COCO17, Track2D
from kinelift.poses.errors import SettingsError

BOTH = [OneEuro(), SavitzkyGolay()]
BODY = np.random.default_rng(3).uniform(0, 200, (17, 2))
each = pytest.mark.parametrize("filter_", BOTH, ids=lambda f: type(f).__name__)


def clock(count: int = 90, unevenness: float = 0.0, seed: int = 0) -> np.ndarray:
    return np.cumsum(1 + unevenness * np.random.default_rng(seed).uniform(-1, 1, count)) / 30


def track(points: np.ndarray, times: np.ndarray) -> Track2D:
    seen = np.isfinite(points).all(axis=-1)
    return Track2D(points, 0.8 * seen, times, np.zeros_like(seen), 0, (640, 480))


def moving(times: np.ndarray, pace: float, noise: float = 0.0) -> Track2D:
    noisy = noise * np.random.default_rng(1).standard_normal((len(times), 17, 2))
    return track(BODY + pace * times[:, None, None] + noisy, times)


@each
def test_somebody_still_becomes_steadier(filter_: Smoothing) -> None:
    noisy = moving(clock(), 0.0, 2.0)
    assert filter_.apply(noisy).points.std(axis=0).mean() < 0.8 * noisy.points.std(axis=0).mean()


@each
@settings(max_examples=20)
@given(pace=st.floats(-300, 300), unevenness=st.sampled_from([0.0, 0.5]))
def test_a_steady_movement_is_no_later_than_stated(filter_: Smoothing, pace: float, unevenness: float) -> None:
    true = moving(clock(unevenness=unevenness), pace)
    late = np.abs(filter_.apply(true).points - true.points)[30:].max()
    assert late <= abs(pace) * (filter_.lag + 1e-6) + 1e-6


def test_one_euro_hurries_with_speed() -> None:
    slow, fast = (
        np.abs(OneEuro().apply(moving(clock(), p)).points - moving(clock(), p).points)[60] / p for p in (5, 500)
    )
    assert fast.max() < 0.5 * slow.min()


@each
def test_nothing_crosses_a_gap(filter_: Smoothing) -> None:
    points = moving(clock(), 20.0, 1.0).points
    points[40:50, :9] = np.nan
    gap = track(points, clock())
    out = filter_.apply(gap)
    np.testing.assert_array_equal(np.isnan(out.points), np.isnan(points))
    for part in (slice(0, 40), slice(50, 90)):
        alone = track(points[part], clock()[part])
        np.testing.assert_allclose(out.points[part, :9], filter_.apply(alone).points[:, :9], atol=2.0)
    far = points.copy()
    far[50:, :9] += 1e4
    np.testing.assert_array_equal(
        SavitzkyGolay().apply(track(far, clock())).points[:40], SavitzkyGolay().apply(gap).points[:40]
    )


def test_one_euro_does_not_know_the_future() -> None:
    whole = moving(clock(), 50.0, 3.0)
    part = Track2D(whole.points[:50], whole.scores[:50], whole.times[:50], whole.filled[:50], 0, whole.size)
    np.testing.assert_array_equal(OneEuro().apply(whole).points[:50], OneEuro().apply(part).points)


@pytest.mark.parametrize("unevenness", [0.0, 0.6])
def test_savitzky_golay_keeps_what_it_fits(unevenness: float) -> None:
    times = clock(unevenness=unevenness)
    curve = track(BODY + (80 * times - 30 * times**2)[:, None, None], times)
    np.testing.assert_allclose(SavitzkyGolay().apply(curve).points, curve.points, atol=1e-6)


@each
def test_the_rest_of_the_track_stays(filter_: Smoothing) -> None:
    noisy = moving(clock(), 20.0, 2.0)
    noisy = replace(noisy, filled=np.random.default_rng(0).random((90, 17)) < 0.1)
    out = filter_.apply(noisy)
    for name in ("scores", "times", "filled"):
        np.testing.assert_array_equal(getattr(out, name), getattr(noisy, name))
    mirrored = filter_.apply(noisy.mirrored())
    np.testing.assert_allclose(mirrored.points, out.mirrored().points, atol=1e-6)


@each
@pytest.mark.parametrize("length", [0, 1, 2, 3])
def test_short_tracks(filter_: Smoothing, length: int) -> None:
    short = moving(clock(length), 20.0)
    np.testing.assert_allclose(filter_.apply(short).points[:1], short.points[:1])


def test_by_name() -> None:
    assert smoothing("none") is None
    assert isinstance(smoothing("one-euro"), OneEuro)
    assert isinstance(smoothing("savgol"), Smoothing)
    with pytest.raises(SettingsError, match="none, one-euro, savgol"):
        smoothing("kalman")


@pytest.mark.parametrize("wrong", [{"rest": 0.0}, {"gain": -1.0}, {"pace": np.nan}])
def test_settings_outside_their_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        OneEuro(**wrong)
    with pytest.raises(SettingsError, match="window"):
        SavitzkyGolay(window=0.0)


def test_they_say_what_they_cost() -> None:
    assert OneEuro(rest=2.0).lag == pytest.approx(0.0796, abs=1e-4)
    assert (OneEuro().ahead, SavitzkyGolay().lag) == (0.0, 0.0)
    assert SavitzkyGolay(window=0.3).ahead == pytest.approx(0.15)
    assert len(COCO17) == 17
