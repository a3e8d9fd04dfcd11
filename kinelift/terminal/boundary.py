"""Being asked to stop: the program unwinds, so that no half files are left."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 128 + signal.SIGINT
NOBODY_READS = 141  # 128 + SIGPIPE, where there is one


@contextmanager
def unwinding() -> Iterator[None]:
    """Within it SIGTERM (``kill``, ``docker stop``) unwinds like Ctrl-C does, as ``SystemExit`` with status 143."""
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def mute() -> None:
    """Send what is still to be printed nowhere, once the reader of standard output has gone (``| head``)."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
