"""How fast a live analysis is: frames per second, latency, and frames that were dropped."""

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Summary:
    """The figures of some time.

    Attributes:
        frames: Frames that were analysed.
        rate: Frames per second.
        latency: Median seconds from when a frame was taken until its result was shown; NaN without frames.
        late: The same, 95th percentile.
        dropped: Frames that were not analysed.
    """

    frames: int
    rate: float
    latency: float
    late: float
    dropped: int

    def __str__(self) -> str:
        return (
            f"{self.rate:.1f} frames/s, latency {1e3 * self.latency:.0f} ms (95 %: {1e3 * self.late:.0f} ms), "
            f"{self.dropped} dropped"
        )


@dataclass
class Statistics:
    """Collects the figures.

    Args:
        start: When the analysis started, s.
    """

    start: float
    _latencies: list[float] = field(default_factory=list)
    _dropped: int = 0

    def add(self, latency: float, dropped: int) -> None:
        """Count a frame.

        Args:
            latency: Seconds from when it was taken until its result was shown.
            dropped: Frames dropped since the frame before.
        """
        self._latencies.append(latency)
        self._dropped += dropped

    def summary(self, now: float) -> Summary:
        """The figures from the start until ``now`` (s)."""
        count, seconds = len(self._latencies), max(now - self.start, 1e-9)
        median, late = np.percentile(self._latencies, [50, 95]).tolist() if count else (np.nan, np.nan)
        return Summary(count, count / seconds, median, late, self._dropped)
