"""Encoding pictures as an H.264 track with exact times, without sound."""

from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.codec.codec import UnknownCodecError
from av.codec.context import Flags
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter
from av.video.stream import VideoStream
from jaxtyping import UInt8

from kinelift.app.video.opening import local_url
from kinelift.poses.errors import OutputError

_ENCODER: Final = "libx264"
# Without B-frames the coding order is the showing order, so no player needs an edit list to keep sound in step.
_SETTINGS = {"preset": "veryfast", "crf": "20", "bf": "0"}
_USUAL_RATE = 25


class PictureTrack:
    """An mp4 at ``path`` with one H.264 yuv420p track in BT.709, which every player shows.

    Times are whole ticks of a ``clock`` that counts so many a second. Odd sides become even by repeating the last row
    or column. Errors of FFmpeg and of the system pass through; ``OutputError`` if there is no H.264 encoder.
    """

    def __init__(self, path: Path, width: int, height: int, clock: int) -> None:
        options = {"movflags": "faststart", "video_track_timescale": str(clock), "movie_timescale": str(clock)}
        self._container = av.open(local_url(path), "w", format="mp4", options=options)
        try:
            self._stream = self._container.add_stream(_ENCODER, options=_SETTINGS)
        except UnknownCodecError as error:
            self.abandon()
            raise OutputError(
                f"PyAV was built without {_ENCODER}, the H.264 encoder. "
                "Install the one from PyPI: pip install --force-reinstall --only-binary :all: av"
            ) from error
        _describe(self._stream, width + width % 2, height + height % 2, clock)
        self._pad = ((0, height % 2), (0, width % 2), (0, 0))
        self._convert = VideoReformatter()
        self._waiting: tuple[int, av.VideoFrame] | None = None
        self._interval = clock // _USUAL_RATE

    def add(self, image: UInt8[np.ndarray, "H W 3"], tick: int) -> None:
        """Show an RGB image from ``tick`` on; ticks increase."""
        picture = self._converted(image)
        if self._waiting is not None:
            self._interval = tick - self._waiting[0]
            self._encode(*self._waiting, self._interval)
        self._waiting = (tick, picture)

    def close(self, end: int | None) -> None:
        """Complete the file; the last picture is shown until ``end``, or for as long as the one before it."""
        if self._waiting is not None:
            tick, picture = self._waiting
            self._encode(tick, picture, end - tick if end is not None and end > tick else self._interval)
            self._container.mux(self._stream.encode(None))
        self._container.close()

    def abandon(self) -> None:
        """Let go of the file, whatever state it is in."""
        with suppress(av.FFmpegError, OSError):
            self._container.close()

    def _converted(self, image: UInt8[np.ndarray, "H W 3"]) -> av.VideoFrame:
        even = np.pad(image, self._pad, mode="edge") if any(map(any, self._pad)) else np.ascontiguousarray(image)
        return self._convert.reformat(
            av.VideoFrame.from_ndarray(even, format="rgb24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )

    def _encode(self, tick: int, picture: av.VideoFrame, duration: int) -> None:
        picture.pts, picture.duration, picture.time_base = tick, duration, self._stream.codec_context.time_base
        self._container.mux(self._stream.encode(picture))


def _describe(stream: VideoStream, width: int, height: int, clock: int) -> None:
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    context = stream.codec_context
    stream.time_base = context.time_base = Fraction(1, clock)
    context.flags |= Flags.frame_duration
    context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
    context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
