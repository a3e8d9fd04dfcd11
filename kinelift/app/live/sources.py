"""Where live pictures come from: a camera, or a file played as fast as it was filmed."""

import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import cv2

from kinelift.app.live.clock import Clock
from kinelift.app.video import Video, video_name
from kinelift.poses import Frame
from kinelift.poses.errors import VideoError

_CAMERA = re.compile(r"(?:/dev/video)?([0-9]{1,2})")


@dataclass(frozen=True, eq=False)
class Captured:
    """A frame, and when it was taken on the clock of the analysis (s)."""

    frame: Frame
    taken: float


@runtime_checkable
class Source(Protocol):
    """Gives pictures as they are taken."""

    name: str
    size: tuple[int, int]
    """(width, height) of the pictures, px."""
    files: tuple[Path, ...]
    """The files that are read."""

    def frames(self, clock: Clock) -> Generator[Captured, None, None]:
        """Yield every picture when it is taken.

        Raises:
            VideoError: There are no more pictures, although there should be.
        """


def open_source(name: str) -> Source:
    """Open a camera by its number or device, or a video file.

    Raises:
        VideoError: There is no such camera or file, or it gives no picture.
    """
    camera = _CAMERA.fullmatch(name)
    return CameraSource(int(camera[1])) if camera and not Path(name).is_file() else FileSource(Path(name))


class FileSource:
    """A video file played in real time."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            VideoError: It is missing or cannot be read.
        """
        self._video = Video(path)
        self.name, self.files = video_name(path), self._video.files
        self.size = (self._video.width, self._video.height)

    def frames(self, clock: Clock) -> Generator[Captured, None, None]:
        """Every frame at its time in the file, from now on. One that is decoded late was still taken in time."""
        start = clock.now()
        for frame in self._video.frames():
            taken = start + float(frame.time)
            clock.wait_until(taken)
            yield Captured(frame, taken)


class CameraSource:
    """A camera of this computer."""

    files: tuple[Path, ...] = ()

    def __init__(self, number: int) -> None:
        """Open camera ``number`` and take one picture.

        Raises:
            VideoError: There is no such camera, another program uses it, or it gives no picture.
        """
        self.name = f"camera{number}"
        with _silent():
            self._capture: Any = cv2.VideoCapture(number)
            self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
            taken, image = self._capture.read()
        if not taken:
            raise VideoError(
                f"Camera {number} gives no picture. Check that it is plugged in and that no other program uses it, or "
                "try another number: 0 is the first camera."
            )
        self.size = (image.shape[1], image.shape[0])

    def frames(self, clock: Clock) -> Generator[Captured, None, None]:
        """Every picture that the camera takes from now on."""
        first, index = None, 0
        try:
            while True:
                taken, image = self._capture.read()
                moment = clock.now()
                if not taken:
                    raise VideoError(f"{self.name} gives no more pictures. Check its cable, then start again.")
                first = moment if first is None else first
                rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
                yield Captured(Frame(index, Fraction(moment - first), rgb), moment)
                index += 1
        finally:
            self._capture.release()


@contextmanager
def _silent() -> Iterator[None]:
    """Keep OpenCV's warnings about missing cameras off the terminal."""
    log = cv2.utils.logging
    level = log.getLogLevel()
    log.setLogLevel(log.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        log.setLogLevel(level)
