"""The clock of a live analysis, which tests replace."""

import time
from typing import Protocol, runtime_checkable


@runtime_checkable
class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> float:
        """Seconds from any beginning; never goes back."""

    def wait_until(self, moment: float) -> None:
        """Return at ``moment`` (s), or at once if it has passed."""


class SystemClock:
    """The computer's clock."""

    def now(self) -> float:
        """Seconds from any beginning."""
        return time.monotonic()

    def wait_until(self, moment: float) -> None:
        """Sleep until ``moment`` (s)."""
        time.sleep(max(0.0, moment - time.monotonic()))
