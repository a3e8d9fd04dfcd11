"""Exchange a folder for another one in a single step, where the file system can."""

import ctypes
import os
import sys
from pathlib import Path

_AT_FDCWD = -100
_EXCHANGE = 2
"""RENAME_EXCHANGE of Linux's renameat2 and RENAME_SWAP of macOS's renamex_np have the same value."""


def move_into_place(new: Path, path: Path, old: Path) -> None:
    """Move a folder to ``path``; what is there is moved to ``old``.

    A program that is killed leaves either the one or the other at ``path``. On file systems that cannot exchange two
    folders in one step it may also leave nothing there; ``restore`` then puts back the earlier one.

    Args:
        new: The folder to move.
        path: Where to; a folder or nothing.
        old: A name that is free, on the same file system.

    Raises:
        OSError: A folder cannot be moved. Everything is as before.
    """
    if not path.exists():
        new.rename(path)
    elif _exchange(new, path):
        new.rename(old)
    else:
        path.rename(old)
        try:
            new.rename(path)
        except BaseException:
            old.rename(path)
            raise


def restore(old: Path, path: Path) -> None:
    """Put back what ``move_into_place`` had moved to ``old`` when it was killed before it was done."""
    if old.exists() and not path.exists():
        old.rename(path)


def _exchange(a: Path, b: Path) -> bool:
    """Exchange two folders in one step; whether the system and the file system can."""
    if os.name != "posix":
        return False
    library, first, second = ctypes.CDLL(None), os.fsencode(a), os.fsencode(b)
    if sys.platform == "linux" and hasattr(library, "renameat2"):
        return bool(library.renameat2(_AT_FDCWD, first, _AT_FDCWD, second, _EXCHANGE) == 0)
    if sys.platform == "darwin" and hasattr(library, "renamex_np"):
        return bool(library.renamex_np(first, second, _EXCHANGE) == 0)
    return False
