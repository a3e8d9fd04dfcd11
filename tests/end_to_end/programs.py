"""Starting the program as a user does."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str | Path, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """``python -m kinelift ARGUMENTS`` in ``folder``, to its end."""
    process = start("kinelift", *arguments, folder=folder, **variables)
    out, err = finish(process)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def finish(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What it prints to standard output and to standard error until it ends. A test that is given up ends it."""
    try:
        return process.communicate()
    finally:
        process.kill()


def start(
    module: str, *arguments: str | Path, folder: Path, largest: int | None = None, **variables: str
) -> subprocess.Popen[str]:
    """Start a module of the checkout; files may not grow beyond ``largest`` bytes, as if the disk were full."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **variables},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        errors="backslashreplace",
        preexec_fn=None if largest is None else _limited(largest),
    )  # fmt: skip


def _limited(largest: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
