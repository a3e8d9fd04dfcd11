"""The numbers of a live analysis, one line a second."""

from kinelift.app.live.analyser import Moment
from kinelift.app.live.statistics import Statistics
from kinelift.app.render.overlay import described
from kinelift.terminal.reporter import Reporter

EVERY = 1.0
"""Seconds between two lines."""


class Lines:
    """Prints frames per second, latency, dropped frames, and the people with what they do."""

    def __init__(self, reporter: Reporter, start: float) -> None:
        """Start at ``start``, s on the clock of the analysis."""
        self._reporter, self._second = reporter, Statistics(start)

    def add(self, moment: Moment, latency: float, dropped: int, now: float) -> None:
        """Count a frame, and print a line if a second has passed since the last one.

        Args:
            moment: The result of the frame.
            latency: Seconds from when it was taken until now.
            dropped: Frames dropped since the frame before.
            now: The time on the clock of the analysis, s.
        """
        self._second.add(latency, dropped)
        if now - self._second.start < EVERY:
            return
        people = ", ".join(described(person.id, person.action) for person in moment.present) or "nobody"
        self._reporter.result(f"{float(moment.frame.time):.1f} s: {self._second.summary(now)}; {people}")
        self._second = Statistics(now)
