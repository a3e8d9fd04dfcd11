"""The check that every command makes before it works: no output replaces an input, and the disk has room."""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from kinelift.poses.errors import OutputError

OUTPUT_ARGUMENTS = frozenset({"out", "record", "report", "figure"})
"""The arguments of commands that name what is written. Every other path is read."""
_LEAST = 4e6
"""Bytes that must be free before any command starts. Those that write more say how much."""


def check_outputs(outputs: Iterable[Path], inputs: Iterable[Path], size: float = 0.0) -> None:
    """Check that no output would replace an input, however the two are named, and that there is space for the outputs.

    Args:
        outputs: The files and folders to write. They need not exist.
        inputs: The files and folders that are read.
        size: What the outputs take at least, in bytes.

    Raises:
        OutputError: An output is an input, or the disk has less space than ``size``.
    """
    read = {identity: path for path in inputs if (identity := _identity(path))}
    for output in outputs:
        source = read.get(_identity(output) or (0, 0))
        if source is not None:
            name = "the source" if source == output else f"the source {source}"
            raise OutputError(f"{output} is {name} and would be overwritten. Choose another name for the output.")
        _check_space(output, size)


def check_arguments(arguments: Mapping[str, Any]) -> None:
    """Check the paths among the arguments of a command, by the names of the arguments.

    Raises:
        OutputError: As for ``check_outputs``, with a size of a few megabytes.
    """
    written = [path for name in OUTPUT_ARGUMENTS for path in _paths(arguments.get(name)) if not path.is_dir()]
    read = [path for name, value in arguments.items() if name not in OUTPUT_ARGUMENTS for path in _paths(value)]
    check_outputs(written, read, _LEAST)


def files_under(folder: Path) -> tuple[Path, ...]:
    """All files in a folder and in those inside it; none if ``folder`` is a file."""
    return tuple(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else ()


def _paths(value: Any) -> Iterator[Path]:
    """The paths in a value, also in sequences and in the fields of dataclasses."""
    if isinstance(value, Path):
        yield value
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _paths(item)
    elif is_dataclass(value):
        for field in fields(value):
            yield from _paths(getattr(value, field.name))


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except (OSError, ValueError):  # it does not exist
        return None
    return status.st_dev, status.st_ino


def _check_space(output: Path, size: float) -> None:
    folder = next((one for one in output.absolute().parents if one.is_dir()), None)
    if folder is None or not size:
        return
    free = shutil.disk_usage(folder).free
    if free < size:
        raise OutputError(
            f"{output} needs about {size / 1e6:.0f} MB or more, and its disk has {free / 1e6:.0f} MB left. "
            "Free some space, or write to another disk with -o."
        )
