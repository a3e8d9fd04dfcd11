"""Standard output that may be closed, full or unable to show a character. Imports the standard library only."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper


@contextmanager
def writing_standard_output() -> Iterator[None]:
    """Turn errors of writing to standard output into errors of ours.

    Raises:
        OutputError: The system cannot write, for example because the disk is full.
        BrokenPipeError: The reader closed the pipe.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        from kinelift.poses.errors import OutputError

        discard_standard_output()
        reason = error.strerror or error
        raise OutputError(f"Standard output cannot be written ({reason}). Free some space.") from error


def escape_unencodable_output() -> None:
    """Print characters that the locale cannot encode as escapes, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def discard_standard_output() -> None:
    """Redirect standard output, with what is still buffered, to the null device."""
    with suppress(OSError, ValueError, AttributeError), open(os.devnull, "w") as null:  # noqa: PTH123
        os.dup2(null.fileno(), sys.stdout.fileno())
