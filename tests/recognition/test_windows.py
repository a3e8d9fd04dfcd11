import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinelift.recognition.windows import WindowPlan, cut, extend, reflect, resample, starts
from tests.recognition.motions import standing, walking

PLAN = WindowPlan(seconds=1.0, rate=30.0, stride=0.5)


def even_at(points, rate=30.0, start=0.0):
    return resample(points, start + np.arange(len(points)) / rate, PLAN)


@pytest.mark.parametrize("rate", [15.0, 24.0, 30000 / 1001, 60.0, 120.0])
def test_frame_rate_does_not_matter(rate):
    frames = int(3 * rate) + 1
    even = even_at(walking(frames, rate), rate, start=7.0)
    np.testing.assert_allclose(even, walking(91)[: len(even)], atol=0.02)
    assert len(even) in (90, 91)


@given(st.lists(st.floats(0.005, 0.2), min_size=1, max_size=40), st.integers(0, 3))
def test_variable_frame_rate_keeps_straight_lines(gaps, seed):
    times = np.concatenate([[0.0], np.cumsum(gaps)]) + 3.0
    slope = np.random.default_rng(seed).normal(size=(1, 17, 3))
    even = resample(slope * times[:, None, None], times, PLAN)
    expected = slope * (3.0 + np.arange(len(even)) / PLAN.rate)[:, None, None]
    np.testing.assert_allclose(even, expected, atol=1e-9)


def test_short_gaps_are_interpolated_and_long_ones_stay():
    points = standing(90)
    points[10:15, 3] = np.nan
    points[40:70, 5] = np.nan
    even = even_at(points)
    assert np.isfinite(even[:, 3]).all()
    assert np.isnan(even[45:65, 5]).all()
    assert np.isfinite(even[:40, 5]).all()


def test_unseen_joints_stay_unseen():
    points = standing(30)
    points[:, 2] = np.nan
    assert np.isnan(even_at(points)[:, 2]).all()


@pytest.mark.parametrize(("frames", "expected"), [(1, [0]), (31, [0]), (46, [0, 15]), (60, [0, 15]), (61, [0, 15, 30])])
def test_windows_start_at_a_fixed_pace(frames, expected):
    assert starts(frames, PLAN).tolist() == expected
    assert cut(standing(frames), PLAN).shape == (len(expected), 31, 17, 3)


def test_short_motions_are_played_back_and_forth():
    points = np.arange(3.0)[:, None, None] * np.ones((1, 17, 3))
    assert extend(points, 7)[:, 0, 0].tolist() == [0, 1, 2, 1, 0, 1, 2]
    assert extend(points[:1], 3)[:, 0, 0].tolist() == [0, 0, 0]


def test_reflected_frames_are_those_that_extend_plays():
    points = np.random.default_rng(0).normal(size=(4, 17, 3))
    positions = reflect(np.arange(11.0), 3)
    np.testing.assert_array_equal(points[positions.astype(int)], extend(points, 11))
    assert reflect(np.array([[-1.0, 4.0], [2.0, 5.0]]), np.array([[3.0], [0.0]])).tolist() == [[1.0, 2.0], [0.0, 0.0]]


def test_a_plan_without_seconds_has_a_number_of_samples():
    assert WindowPlan(seconds=None, samples=48).frames == 48
    assert PLAN.frames == 31
