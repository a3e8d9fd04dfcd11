"""Writing a video: pictures at exact times over the source's sound, moved into place when complete."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from jaxtyping import UInt8

from kinelift.app.video.encoder import PictureTrack
from kinelift.app.video.reader import Video
from kinelift.app.video.sound import join, program
from kinelift.poses.errors import OutputError, ShapeError
from kinelift.poses.output import remedy

# 720 kHz divides by every usual frame rate, 24000/1001 to 144. Beyond 1 MHz the 32 bits of an mp4 hold no long pause.
_USUAL_CLOCK = 720_000
_FASTEST_CLOCK = 1_000_000


class VideoWriter:
    """Writes pictures to ``path`` as an mp4 that every player shows (H.264, yuv420p, even sides, index in front).

    A context manager. While open it writes ``NAME.part…`` beside ``path``; leaving it moves the complete file into
    place, leaving it by an exception removes what was written. An earlier file at ``path`` stays until then.

    With ``sound_from`` the source's sound is laid under the picture, in step, and the source's clock is kept, so that
    its times stay exact; without, times are rounded to 1/720000 s. The last picture is shown as long as in the source
    if the source was read to its end (``Video.end``), else as long as the one before it.

    Raises ``OutputError`` if the file cannot be written (no permission, no space, no encoder, no picture).
    """

    def __init__(self, path: str | Path, width: int, height: int, sound_from: Video | None = None) -> None:
        self.path = Path(path)
        self.width, self.height = width, height
        self._source = sound_from
        clock = sound_from.clock if sound_from else _USUAL_CLOCK
        self._clock = clock if clock <= _FASTEST_CLOCK else _USUAL_CLOCK
        self._part = self.path.with_name(self.path.name + ".part")
        self._silent = self.path.with_name(self.path.name + ".part-silent")
        self._last = -1

    def __enter__(self) -> "VideoWriter":
        if self._source is not None and self._source.sound is not None:
            program()  # to learn that it is missing now, not after an hour of encoding
        try:
            with self._telling():
                self._silent.open("wb").close()
                self._track = PictureTrack(self._silent, self.width, self.height, self._clock)
        except BaseException:
            self._remove_parts()
            raise
        return self

    def write(self, image: UInt8[np.ndarray, "H W 3"], time: Fraction) -> None:
        """Show an RGB image from ``time`` (s ≥ 0) on, until the next one; the image may be reused afterwards.

        Times increase; one that does not is moved to a tick behind the last.
        """
        if image.shape != (self.height, self.width, 3):
            raise ShapeError(f"A picture of shape {image.shape} for a video of {self.width} × {self.height} pixels.")
        self._last = max(round(time * self._clock), self._last + 1)
        with self._telling():
            self._track.add(image, self._last)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                with self._telling():
                    self._complete()
        finally:
            self._track.abandon()
            self._remove_parts()

    def _complete(self) -> None:
        if self._last < 0:
            raise OutputError(f"{self.path} was not written: there was no picture to write.")
        end = self._source.end if self._source else None
        self._track.close(None if end is None else round(end * self._clock))
        if self._source is None or self._source.sound is None:
            self._silent.replace(self.path)
        else:
            join(self._silent, self._source, self._part, self._clock)
            self._part.replace(self.path)

    def _remove_parts(self) -> None:
        for part in (self._silent, self._part):
            with suppress(FileNotFoundError, NotADirectoryError):
                part.unlink()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Turns errors of FFmpeg and the system into an ``OutputError`` with a remedy."""
        try:
            yield
        except (av.FFmpegError, OSError) as error:
            raise OutputError(f"{self.path} cannot be written ({error.strerror}). {remedy(error.errno)}") from error
