"""Sliding windows give every frame the prediction for its time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import Float

from kinelift.lifting.inference.sliding import Predict, one_window_per_frame, overlapping_windows

RATE, OUTPUTS = 20.0, 12


def recording(predict: Predict) -> tuple[Predict, list[float]]:
    """``predict``, and the list of times it is called with."""
    times: list[float] = []

    def wrapper(starts: Float[np.ndarray, " B"]) -> Float[np.ndarray, "B S K 3"]:
        times.extend(starts)
        return predict(starts)

    return wrapper, times


def frame_times(starts: Float[np.ndarray, " B"]) -> Float[np.ndarray, "B S K 3"]:
    """A network that predicts the time of every frame."""
    return (starts[:, None, None, None] + (np.arange(OUTPUTS) / RATE)[:, None, None]) * np.ones((2, 3))


def track_times(frames: int, rate: float, start: float = 3.0) -> Float[np.ndarray, " T"]:
    return start + np.arange(frames) / rate


@given(st.integers(1, 80), st.sampled_from([12.5, 20.0, 24000 / 1001, 60.0]), st.integers(1, 30), st.integers(1, 40))
@settings(max_examples=40)
def test_every_frame_gets_the_prediction_for_its_time(frames: int, rate: float, step: int, batch: int) -> None:
    times = track_times(frames, rate)
    poses = overlapping_windows(frame_times, times, RATE, OUTPUTS, step, batch)
    np.testing.assert_allclose(poses, times[:, None, None] * np.ones((2, 3)), atol=1e-9)


@given(st.integers(0, 2**31), st.integers(2, 60))
@settings(max_examples=30)
def test_constant_predictions_stay_constant(seed: int, frames: int) -> None:
    random = np.random.default_rng(seed)
    times = np.cumsum(random.uniform(0.01, 0.1, frames))
    value = random.normal(size=(4, 3))
    poses = overlapping_windows(
        lambda starts: np.tile(value, (len(starts), OUTPUTS, 1, 1)), times, RATE, OUTPUTS, 5, 50
    )
    np.testing.assert_allclose(poses, np.broadcast_to(value, poses.shape), atol=1e-12)


def test_track_of_one_window_gets_its_prediction_unchanged() -> None:
    prediction = np.random.default_rng(0).normal(size=(1, OUTPUTS, 5, 3))
    predict, called = recording(lambda starts: prediction)
    poses = overlapping_windows(predict, track_times(OUTPUTS, RATE), RATE, OUTPUTS, 5, 50)
    np.testing.assert_allclose(poses, prediction[0], atol=1e-12)
    assert called == [3.0]


@pytest.mark.parametrize(("frames", "starts"), [(5, [0]), (13, [0, 1]), (22, [0, 5, 10]), (24, [0, 5, 10, 12])])
def test_windows_start_every_step_and_reach_the_end(frames: int, starts: list[int]) -> None:
    predict, called = recording(frame_times)
    overlapping_windows(predict, track_times(frames, RATE), RATE, OUTPUTS, 5, 24)
    np.testing.assert_allclose(called, 3 + np.array(starts) / RATE)


def test_overlapping_predictions_are_averaged() -> None:
    def window_number(starts: Float[np.ndarray, " B"]) -> Float[np.ndarray, "B S K 3"]:
        return np.tile(np.round((starts - 3) * RATE)[:, None, None, None], (1, OUTPUTS, 1, 3))

    poses = overlapping_windows(window_number, track_times(16, RATE), RATE, OUTPUTS, 2, 1)
    np.testing.assert_allclose(poses[:, 0, 0], [0, 0, 1, 1, *[2] * 8, 3, 3, 4, 4])


def test_one_window_per_frame() -> None:
    predict, called = recording(lambda starts: frame_times(starts)[:, :1])
    times = track_times(23, 31.0)
    np.testing.assert_allclose(one_window_per_frame(predict, times, 10)[:, 0, 0], times)
    assert called == list(times)
