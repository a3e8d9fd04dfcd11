"""The one place where a command ends: what its errors, a Ctrl-C and a closed pipe turn into.

Imports nothing but the standard library until something went wrong: a Ctrl-C during slow imports ends here, too.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from types import FrameType

INTERRUPTED = 128 + signal.SIGINT
NOBODY_READS = 141  # 128 + SIGPIPE, where there is one


def guarded(command: Callable[[], int | None]) -> int:
    """Run a command to its end and return the exit status of the process.

    0 after success; 1 after an error that the user can mend, printed as one line; 2 after wrong usage; 130 after
    Ctrl-C; 143 after SIGTERM; 141 where nobody reads the output any more (``| head``).
    """
    _print_anything()
    try:
        with _unwinding():
            return _flushed(command) or 0
    except KeyboardInterrupt:
        _say("Interrupted. Results that were complete are kept.")
        return INTERRUPTED
    except Exception as error:
        return _failed(error)


@contextmanager
def writing_standard_output() -> Iterator[None]:
    """Raises ``OutputError`` where the system refuses to write, but ``BrokenPipeError`` where nobody reads."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        from kinelift.poses.errors import OutputError

        _mute()
        reason = error.strerror or error
        raise OutputError(f"Standard output cannot be written ({reason}). Free some space there.") from error


def _flushed(command: Callable[[], int | None]) -> int | None:
    """What ``command`` returns or leaves with, once all that it printed is written."""
    try:
        status = command()
    except SystemExit as left:
        status = left.code if isinstance(left.code, int) else int(left.code is not None)
    with writing_standard_output():
        if sys.stdout is not None:
            sys.stdout.flush()
    return status


def _failed(error: Exception) -> int:
    """The status for ``error``, told in one line; a fault of ours is raised again, for its traceback."""
    from kinelift.poses.errors import KineliftError

    match error:
        case BrokenPipeError():
            _mute()
            return NOBODY_READS
        case OSError(filename=str() | bytes() as name):
            _say(f"{os.fsdecode(name)}: {error.strerror}")
        case KineliftError() | OSError():
            _say(str(error))
        case _:
            raise error
    return 1


def _say(error: str) -> None:
    """An error in one line. There may be nobody left who reads it."""
    from kinelift.terminal.reporter import Reporter

    with suppress(OSError):
        Reporter().error(error)


@contextmanager
def _unwinding() -> Iterator[None]:
    """Within it SIGTERM (``kill``, ``docker stop``) unwinds like Ctrl-C does, as ``SystemExit`` with status 143."""
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _print_anything() -> None:
    """What the encoding of the locale lacks is printed as an escape, instead of ending the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _mute() -> None:
    """Send nowhere what is still to be printed on standard output."""
    with suppress(OSError, ValueError, AttributeError), open(os.devnull, "w") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
