"""The check that every command makes before it works: no output replaces an input, and the disk has room."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from kinelift.poses.errors import OutputError


def check_outputs(outputs: Iterable[Path], inputs: Iterable[Path], size: float = 0.0) -> None:
    """Check that no output would replace an input, however the two are named, and that there is space for the outputs.

    Args:
        outputs: The files and folders to write. They need not exist.
        inputs: The files and folders that are read. Files in these folders count, too.
        size: What the outputs take at least, in bytes.

    Raises:
        OutputError: An output is an input, or the disk has less space than ``size``.
    """
    outputs, inputs = tuple(outputs), tuple(inputs)
    for output in outputs:
        for source in inputs:
            if _is_same(output, source) or (output.is_file() and _is_inside(output, source)):
                name = "the source" if _is_same(output, source) else f"in {source}, which is read,"
                raise OutputError(f"{output} is {name} and would be overwritten. Choose another output with -o.")
    for output in outputs:
        _check_space(output, size)


def _is_same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:  # one of them does not exist
        return False


def _is_inside(path: Path, folder: Path) -> bool:
    return folder.is_dir() and path.resolve().is_relative_to(folder.resolve())


def _check_space(output: Path, size: float) -> None:
    folder = next((one for one in (output, *output.absolute().parents) if one.is_dir()), None)
    if folder is None:
        return
    free = shutil.disk_usage(folder).free
    if free < size:
        raise OutputError(
            f"{output} needs about {size / 1e6:.0f} MB, and its disk has {free / 1e6:.0f} MB left. "
            "Free some space, or write to another disk with -o."
        )
