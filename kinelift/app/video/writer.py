"""Writes a video with exact frame times and the source's audio, and moves it into place when complete."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from jaxtyping import UInt8

from kinelift.app.settings import Quality
from kinelift.app.video.audio import add_audio, ffmpeg_program
from kinelift.app.video.encoder import VideoEncoder
from kinelift.app.video.part import WHOLE, Part
from kinelift.app.video.reader import Video
from kinelift.poses.errors import OutputError, ShapeError
from kinelift.poses.output import remedy, temporary_folder

# 720 kHz is a multiple of every common frame rate, 24000/1001 to 144. Beyond 1 MHz, long pauses exceed the 32 bits
# that mp4 has for a duration.
_DEFAULT_CLOCK = 720_000
_MAX_CLOCK = 1_000_000
_SILENT, _WITH_AUDIO = "silent.mp4", "with-audio.mp4"


class VideoWriter:
    """Writes images as an mp4 that every player shows (H.264, yuv420p, even sides, index at the front).

    A context manager. While it is open, it writes in a temporary folder beside ``path``. Leaving it moves the complete
    file into place; leaving it by an exception removes what was written and keeps any earlier file at ``path``.

    With ``audio_from``, the source's audio is added in sync (or ``audio_from.notes`` says why not) and its clock is
    used, so that frame times stay exact. Otherwise times are rounded to 1/720000 s. The last image lasts as long as in
    the source if the source was read to its end (``Video.end``), otherwise as long as the one before it. With a
    ``part`` of the source, the written video begins with the first image, and its sound ends with the last.

    Args:
        path: The mp4 to write.
        width: Width of the images in pixels.
        height: Height of the images in pixels.
        audio_from: The video whose audio and clock are used.
        quality: The quality of the picture.
        part: The part of the source that is written.

    Raises:
        OutputError: The file cannot be written: no permission, no space, no encoder, no image.
    """

    def __init__(
        self,
        path: str | Path,
        width: int,
        height: int,
        audio_from: Video | None = None,
        quality: Quality = "medium",
        part: Part = WHOLE,
    ) -> None:
        self.path = Path(path)
        self.width, self.height = width, height
        self._source, self._quality, self._part = audio_from, quality, part
        clock = audio_from.clock if audio_from else _DEFAULT_CLOCK
        self._clock = clock if clock <= _MAX_CLOCK else _DEFAULT_CLOCK
        self._opened = ExitStack()
        self._last_tick, self._begin = -1, Fraction(0)

    def __enter__(self) -> "VideoWriter":
        if self._source is not None and self._source.audio is not None:
            ffmpeg_program()  # fail now if ffmpeg is missing, not after an hour of encoding
        with ExitStack() as opened, self._output_errors():
            self._folder = opened.enter_context(temporary_folder(self.path))
            self._encoder = VideoEncoder(self._folder / _SILENT, self.width, self.height, self._clock, self._quality)
            opened.callback(self._encoder.abandon)
            self._opened = opened.pop_all()
        return self

    def write(self, image: UInt8[np.ndarray, "H W 3"], time: Fraction) -> None:
        """Add an RGB image that is shown until the next one. The array may be reused afterwards.

        Args:
            image: The image, in the size of the video.
            time: When it appears in the source (s ≥ 0). A time that does not increase becomes one tick
                after the last.

        Raises:
            ShapeError: The image has another size.
            OutputError: The file cannot be written.
        """
        if image.shape != (self.height, self.width, 3):
            raise ShapeError(f"An image of shape {image.shape} does not fit a video of {self.width} × {self.height}.")
        if self._last_tick < 0 and not self._part.whole:
            self._begin = time
        self._last_tick = max(round((time - self._begin) * self._clock), self._last_tick + 1)
        with self._output_errors():
            self._encoder.add(image, self._last_tick)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._opened, self._output_errors():
            if error is None:
                self._complete()

    def _complete(self) -> None:
        if self._last_tick < 0:
            raise OutputError(f"{self.path} was not written: there was no image to write.")
        end = self._source.end if self._source else None
        last = self._encoder.close(None if end is None else round((end - self._begin) * self._clock))
        complete = self._folder / _SILENT
        if self._source is not None and self._source.audio is not None:
            complete = self._with_audio(
                complete, self._source, None if self._part.whole else Fraction(last, self._clock)
            )
        complete.replace(self.path)

    def _with_audio(self, silent: Path, source: Video, length: Fraction | None) -> Path:
        """Add the source's audio; if that fails, the video is kept without, and the source's notes say so."""
        complete = self._folder / _WITH_AUDIO
        problem = add_audio(silent, source, complete, self._clock, self._begin, length)
        if problem:
            source.notes = (*source.notes, f"{self.path.name} has no sound. {problem}")
        return silent if problem else complete

    @contextmanager
    def _output_errors(self) -> Iterator[None]:
        """Turn errors of FFmpeg and the operating system into an ``OutputError`` with a remedy."""
        try:
            yield
        except (av.FFmpegError, OSError) as error:
            raise OutputError(f"{self.path} cannot be written ({error.strerror}). {remedy(error.errno)}") from error
