"""New results of a video replace the earlier ones in a single step; files that users have added stay."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kinelift.app.results.lock import NEW, OLD, working_folder
from kinelift.app.results.source import RESULTS, SOURCE_FILE, Source, holds_results
from kinelift.poses.errors import KineliftError
from kinelift.poses.exchange import move_into_place
from kinelift.poses.output import make_folder, output_errors

_OWN = frozenset({*RESULTS, SOURCE_FILE})


@contextmanager
def new_results(path: Path, source: Source, is_own: Callable[[str], bool] = lambda name: False) -> Iterator[Path]:
    """Write results that belong together to a folder that is locked.

    They replace the earlier ones in ``path`` once all are complete. If writing fails, earlier results stay as they are;
    without earlier ones, the files that are complete are kept.

    Args:
        path: The folder.
        source: The video.
        is_own: Whether a file of this name, besides ``RESULTS``, is a result that new ones replace.

    Yields:
        A folder to write ``RESULTS`` to.

    Raises:
        OutputError: The results cannot be written.
    """
    with output_errors(path):
        new = working_folder(path) / NEW
        if new.exists():
            shutil.rmtree(new)
        make_folder(new)
    try:
        yield new
    except BaseException as error:
        if any((new / name).exists() for name in RESULTS) and not holds_results(path):
            _publish(new, path, source, is_own)
        if isinstance(error, KineliftError):
            raise type(error)(str(error).replace(str(new), str(path))) from error
        raise
    _publish(new, path, source, is_own)


def _publish(new: Path, path: Path, source: Source, is_own: Callable[[str], bool]) -> None:
    source.write(new)
    with output_errors(path):
        path, old = path.resolve(), new.with_name(OLD)
        shutil.rmtree(old, ignore_errors=True)
        if path.exists():
            _link_other_files(path, new, is_own)
        move_into_place(new, path, old)
        if old.exists():
            _move_late_files(old, path, is_own)
            shutil.rmtree(old, ignore_errors=True)


def _link_other_files(path: Path, new: Path, is_own: Callable[[str], bool]) -> None:
    """Add to ``new`` what users have put into ``path``, without copying it where links are possible."""

    def own(folder: str, names: list[str]) -> set[str]:
        return {name for name in names if name in _OWN or is_own(name)} if Path(folder) == path else set()

    shutil.copytree(path, new, symlinks=True, ignore=own, copy_function=_link, dirs_exist_ok=True)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def _move_late_files(old: Path, path: Path, is_own: Callable[[str], bool]) -> None:
    """Move over what was put into the earlier folder in the moment of the exchange."""
    for entry in old.iterdir():
        if not (entry.name in _OWN or is_own(entry.name)) and not os.path.lexists(path / entry.name):
            entry.rename(path / entry.name)
