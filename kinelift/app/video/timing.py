"""From a file's presentation time stamps to exact, strictly increasing times that start at zero."""

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil

# A step back of this many seconds or more is a new clock (files joined end to end), not a slip of the old one.
_NEW_CLOCK = 1
# An mp4 track should count at least this many ticks a second; players round coarser clocks badly.
_FINEST = 10_000


def ticks_a_second(time_base: Fraction) -> int:
    """A clock of at least 10 kHz in which every multiple of ``time_base`` (s) is a whole number of ticks."""
    return time_base.denominator * ceil(_FINEST / time_base.denominator)


@dataclass
class Timeline:
    """Places pictures in time.

    The first picture is at 0, and every later one as far behind it as the file says (``pts`` × ``time_base``): the
    results that are computed and the video that is rendered then start together, and sound stays in step when it is
    shifted by the same ``start``. Time stamps that a file should not hold are mended: a missing one follows at the
    nominal ``interval`` (s); one that repeats or slips back follows after one ``tick`` (s); one that jumps back by a
    second or more starts a new clock, at the nominal interval behind the last picture.
    """

    time_base: Fraction
    interval: Fraction
    tick: Fraction
    start: Fraction | None = field(default=None, init=False)
    last: Fraction | None = field(default=None, init=False)

    def place(self, pts: int | None) -> Fraction:
        """The time (s) of the next picture in presentation order."""
        self.last = self._next(None if pts is None else pts * self.time_base)
        return self.last

    def _next(self, stamp: Fraction | None) -> Fraction:
        follows = Fraction(0) if self.last is None else self.last + self.interval
        if stamp is None:
            return follows
        if self.start is None:
            self.start = stamp - follows
        time = stamp - self.start
        if self.last is None or time > self.last:
            return time
        if time > self.last - _NEW_CLOCK:
            return self.last + self.tick
        self.start = stamp - follows
        return follows
