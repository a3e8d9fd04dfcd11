"""The folder that a video's results get: OUT/NAME, unless it holds those of another video."""

import re
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from kinelift.app.results.lock import CHECKPOINT, checkpoint_source, lock, working_folder
from kinelift.app.results.replacement import new_results
from kinelift.app.results.source import Source, holds_results, stored_source
from kinelift.app.video.pictures import video_name
from kinelift.poses.errors import OutputError
from kinelift.poses.output import make_folder


@dataclass(frozen=True)
class ResultFolder:
    """A folder that only this program writes to, until ``claim`` ends.

    Args:
        path: The folder. It may not exist yet.
        source: The video whose results it gets.
        note: Why it is not named after the video; None if it is.
    """

    path: Path
    source: Source
    note: str | None = None

    @property
    def checkpoint(self) -> Path:
        """The folder in which an interrupted run keeps what it has found."""
        return working_folder(self.path) / CHECKPOINT

    def new_results(self, is_own: Callable[[str], bool] = lambda name: False) -> AbstractContextManager[Path]:
        """Write results that replace the earlier ones together; see ``replacement.new_results``."""
        return new_results(self.path, self.source, is_own)

    def forget_checkpoint(self) -> None:
        """Remove what an interrupted run has found."""
        shutil.rmtree(self.checkpoint, ignore_errors=True)


@contextmanager
def claim(video: Path, out: Path, taken: Collection[str] = ()) -> Iterator[ResultFolder]:
    """Choose the folder for a video's results, and keep other programs away from it.

    It is OUT/NAME if that has no results, or those of the same video; otherwise NAME-2, NAME-3 and so on.

    Args:
        video: The video.
        out: The folder of all results.
        taken: Names of folders that are used already. Case is ignored, as on some file systems.

    Raises:
        OutputError: Another program is writing the results of this video, or the folder cannot be written.
        VideoError: The video cannot be read.
    """
    source, wanted = Source.of(video), result_name(video)
    used = {name.casefold() for name in taken}
    make_folder(out)
    for path in _candidates(out, wanted, source):
        if path.name.casefold() in used or not _may_hold(path, source):
            continue
        with ExitStack() as held:
            if lock(path, source, held) and _may_hold(path, source):
                first = out / wanted
                note = f"{first} holds other results: those of {video} are written to {path}."
                yield ResultFolder(path, source, None if path == first else note)
                return


@contextmanager
def file_for(video: Path, out: Path, name: str, note: Callable[[str], None]) -> Iterator[Path]:
    """Claim a folder for a single file, beside the results of the same video.

    Args:
        video: The video.
        out: The folder of all results.
        name: The name of the file or folder that is to be written.
        note: Receives why the folder is not named after the video, if it is not.

    Yields:
        The path of the file.

    Raises:
        OutputError: As for ``claim``.
        VideoError: As for ``claim``.
    """
    with claim(video, out) as folder:
        if folder.note:
            note(folder.note)
        yield folder.path / name
        folder.source.write(folder.path)


def result_name(video: Path) -> str:
    """The name of a video's folder.

    A name of dots only ("...mp4" has the stem "..") would lead out of the folder; "video" takes its place.
    """
    name = video_name(video)
    return name if name.strip(".") else "video"


def _candidates(out: Path, wanted: str, source: Source) -> Iterator[Path]:
    """The folder that has results of this video, if any; then all that may be free."""
    numbered = re.compile(rf"{re.escape(wanted)}(-\d+)?")
    known = sorted((one for one in out.iterdir() if numbered.fullmatch(one.name)), key=lambda one: len(one.name))
    yield from (one for one in known if stored_source(one) == source)
    yield from (out / (wanted if number == 1 else f"{wanted}-{number}") for number in count(1))


def _may_hold(path: Path, source: Source) -> bool:
    """Whether a folder has no results and no checkpoint, or those of this video.

    Raises:
        OutputError: A file has the name of the folder.
    """
    if path.exists() and not path.is_dir():
        raise OutputError(f"The folder {path} cannot be made: a file has its name. Choose another folder with -o.")
    if checkpoint_source(path) not in (None, source):
        return False
    return not holds_results(path) or stored_source(path) == source
