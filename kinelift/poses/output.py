"""Files appear whole or not at all: written under another name, then moved into place."""

import errno
from collections.abc import Iterator
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
