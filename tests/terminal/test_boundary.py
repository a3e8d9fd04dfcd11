"""How a run ends, whatever happens in it."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from kinelift.poses.errors import DataError, KineliftError
from kinelift.terminal.boundary import run_guarded
from kinelift.terminal.standard_output import writing_standard_output


def raising(error: BaseException) -> Callable[[], int]:
    def command() -> int:
        raise error

    return command


@pytest.mark.parametrize(("error", "status", "says"), [
    (DataError("No data in a[/red]b.\n"), 1, "error: No data in a[/red]b.\\n\n"),
    (PermissionError(errno.EACCES, "Not permitted", "a\x1b.mp4"), 1, "error: a\\x1b.mp4: Not permitted\n"),
    (OSError("no such thing"), 1, "error: no such thing\n"),
    (KeyboardInterrupt(), 130, "error: Interrupted. Complete results are kept.\n"),
    (SystemExit(2), 2, ""),
    (SystemExit(), 0, ""),
    (SystemExit("why"), 1, ""),
])  # fmt: skip
def test_an_error_is_a_status_and_a_line(
    error: BaseException, status: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_guarded(raising(error)) == status
    assert capsys.readouterr() == ("", says)


LIBRARY = """
import logging, warnings
from kinelift.terminal.boundary import run_guarded

def command():
    logging.getLogger("library").warning("logged")
    warnings.warn("deprecated")

shown = logging.lastResort
run_guarded(command)
assert logging.lastResort is shown
"""


@pytest.mark.parametrize(("options", "shown"), [([], False), (["-W", "default"], True)])
def test_what_libraries_warn_and_log_is_not_shown_unless_asked_for(options: list[str], shown: bool) -> None:
    done = subprocess.run([sys.executable, *options, "-c", LIBRARY], capture_output=True, text=True, check=True)
    assert ("logged" in done.stderr, "deprecated" in done.stderr) == (shown, shown)
    assert shown or done.stderr == ""


def test_success_has_the_status_of_the_command() -> None:
    assert (run_guarded(lambda: None), run_guarded(lambda: 0), run_guarded(lambda: 3)) == (0, 0, 3)


def test_a_fault_of_ours_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        run_guarded(raising(ZeroDivisionError()))


def test_a_request_to_end_unwinds() -> None:
    unwound = []

    def command() -> int:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            signal.pause()
        finally:
            unwound.append(True)
        return 0

    before = signal.getsignal(signal.SIGTERM)
    assert run_guarded(command) == 143
    assert unwound and signal.getsignal(signal.SIGTERM) is before


def test_output_that_cannot_be_written_is_told_from_output_that_nobody_reads() -> None:
    with pytest.raises(BrokenPipeError), writing_standard_output():
        raise BrokenPipeError
    with pytest.raises(KineliftError, match="No space left"), writing_standard_output():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
