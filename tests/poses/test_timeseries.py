import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import interp1d

from kinelift.poses.timeseries import fill_linear, fill_monotone, interpolate, resample, sample, short_gaps


@settings(deadline=None)
@given(st.integers(1, 12), st.integers(0, 2**32 - 1), st.sampled_from([0, 1, 2]))
def test_interpolation_is_scipys_along_any_axis(rows: int, seed: int, axis: int) -> None:
    random = np.random.default_rng(seed)
    shape = [3, 4, 2]
    shape[axis] = rows
    values, places = random.normal(size=shape), random.uniform(0, rows - 1, 9)
    found = interpolate(values, places, axis)
    expected = interp1d(np.arange(rows), values, axis=axis)(places) if rows > 1 else values.repeat(9, axis)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    np.testing.assert_array_equal(interpolate(values, np.arange(float(rows)), axis), values)


def test_samples_lie_between_known_frames_only() -> None:
    points = np.zeros((4, 1, 2))
    points[:, 0, 0] = [0, 10, 20, 30]
    points[2] = np.nan
    times = np.array([0.0, 1.0, 2.0, 3.0])
    at = np.array([0.5, 1.5, 2.0])[:, None] + np.array([-9.0, 0.0, 0.75, 9.0])
    value, seen = sample(points, times, at)
    assert seen[:, :, 0].tolist() == [[True] * 4, [True, True, False, True], [True, False, True, True]]
    np.testing.assert_allclose(value[0, :, 0, 0], [0, 5, 10, 30])
    np.testing.assert_allclose(value[1, :, 0, 0], [0, 10, 0, 30])


def test_one_frame_is_sampled_at_any_time() -> None:
    value, seen = sample(np.full((1, 2, 2), 7.0), np.array([4.0]), np.array([-1.0, 4.0, 9.0]))
    assert seen.all() and (value == 7).all()


def test_resampling_fills_short_gaps_and_leaves_long_ones() -> None:
    times = np.arange(41) / 20
    points = np.stack([times, 2 * times, -times], axis=-1)[:, None]
    points[4:8] = np.nan
    points[20:32] = np.nan
    even = resample(points, times + 5, 30.0, 0.4)
    at = np.arange(len(even)) / 30
    known = np.isfinite(even).all(axis=(1, 2))
    assert len(even) == 61
    np.testing.assert_array_equal(known, (at < 0.95 + 1e-9) | (at > 1.6 - 1e-9))
    np.testing.assert_allclose(even[known, 0, 1], 2 * at[known])


def test_linear_filling_uses_the_times_and_holds_the_ends() -> None:
    values = np.array([[np.nan], [0.0], [np.nan], [8.0], [np.nan]], dtype=np.float32)
    filled = fill_linear(values, np.array([0.0, 1.0, 2.0, 5.0, 6.0]), np.isfinite(values[:, 0]))
    assert filled.dtype == np.float32
    np.testing.assert_allclose(filled[:, 0], [0, 0, 2, 8, 8])


def test_monotone_filling_does_not_overshoot() -> None:
    values = np.repeat([[0.0], [0.0], [np.nan], [np.nan], [1.0], [1.0]], 2, axis=1)
    filled, gaps = fill_monotone(values, np.arange(6.0), 3.0)
    assert gaps.frames.tolist() == [False, False, True, True, False, False]
    assert gaps.before.tolist() == [1, 1] and gaps.after.tolist() == [4, 4]
    assert (filled[2:4] > 0).all() and (filled[2] < filled[3]).all() and (filled[2:4] < 1).all()


@pytest.mark.parametrize(("longest", "filled"), [(1.9, []), (2.0, [3]), (3.0, [3, 5, 6])])
def test_gaps_are_measured_from_known_to_known_frame(longest: float, filled: list[int]) -> None:
    known = np.array([False, True, True, False, True, False, False, True, False])
    assert np.flatnonzero(short_gaps(known, np.arange(9.0), longest).frames).tolist() == filled


@pytest.mark.parametrize("rate", [1, 2, 3])
def test_at_a_few_frames_per_second_one_missing_frame_is_bridged_and_two_are_not(rate):
    times = np.arange(9) / rate
    points = np.repeat(times[:, None, None], 3, axis=2)
    for missing, bridged in (([4], True), ([4, 5], False)):
        damaged = points.copy()
        damaged[missing] = np.nan
        assert np.isfinite(resample(damaged, times, 30, 0.4)).all() == bridged
