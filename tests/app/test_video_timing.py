from fractions import Fraction
from itertools import accumulate, pairwise

from hypothesis import given
from hypothesis import strategies as st

from kinelift.app.video.timing import FrameClock, clock_rate

RATE = Fraction(25)


def timeline() -> FrameClock:
    return FrameClock(Fraction(1, 1000), 1 / RATE, Fraction(1, 10_000))


def placed(*stamps: int | None) -> list[Fraction]:
    line = timeline()
    return [line.advance(stamp) for stamp in stamps]


@given(st.integers(-(10**6), 10**6), st.lists(st.integers(1, 60_000)))
def test_increasing_stamps_keep_their_distances_and_start_at_zero(first, steps):
    stamps = list(accumulate(steps, initial=first))
    assert placed(*stamps) == [Fraction(stamp - stamps[0], 1000) for stamp in stamps]


@given(st.lists(st.none() | st.integers(-(10**6), 10**6), min_size=1))
def test_whatever_the_stamps_times_increase_from_zero(stamps):
    times = placed(*stamps)
    assert times[0] == 0
    assert all(early < late for early, late in pairwise(times))


def test_start_is_the_first_picture_on_the_files_clock():
    line = timeline()
    line.advance(-40)
    line.advance(0)
    assert line.start == Fraction(-40, 1000)


def test_a_repeated_stamp_moves_one_tick_and_no_picture_after_it():
    assert placed(0, 40, 40, 80) == [0, Fraction(400, 10_000), Fraction(401, 10_000), Fraction(80, 1000)]


def test_a_missing_stamp_follows_at_the_nominal_interval():
    assert placed(0, None, None, 120) == [0, 1 / RATE, 2 / RATE, 3 / RATE]
    assert placed(None, None, 5000, 5040) == [0, 1 / RATE, 2 / RATE, 3 / RATE]


def test_a_jump_back_goes_on_from_where_the_picture_was():
    assert placed(5000, 9000, 5000, 5040) == [0, 4, 4 + 1 / RATE, 4 + 2 / RATE]


def test_a_jump_ahead_is_closed_and_told():
    line = timeline()
    days = 116 * 86_400_000
    times = [line.advance(stamp) for stamp in (0, 40, 80, days + 120, days + 160)]
    assert times == [k / RATE for k in range(5)]
    assert line.closed == [(2 / RATE, Fraction(days + 40, 1000))]


def test_frames_that_are_minutes_apart_keep_their_times():
    line = FrameClock(Fraction(1), Fraction(120), Fraction(1, 10_000))
    assert [line.advance(120 * k) for k in range(5)] == [120 * k for k in range(5)]
    assert line.closed == []


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(0, 10**9))
def test_the_clock_counts_every_stamp_in_whole_ticks(numerator, denominator, pts):
    time_base = Fraction(numerator, denominator)
    clock = clock_rate(time_base)
    assert clock >= 10_000
    assert (pts * time_base * clock).denominator == 1
