"""Windows that slide over a track: whatever the network answers, all frames get the answers that are theirs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import Float

from kinelift.lifting.inference.sliding import Ask, each, overlapping

RATE, OUTPUTS = 20.0, 12


def asking(answer: Ask) -> tuple[Ask, list[float]]:
    """``answer`` and the times that it is asked for."""
    asked: list[float] = []

    def ask(at: Float[np.ndarray, " B"]) -> Float[np.ndarray, "B S K 3"]:
        asked.extend(at)
        return answer(at)

    return ask, asked


def moment(at: Float[np.ndarray, " B"]) -> Float[np.ndarray, "B S K 3"]:
    """A network that answers the time of every frame."""
    return (at[:, None, None, None] + (np.arange(OUTPUTS) / RATE)[:, None, None]) * np.ones((2, 3))


def track_times(frames: int, rate: float, start: float = 3.0) -> Float[np.ndarray, " T"]:
    return start + np.arange(frames) / rate


@given(st.integers(1, 80), st.sampled_from([12.5, 20.0, 24000 / 1001, 60.0]), st.integers(1, 30), st.integers(1, 40))
@settings(max_examples=40)
def test_every_frame_gets_the_answer_for_its_time(frames: int, rate: float, step: int, batch: int) -> None:
    times = track_times(frames, rate)
    found = overlapping(moment, times, RATE, OUTPUTS, step, batch)
    np.testing.assert_allclose(found, times[:, None, None] * np.ones((2, 3)), atol=1e-9)


@given(st.integers(0, 2**31), st.integers(2, 60))
@settings(max_examples=30)
def test_constant_answers_stay_constant_at_any_times(seed: int, frames: int) -> None:
    random = np.random.default_rng(seed)
    times = np.cumsum(random.uniform(0.01, 0.1, frames))
    value = random.normal(size=(4, 3))
    found = overlapping(lambda at: np.tile(value, (len(at), OUTPUTS, 1, 1)), times, RATE, OUTPUTS, 5, 50)
    np.testing.assert_allclose(found, np.broadcast_to(value, found.shape), atol=1e-12)


def test_one_window_long_is_answered_as_it_is() -> None:
    answer = np.random.default_rng(0).normal(size=(1, OUTPUTS, 5, 3))
    ask, asked = asking(lambda at: answer)
    found = overlapping(ask, track_times(OUTPUTS, RATE), RATE, OUTPUTS, 5, 50)
    np.testing.assert_allclose(found, answer[0], atol=1e-12)
    assert asked == [3.0]


@pytest.mark.parametrize(("frames", "starts"), [(5, [0]), (13, [0, 1]), (22, [0, 5, 10]), (24, [0, 5, 10, 12])])
def test_windows_start_every_step_and_reach_the_end(frames: int, starts: list[int]) -> None:
    ask, asked = asking(moment)
    overlapping(ask, track_times(frames, RATE), RATE, OUTPUTS, 5, 24)
    np.testing.assert_allclose(asked, 3 + np.array(starts) / RATE)


def test_overlapping_answers_are_averaged() -> None:
    def numbered(at: Float[np.ndarray, " B"]) -> Float[np.ndarray, "B S K 3"]:
        return np.tile(np.round((at - 3) * RATE)[:, None, None, None], (1, OUTPUTS, 1, 3))

    found = overlapping(numbered, track_times(16, RATE), RATE, OUTPUTS, 2, 1)
    np.testing.assert_allclose(found[:, 0, 0], [0, 0, 1, 1, *[2] * 8, 3, 3, 4, 4])


def test_one_window_a_frame() -> None:
    ask, asked = asking(lambda at: moment(at)[:, :1])
    times = track_times(23, 31.0)
    np.testing.assert_allclose(each(ask, times, 10)[:, 0, 0], times)
    assert asked == list(times)
