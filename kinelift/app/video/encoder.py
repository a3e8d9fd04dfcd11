"""Encodes images as an H.264 track with exact times, without audio."""

from collections.abc import Mapping
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

from kinelift.app.settings import Quality
from kinelift.app.video.opening import local_url
from kinelift.poses.errors import OutputError

_ENCODER: Final = "libx264"
# Without B-frames the decoding order is the presentation order, so no player needs an edit list to keep audio in sync.
_SETTINGS = {"preset": "veryfast", "bf": "0"}
_RATE_FACTORS: Mapping[Quality, str] = {"low": "26", "medium": "20", "high": "14"}
"""libx264's constant rate factor: 6 less takes about twice the space."""
_DEFAULT_RATE = 25


class VideoEncoder:
    """Writes an mp4 with one H.264 yuv420p track in BT.709, which every player can show.

    Errors of FFmpeg and of the operating system pass through.

    Args:
        path: The file to write.
        width: Width of the images in pixels. An odd width is made even by repeating the last column.
        height: Height of the images in pixels. An odd height is made even by repeating the last row.
        clock: Ticks per second; all times are whole ticks.
        quality: The quality of the picture.

    Raises:
        OutputError: PyAV has no H.264 encoder.
    """

    def __init__(self, path: Path, width: int, height: int, clock: int, quality: Quality = "medium") -> None:
        options = {"movflags": "faststart", "video_track_timescale": str(clock), "movie_timescale": str(clock)}
        self._container = av.open(local_url(path), "w", format="mp4", options=options)
        try:
            self._stream = self._container.add_stream(_ENCODER, options={**_SETTINGS, "crf": _RATE_FACTORS[quality]})
        except UnknownCodecError as error:
            self.abandon()
            raise OutputError(
                f"PyAV was built without {_ENCODER}, the H.264 encoder. "
                "Install the one from PyPI: pip install --force-reinstall --only-binary :all: av"
            ) from error
        _configure(self._stream, width + width % 2, height + height % 2, clock)
        self._pad = ((0, height % 2), (0, width % 2), (0, 0))
        self._convert = VideoReformatter()
        self._pending: tuple[int, av.VideoFrame] | None = None
        self._interval = clock // _DEFAULT_RATE

    def add(self, image: UInt8[np.ndarray, "H W 3"], tick: int) -> None:
        """Add an RGB image that is shown from ``tick`` on; ticks must increase."""
        frame = self._to_yuv(image)
        if self._pending is not None:
            self._interval = tick - self._pending[0]
            self._encode(*self._pending, self._interval)
        self._pending = (tick, frame)

    def close(self, end: int | None) -> int:
        """Complete the file.

        Args:
            end: Tick at which the last image ends; None = it lasts as long as the one before it.

        Returns:
            Tick at which the last image ends; 0 without images.
        """
        last = 0
        if self._pending is not None:
            tick, frame = self._pending
            last = end if end is not None and end > tick else tick + self._interval
            self._encode(tick, frame, last - tick)
            self._container.mux(self._stream.encode(None))
        self._container.close()
        return last

    def abandon(self) -> None:
        """Close the file in whatever state it is."""
        with suppress(av.FFmpegError, OSError):
            self._container.close()

    def _to_yuv(self, image: UInt8[np.ndarray, "H W 3"]) -> av.VideoFrame:
        even = np.pad(image, self._pad, mode="edge") if any(map(any, self._pad)) else np.ascontiguousarray(image)
        return self._convert.reformat(
            av.VideoFrame.from_ndarray(even, format="rgb24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )

    def _encode(self, tick: int, frame: av.VideoFrame, duration: int) -> None:
        frame.pts, frame.duration, frame.time_base = tick, duration, self._stream.codec_context.time_base
        self._container.mux(self._stream.encode(frame))


def _configure(stream: VideoStream, width: int, height: int, clock: int) -> None:
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    context = stream.codec_context
    stream.time_base = context.time_base = Fraction(1, clock)
    context.flags |= Flags.frame_duration
    context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
    context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
