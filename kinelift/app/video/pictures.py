"""Numbered pictures in place of a video: a folder of them, or a pattern such as img_%04d.jpg or img_*.png."""

import fnmatch
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import av
from av.video.stream import VideoStream

from kinelift.app.video.decoding import Counts
from kinelift.app.video.opening import open_video
from kinelift.poses.errors import VideoError

ENDINGS = frozenset(
    [".bmp", ".dpx", ".exr", ".jp2", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tga", ".tif", ".tiff", ".webp"]
)
"""The endings of the pictures that a folder may hold."""
_NUMBER = re.compile(r"%(0?[0-9]*)d")


def picture_files(path: Path) -> tuple[Path, ...] | None:
    """The pictures that a path stands for, in order of the numbers in their names; None = it is a single file.

    Raises:
        VideoError: A folder or a pattern without pictures.
    """
    if path.is_dir():
        found = [file for file in path.iterdir() if file.suffix.lower() in ENDINGS and not file.name.startswith(".")]
        if not found:
            raise VideoError(
                f"{path} is a folder without pictures. Give a video file, or a folder of pictures "
                f"({', '.join(sorted(ENDINGS))})."
            )
        return _in_order(found)
    if path.exists() or not (wanted := _pattern(path.name)) or not path.parent.is_dir():
        return None
    found = [file for file in path.parent.iterdir() if wanted.fullmatch(file.name) and file.is_file()]
    if not found:
        raise VideoError(f"No picture fits the pattern {path}. Check the name and the folder.")
    return _in_order(found)


def video_name(path: Path) -> str:
    """The name of a video, for its results: without the ending; of a folder all of it; of a pattern what is fixed."""
    if path.is_dir():
        return path.resolve().name
    if path.exists() or not _pattern(path.name):
        return path.stem
    fixed = re.sub(r"%0?[0-9]*d|[*?]|\[[^\]]*\]", "", path.stem).strip("-_. ")
    return fixed or path.resolve().parent.name


class PictureDecoder:
    """Decodes pictures one by one; the timestamp of each is its place in the sequence.

    Args:
        files: The pictures in order.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self.counts = Counts()
        self._files = files

    def decoded(self) -> Iterator[tuple[VideoStream, av.VideoFrame]]:
        """Each picture with the stream that it comes from. Those that cannot be decoded are counted and left out."""
        for number, file in enumerate(self._files):
            self.counts.packets += 1
            try:
                with open_video(file) as (container, stream):
                    frame = next(container.decode(stream), None)
            except (VideoError, av.FFmpegError):
                frame = None
            if frame is None:
                self.counts.failed += 1
                continue
            self.counts.frames += 1
            frame.pts, frame.duration = number, 0
            yield stream, frame


def _pattern(name: str) -> re.Pattern[str] | None:
    """The names that a pattern stands for; None if it is no pattern."""
    if numbers := list(_NUMBER.finditer(name)):
        parts = [re.escape(part) for part in re.split(r"%0?[0-9]*d", name)]
        digits = [f"[0-9]{{{int(number[1] or 1)},}}" for number in numbers]
        return re.compile("".join(a + b for a, b in zip(parts, [*digits, ""], strict=True)))
    return re.compile(fnmatch.translate(name)) if re.search(r"[*?]", name) else None


def _in_order(files: list[Path]) -> tuple[Path, ...]:
    """Pictures by the numbers in their names: 2 before 10."""
    return tuple(sorted(files, key=lambda file: [_rank(part) for part in re.split(r"([0-9]+)", file.name)]))


def _rank(part: str) -> tuple[int, int, str]:
    return (0, int(part), part) if part.isascii() and part.isdigit() else (1, 0, part)
