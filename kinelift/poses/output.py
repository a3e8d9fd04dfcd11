"""Atomic output: files and folders are written under a temporary name, then moved into place."""

import errno
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kinelift.poses.errors import OutputError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file atomically; an earlier file at ``path`` stays until the new one is complete.

    Yields:
        A path beside ``path`` to write to. It is moved to ``path`` on success, and removed on failure or interruption.

    Raises:
        OutputError: The file cannot be written, or ``path`` is a device or pipe, which a file would replace.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OutputError(f"{path} is a device or pipe, not a file. Choose another output.")
    part = path.with_name(path.name + ".part")
    try:
        yield part
        part.replace(path)
    except OSError as error:
        _remove(part)
        raise OutputError(f"{path} cannot be written ({error.strerror or error}). {remedy(error.errno)}") from error
    except BaseException:
        _remove(part)
        raise


@contextmanager
def replacing_folder(path: Path, is_own: Callable[[str], bool]) -> Iterator[Path]:
    """Write a folder atomically; an earlier folder at ``path`` stays until the new one is complete.

    Args:
        path: The folder. During the exchange the earlier one is named ``NAME.old``.
        is_own: Whether a file of this name may be replaced.

    Yields:
        A new folder beside ``path`` to write to. It replaces ``path`` on success, and is removed on failure.

    Raises:
        OutputError: The folder cannot be written, or one to be replaced holds other files. The latter is raised before
            anything is written.
    """
    path, part, old = _places(path)
    try:
        for folder in (path, part, old):
            _check(folder, is_own)
        shutil.rmtree(part, ignore_errors=True)
        make_folder(part)
        yield part
        _swap(part, path, old)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise OutputError(f"{path} cannot be written ({error.strerror or error}). {remedy(error.errno)}") from error
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def check_folder(path: Path, is_own: Callable[[str], bool]) -> None:
    """Check that ``replacing_folder`` would not replace other files.

    Raises:
        OutputError: A folder to be replaced holds files for which ``is_own`` is false.
    """
    for folder in _places(path):
        _check(folder, is_own)


def make_folder(path: Path) -> Path:
    """Make the folder ``path`` and its parents where they do not exist, and return it.

    Raises:
        OutputError: It cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The folder {path} cannot be made ({error.strerror or error}). {remedy(error.errno)}"
        ) from error
    return path


def remedy(number: int | None) -> str:
    """What the user can do about a failed write, by the system's error number."""
    match number:
        case errno.ENOSPC | errno.EFBIG | errno.EDQUOT:
            return "Free some space, or write to another disk."
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return "Choose a folder in which you have permission to write."
        case errno.ENOENT | errno.ENOTDIR:
            return "Create its folder first, or choose another one."
        case errno.EEXIST | errno.EISDIR:
            return "Another file or folder has that name: choose another name."
        case _:
            return "Check the disk, or choose another folder."


def _remove(part: Path) -> None:
    if part.is_file():
        part.unlink()


def _places(path: Path) -> tuple[Path, Path, Path]:
    """The folder, the one it is written as, and the name of an earlier one during the exchange."""
    path = path.resolve()  # the target of a link
    return path, path.with_name(path.name + ".part"), path.with_name(path.name + ".old")


def _check(folder: Path, is_own: Callable[[str], bool]) -> None:
    if folder.is_dir():
        other = sorted(entry.name for entry in folder.iterdir() if not (entry.is_file() and is_own(entry.name)))
        if other:
            raise OutputError(f"{folder} is not replaced, because it also holds {other[0]}. Choose another folder.")
    elif folder.exists():
        raise OutputError(f"{folder} is not a folder. Choose another name.")


def _swap(part: Path, path: Path, old: Path) -> None:
    shutil.rmtree(old, ignore_errors=True)
    try:
        if path.exists():
            path.rename(old)
        part.rename(path)
    except BaseException:
        if old.exists():
            old.rename(path)
        raise
    shutil.rmtree(old, ignore_errors=True)
