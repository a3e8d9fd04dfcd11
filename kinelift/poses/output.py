"""Atomic output: files and folders are written in a temporary folder beside them, then moved into place.

The temporary folder is ``.NAME.RANDOM.part``. It is created exclusively, for this user only, so that nobody can plant a
link in it, and locked while its program runs. What killed programs left is removed by the next one that writes NAME.
"""

import errno
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from tempfile import mkdtemp

from filelock import FileLock, Timeout

from kinelift.poses.errors import OutputError
from kinelift.poses.exchange import move_into_place, restore

_LOCK, _OLD = "lock", "old"
_PREFIX_LENGTH = 40
"""Characters of a file's name in that of its temporary folder: names may have 255 bytes."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file atomically; an earlier file at ``path`` stays until the new one is complete.

    Yields:
        A path to write to. It is moved to ``path`` on success, and removed on failure or interruption.

    Raises:
        OutputError: The file cannot be written, or ``path`` is a device or pipe, which a file would replace.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OutputError(f"{path} is a device or pipe, not a file. Choose another output.")
    with output_errors(path), temporary_folder(path) as folder:
        part = folder / path.name
        yield part
        part.replace(path)


@contextmanager
def replacing_folder(path: Path, is_own: Callable[[str], bool]) -> Iterator[Path]:
    """Write a folder atomically; an earlier folder at ``path`` stays until the new one is complete.

    Args:
        path: The folder.
        is_own: Whether a file of this name may be replaced.

    Yields:
        A new folder to write to. It replaces ``path`` on success, and is removed on failure.

    Raises:
        OutputError: The folder cannot be written, or one to be replaced holds other files. The latter is raised before
            anything is written.
    """
    path = path.resolve()  # the target of a link
    with output_errors(path):
        check_folder(path, is_own)
        with temporary_folder(path) as folder:
            part = make_folder(folder / path.name)
            yield part
            check_folder(path, is_own)
            move_into_place(part, path, make_folder(folder / _OLD) / path.name)


@contextmanager
def temporary_folder(path: Path) -> Iterator[Path]:
    """A new folder beside ``path`` to prepare it in, removed at the end with everything in it.

    Raises:
        OSError: The folder cannot be made.
    """
    prefix = f".{path.name[:_PREFIX_LENGTH]}."
    for abandoned in path.parent.glob(f"{escape(prefix)}*.part"):
        _remove_abandoned(abandoned)
    created = Path(mkdtemp(prefix=prefix, dir=path.parent))
    with FileLock(created / _LOCK):
        folder = created.rename(f"{created}.part")  # locked already, or another program would take it for abandoned
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def output_errors(path: Path) -> Iterator[None]:
    """Turn the system's errors of writing ``path`` into an ``OutputError`` with a remedy."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror or error}). {remedy(error.errno)}") from error


def check_folder(path: Path, is_own: Callable[[str], bool]) -> None:
    """Check that ``replacing_folder`` would not replace other files.

    Raises:
        OutputError: A folder to be replaced holds files for which ``is_own`` is false.
    """
    path = path.resolve()
    if path.is_dir():
        other = sorted(entry.name for entry in path.iterdir() if not (entry.is_file() and is_own(entry.name)))
        if other:
            raise OutputError(f"{path} is not replaced, because it also holds {other[0]}. Choose another folder.")
    elif path.exists():
        raise OutputError(f"{path} is not a folder. Choose another name.")


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


def _remove_abandoned(folder: Path) -> None:
    """Remove the temporary folder of a program that has ended; what it had moved out of the way is put back first."""
    lock = folder / _LOCK
    if not lock.is_file() or folder.is_symlink():
        return
    try:
        with FileLock(lock, timeout=0):
            for old in (folder / _OLD).glob("*"):
                restore(old, folder.with_name(old.name))
            shutil.rmtree(folder, ignore_errors=True)
    except (Timeout, OSError):
        return  # in use, or another user's
