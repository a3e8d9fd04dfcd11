"""Files and folders appear whole or not at all: written under another name, then moved into place."""

import errno
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kinelift.poses.errors import OutputError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A name beside ``path`` to write to: moved to ``path`` on success, removed on any failure or interruption.

    An earlier file at ``path`` stays until then. Raises ``OutputError`` where the system refuses to write.
    """
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
def replacing_folder(path: Path, ours: Callable[[str], bool]) -> Iterator[Path]:
    """A new folder beside ``path`` to write to: it takes the place of ``path`` on success, else it is removed.

    An earlier folder stays until then, and is put aside as ``NAME.old`` while names change. Raises ``OutputError``
    where the system refuses, and before anything is written if a folder in the way has files that are not ``ours``.
    """
    path = path.resolve()  # what a link leads to
    part, old = (path.with_name(path.name + suffix) for suffix in (".part", ".old"))
    try:
        for folder in (path, part, old):
            _check(folder, ours)
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


def check_folder(path: Path, ours: Callable[[str], bool]) -> None:
    """Raises ``OutputError`` if a folder at ``path``, or in the way, has files that are not ``ours``."""
    for folder in _places(path):
        _check(folder, ours)


def make_folder(path: Path) -> Path:
    """``path``, made with its parents if need be. Raises ``OutputError``."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The folder {path} cannot be made ({error.strerror or error}). {remedy(error.errno)}"
        ) from error
    return path


def remedy(number: int | None) -> str:
    """What to do about a refused write, by the system's error number."""
    match number:
        case errno.ENOSPC | errno.EFBIG | errno.EDQUOT:
            return "Free some space, or write to another disk."
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return "Choose a folder in which you may write."
        case errno.ENOENT | errno.ENOTDIR:
            return "Make its folder first, or choose another one."
        case errno.EEXIST | errno.EISDIR:
            return "Something of another kind has that name: choose another one."
        case _:
            return "Check the disk, or choose another folder."


def _remove(part: Path) -> None:
    if part.is_file():
        part.unlink()


def _places(path: Path) -> tuple[Path, Path, Path]:
    """Where the folder goes, where it is made, and where an earlier one waits meanwhile."""
    path = path.resolve()
    return path, path.with_name(path.name + ".part"), path.with_name(path.name + ".old")


def _check(folder: Path, ours: Callable[[str], bool]) -> None:
    if folder.is_dir():
        other = sorted(entry.name for entry in folder.iterdir() if not (entry.is_file() and ours(entry.name)))
        if other:
            raise OutputError(
                f"{folder} is kept, because it holds something else, too: {other[0]}. Name another folder."
            )
    elif folder.exists():
        raise OutputError(f"{folder} is no folder. Name another one.")


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
