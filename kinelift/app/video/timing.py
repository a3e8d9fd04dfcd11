"""Turns a file's presentation timestamps into exact, strictly increasing times that start at zero."""

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil

# A timestamp that jumps back by this many seconds or more starts a new clock (files joined end to end).
_CLOCK_RESET = 1
# Ticks per second that an mp4 track should have at least; players round coarser clocks badly.
_MIN_CLOCK_RATE = 10_000


def clock_rate(time_base: Fraction) -> int:
    """Ticks per second (at least 10 000) of a clock on which every multiple of ``time_base`` (s) is a whole number."""
    return time_base.denominator * ceil(_MIN_CLOCK_RATE / time_base.denominator)


@dataclass
class FrameClock:
    """Assigns times to frames.

    The first frame is at 0, and later ones keep the distances that the file states. Computed results and the rendered
    video therefore start together, and audio stays in sync when it is shifted by the same ``start``.

    Invalid timestamps are repaired. A missing one follows at the nominal interval. One that repeats or goes back
    follows after one tick. One that jumps back by a second or more starts a new clock, one interval after the last
    frame.

    Args:
        time_base: Unit of the timestamps (s).
        interval: Nominal time between two frames (s).
        tick: Smallest step in time (s).

    Attributes:
        start: Time that the file's clock shows at time 0 (s); None before the first timestamp.
        last: Time of the last frame (s); None before the first frame.
    """

    time_base: Fraction
    interval: Fraction
    tick: Fraction
    start: Fraction | None = field(default=None, init=False)
    last: Fraction | None = field(default=None, init=False)

    def advance(self, pts: int | None) -> Fraction:
        """The time (s) of the next frame in presentation order.

        Args:
            pts: Its timestamp in units of ``time_base``; None if the file has none.
        """
        self.last = self._next(None if pts is None else pts * self.time_base)
        return self.last

    def _next(self, timestamp: Fraction | None) -> Fraction:
        expected = Fraction(0) if self.last is None else self.last + self.interval
        if timestamp is None:
            return expected
        if self.start is None:
            self.start = timestamp - expected
        time = timestamp - self.start
        if self.last is None or time > self.last:
            return time
        if time > self.last - _CLOCK_RESET:
            return self.last + self.tick
        self.start = timestamp - expected
        return expected
