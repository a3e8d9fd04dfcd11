"""The times of frames: a file's presentation timestamps made exact, strictly increasing, and starting at zero."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from statistics import median_low

from kinelift.poses import Frame

# A timestamp that jumps back by this many seconds or more starts a new clock (files joined end to end).
_CLOCK_RESET = 1
# A pause of more seconds than this, and of more than so many usual intervals, is an error of the clock.
_LONGEST_PAUSE, _LONGEST_INTERVALS = 60, 20
# Intervals that the usual one is taken from, and the longest (s) that is assumed without any.
_RECENT, _MAX_INTERVAL = 9, 1
# Ticks per second that an mp4 track should have at least; players round coarser clocks badly.
_MIN_CLOCK_RATE = 10_000


def clock_rate(time_base: Fraction) -> int:
    """Ticks per second (at least 10 000) of a clock on which every multiple of ``time_base`` (s) is a whole number."""
    return time_base.denominator * ceil(_MIN_CLOCK_RATE / time_base.denominator)


def record_times(frames: Iterable[Frame], times: list[float]) -> Iterator[Frame]:
    """Pass on every frame, after appending its time (s) to ``times``."""
    for frame in frames:
        times.append(float(frame.time))
        yield frame


@dataclass
class FrameClock:
    """Assigns times to frames.

    The first frame is at 0, and later ones keep the distances that the file states. Computed results and the rendered
    video therefore start together, and audio stays in sync when it is shifted by the same ``start``.

    Invalid timestamps are repaired. A missing one follows at the nominal interval. One that repeats or goes back
    follows after one tick. One that jumps back by a second or more starts a new clock, one interval after the last
    frame. So does one that jumps ahead by more than a minute, unless the frames are minutes apart anyway.

    Args:
        time_base: Unit of the timestamps (s).
        interval: Nominal time between two frames (s).
        tick: Smallest step in time (s).

    Attributes:
        start: Time that the file's clock shows at time 0 (s); None before the first timestamp.
        last: Time of the last frame (s); None before the first frame.
        closed: The jumps ahead that were closed: time of the frame before, and length (s).
    """

    time_base: Fraction
    interval: Fraction
    tick: Fraction
    start: Fraction | None = field(default=None, init=False)
    last: Fraction | None = field(default=None, init=False)
    closed: list[tuple[Fraction, Fraction]] = field(default_factory=list, init=False)
    _recent: deque[Fraction] = field(default_factory=lambda: deque(maxlen=_RECENT), init=False)

    def advance(self, pts: int | None) -> Fraction:
        """The time (s) of the next frame in presentation order.

        Args:
            pts: Its timestamp in units of ``time_base``; None if the file has none.
        """
        before, self.last = self.last, self._next(None if pts is None else pts * self.time_base)
        if before is not None:
            self._recent.append(self.last - before)
        return self.last

    @property
    def longest(self) -> Fraction:
        """The longest time that a frame may be shown (s)."""
        usual = median_low(self._recent) if self._recent else min(self.interval, Fraction(_LONGEST_PAUSE))
        return max(Fraction(_LONGEST_PAUSE), _LONGEST_INTERVALS * usual)

    def _next(self, timestamp: Fraction | None) -> Fraction:
        expected = Fraction(0) if self.last is None else self.last + self.interval
        if timestamp is None:
            return expected
        if self.start is None:
            self.start = timestamp - expected
        time = timestamp - self.start
        if self.last is None or self.last < time <= self.last + self.longest:
            return time
        if time > self.last:
            usual = median_low(self._recent) if self._recent else min(self.interval, Fraction(_MAX_INTERVAL))
            self.closed.append((self.last, time - self.last))
            self.start = timestamp - (self.last + usual)
            return self.last + usual
        if time > self.last - _CLOCK_RESET:
            return self.last + self.tick
        self.start = timestamp - expected
        return expected
