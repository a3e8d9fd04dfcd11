"""Reads a video as upright RGB frames with exact times, lazily and as often as needed."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from kinelift.app.video.opening import audio_stream, open_video
from kinelift.app.video.orientation import FrameConverter
from kinelift.app.video.summary import Summary, summarise
from kinelift.app.video.timing import FrameClock, clock_rate
from kinelift.poses import Frame
from kinelift.poses.errors import VideoError

_DEFAULT_RATE = Fraction(25)
# A pixel aspect ratio beyond this is an error in the file.
_MAX_PIXEL_ASPECT = 8
# A video that ends before this share of its stated duration, minus one second, was cut off.
_COMPLETE_SHARE = Fraction(9, 10)


@dataclass(frozen=True)
class AudioTrack:
    """The index of an audio stream in its file, and its codec."""

    stream: int
    codec: str


class Video:
    """A video file. The constructor decodes one frame, so unreadable files fail at once.

    Args:
        path: The file.

    Attributes:
        width: Width in pixels of the upright frames, which have square pixels.
        height: Height in pixels of the upright frames.
        start: Time of the first frame on the file's own clock (s); audio is shifted by it.
        clock: Ticks per second of a clock on which all times of the file are whole numbers.
        audio: The audio track; None if there is none.
        summary: What the file's headers state.
        damage: What could not be decoded in the last complete pass over ``frames()``; None before it, or if all could.
        end: When the last frame stops being shown (s); known after a complete pass over ``frames()``.

    Raises:
        VideoError: The file is missing, empty, not a video, truncated before its index, or has no video stream that
            can be decoded.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.damage: str | None = None
        self.end: Fraction | None = None
        with open_video(self.path) as (container, stream):
            first = next(_FrameDecoder(container, stream, threads="SLICE").decoded(), None)
            if first is None:
                raise VideoError(f"No frame of {self.path} can be decoded. Copy or download the file again.")
            self._pixel_aspect = _pixel_aspect(stream)
            converter = FrameConverter(first, self._pixel_aspect)
            self.width, self.height = converter.size
            self.start = (first.pts or 0) * _time_base(stream)
            self.clock = clock_rate(_time_base(stream))
            self.audio = _audio_track(container)
            self.summary: Summary = summarise(container, stream, converter, self._pixel_aspect)

    def frames(self) -> Iterator[Frame]:
        """Decode all frames on demand; the file is closed when the iteration stops.

        Times are exact and strictly increasing, and start at 0 (see ``FrameClock``). Frames that cannot be decoded are
        skipped and reported in ``damage``.

        Yields:
            RGB frames, which the caller may draw on.

        Raises:
            VideoError: The file can no longer be opened.
        """
        with open_video(self.path) as (container, stream):
            decoder = _FrameDecoder(container, stream, threads="AUTO")
            clock = FrameClock(_time_base(stream), _interval(stream), Fraction(1, self.clock))
            converter: FrameConverter | None = None
            duration = Fraction(0)
            for index, decoded in enumerate(decoder.decoded()):
                converter = converter or FrameConverter(decoded, self._pixel_aspect)
                time = clock.advance(decoded.pts)
                duration = decoded.duration * _time_base(stream) or _interval(stream)
                yield Frame(index, time, converter(decoded))
            self.end = None if clock.last is None else clock.last + duration
            self.damage = decoder.damage or self._truncation()

    def _truncation(self) -> str | None:
        """How a file was cut off, judged by its stated duration: some containers give no other sign."""
        stated = self.summary.duration
        if self.end is None or stated is None or self.end > _COMPLETE_SHARE * stated - 1:
            return None
        return f"its frames end at {float(self.end):.2f} s, but the file states {float(stated):.2f} s"


class _FrameDecoder:
    """The frames of one stream in presentation order, without those that cannot be decoded."""

    def __init__(self, container: InputContainer, stream: VideoStream, threads: str) -> None:
        stream.thread_type = threads
        self._container, self._stream = container, stream
        self._lost_packets = 0
        self._truncation: str | None = None

    @property
    def damage(self) -> str | None:
        """What went wrong so far; None if nothing did."""
        lost = f"{self._lost_packets} of its packets cannot be decoded" if self._lost_packets else None
        return "; ".join(filter(None, (self._truncation, lost))) or None

    def decoded(self) -> Iterator[av.VideoFrame]:
        for packet in self._packets():
            try:
                frames = self._stream.decode(packet)
            except av.EOFError:
                return
            except av.FFmpegError:
                self._lost_packets += 1
            else:
                yield from frames

    def _packets(self) -> Iterator["av.Packet[Any] | None"]:
        """The readable packets. A final None makes the decoder return the frames it still holds."""
        try:
            for packet in self._container.demux(self._stream):
                if packet.is_corrupt:
                    self._truncation = "the file is cut off or has gaps"
                yield packet
        except av.FFmpegError as error:
            self._truncation = f"the file is cut off or broken ({error.strerror})"
            yield None


def _time_base(stream: VideoStream) -> Fraction:
    return stream.time_base or Fraction(1, 90_000)


def _interval(stream: VideoStream) -> Fraction:
    """The nominal time between two frames (s)."""
    return 1 / (stream.average_rate or stream.guessed_rate or _DEFAULT_RATE)


def _pixel_aspect(stream: VideoStream) -> Fraction:
    aspect = stream.sample_aspect_ratio or Fraction(1)
    return aspect if Fraction(1, _MAX_PIXEL_ASPECT) <= aspect <= _MAX_PIXEL_ASPECT else Fraction(1)


def _audio_track(container: InputContainer) -> AudioTrack | None:
    stream = audio_stream(container)
    return AudioTrack(stream.index, stream.codec_context.codec.canonical_name) if stream else None
