"""The error boundary of all commands: turns errors, Ctrl-C and closed pipes into messages and exit statuses.

Until something fails, it imports the standard library only, so that Ctrl-C during slow imports is handled here, too.
"""

import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from kinelift.terminal.standard_output import (
    discard_standard_output,
    escape_unencodable_output,
    writing_standard_output,
)

INTERRUPTED = 128 + signal.SIGINT
BROKEN_PIPE = 141  # 128 + SIGPIPE, also on systems without that signal


def run_guarded(command: Callable[[], int | None]) -> int:
    """Run a command and report its errors.

    Returns:
        The exit status of the process: 0 for success; 1 for an error that the user can correct, printed on one line; 2
        for wrong usage; 130 after Ctrl-C; 141 if standard output was closed (``| head``); 143 after SIGTERM.
    """
    escape_unencodable_output()
    try:
        with _exit_on_sigterm(), _without_warnings():
            return _run_and_flush(command) or 0
    except KeyboardInterrupt:
        _print_error("Interrupted. Complete results are kept.")
        return INTERRUPTED
    except Exception as error:
        return _report_failure(error)


def _run_and_flush(command: Callable[[], int | None]) -> int | None:
    """The exit status of ``command``, after its output is written."""
    try:
        status = command()
    except SystemExit as exit_:
        status = exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)
    with writing_standard_output():
        if sys.stdout is not None:
            sys.stdout.flush()
    return status


def _report_failure(error: Exception) -> int:
    """Print an error on one line and return its exit status; raise a bug again, for its traceback."""
    from kinelift.poses.errors import KineliftError

    match error:
        case BrokenPipeError():
            discard_standard_output()
            return BROKEN_PIPE
        case OSError(filename=str() | bytes() as name):
            _print_error(f"{os.fsdecode(name)}: {error.strerror}")
        case KineliftError() | OSError():
            _print_error(str(error))
        case _:
            raise error
    return 1


def _print_error(error: str) -> None:
    """Print an error on one line, unless standard error is closed."""
    from kinelift.terminal.reporter import Reporter

    with suppress(OSError):
        Reporter().error(error)


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Keep what libraries warn and log, which is for developers, off standard error; ``python -W default`` shows it."""
    if sys.warnoptions:
        yield
        return
    shown = logging.lastResort
    logging.lastResort = logging.NullHandler()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.lastResort = shown


@contextmanager
def _exit_on_sigterm() -> Iterator[None]:
    """Raise ``SystemExit`` with status 143 on SIGTERM (``kill``, ``docker stop``), so that files are cleaned up."""
    previous = signal.signal(signal.SIGTERM, _exit_on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _exit_on_signal(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
