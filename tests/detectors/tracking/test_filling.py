"""Gaps: short ones are filled and marked, long ones stay unseen. And the selection of people."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinelift.detectors.tracking import Identity, select_people
from kinelift.detectors.tracking.filling import fill
from kinelift.poses import COCO17, Track2D
from kinelift.poses.errors import SettingsError

WRIST = COCO17.index("left_wrist")


def straight(times: np.ndarray, extent: float = 100.0) -> Track2D:
    """Everybody's joints on a line, moving with 50 px/s."""
    line = np.stack([np.linspace(0, extent, 17), np.linspace(0, 2 * extent, 17)], axis=-1)
    points = line[None] + 50.0 * times[:, None, None]
    seen = np.ones((len(times), 17))
    return Track2D(points, 0.8 * seen, times, seen < 0, 0, (640, 480))


def without(track: Track2D, frames: slice, joints: slice | int = WRIST) -> Track2D:
    points, scores = track.points.copy(), track.scores.copy()
    points[frames, joints] = np.nan
    scores[frames, joints] = 0.0
    return Track2D(points, scores, track.times, track.filled, track.start, track.size)


def test_a_short_gap_is_filled_and_marked() -> None:
    whole = straight(np.arange(60) / 30)
    filled = fill(without(whole, slice(20, 28)), 0.4)
    np.testing.assert_allclose(filled.points, whole.points, atol=1e-9)
    assert filled.filled[20:28, WRIST].all()
    assert filled.filled.sum() == 8
    np.testing.assert_allclose(filled.scores[20:28, WRIST], 0.4)


def test_a_long_gap_stays_unseen() -> None:
    gap = without(straight(np.arange(60) / 30), slice(20, 40), slice(None))
    filled = fill(gap, 0.4)
    np.testing.assert_array_equal(filled.points, gap.points)
    assert not filled.filled.any()
    assert (filled.scores[20:40] == 0).all()


def test_ends_are_not_extrapolated() -> None:
    gap = without(straight(np.arange(20) / 30), slice(0, 3))
    assert not fill(gap, 1.0).filled.any()


def test_a_joint_never_seen_or_seen_once_stays_so() -> None:
    gap = without(without(straight(np.arange(20) / 30), slice(0, 9)), slice(10, 20))
    gap = without(gap, slice(0, 20), 0)
    assert not fill(gap, 1.0).filled.any()


@given(st.lists(st.floats(0.01, 0.2), min_size=5, max_size=30), st.data())
def test_filling_does_not_overshoot(steps: list[float], data: st.DataObject) -> None:
    times = np.cumsum(steps)
    random = np.random.default_rng(data.draw(st.integers(0, 999)))
    track = straight(times)
    wild = Track2D(random.uniform(0, 480, track.points.shape), track.scores, times, track.filled, 0, track.size)
    first = data.draw(st.integers(1, len(times) - 3))
    last = data.draw(st.integers(first + 1, len(times) - 1))
    filled = fill(without(wild, slice(first, last)), 0.5)
    expected = times[last] - times[first - 1] <= 0.5
    assert filled.filled[first:last, WRIST].all() == expected
    if expected:
        ends = wild.points[[first - 1, last], WRIST]
        assert (filled.points[first:last, WRIST] >= ends.min(axis=0) - 1e-9).all()
        assert (filled.points[first:last, WRIST] <= ends.max(axis=0) + 1e-9).all()


def test_filling_twice_adds_nothing() -> None:
    once = fill(without(straight(np.arange(60) / 30), slice(20, 28)), 0.4)
    np.testing.assert_array_equal(fill(once, 0.4).points, once.points)


def test_the_main_person_is_large_for_long() -> None:
    long_and_small = Identity(1, straight(np.arange(100) / 30, 40.0))
    long_and_large = Identity(2, straight(np.arange(90) / 30, 100.0))
    short_and_large = Identity(5, straight(np.arange(20) / 30, 120.0))
    everybody = (long_and_small, long_and_large, short_and_large)
    assert select_people(everybody, "all") == everybody
    assert select_people(everybody, "main") == (long_and_large,)
    assert select_people(everybody, 2) == select_people(everybody, "2") == (long_and_large, short_and_large)
    assert select_people(everybody, 9) == everybody
    assert select_people((), "main") == ()


def test_an_unseen_person_has_no_prominence() -> None:
    seen = Identity(1, straight(np.arange(30) / 30))
    mostly_hidden = Identity(2, without(straight(np.arange(60) / 30), slice(5, 55), slice(None)))
    assert select_people((seen, mostly_hidden), "main") == (seen,)


@pytest.mark.parametrize("wrong", [0, -1, "some", "1.5", "", "-2"])
def test_other_choices_are_refused(wrong: str | int) -> None:
    with pytest.raises(SettingsError, match="all, main, or how many"):
        select_people((), wrong)
