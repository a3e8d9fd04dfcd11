"""Reads a video as upright RGB frames with exact times, lazily and as often as needed."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from av.container import InputContainer
from av.video.stream import VideoStream

from kinelift.app.video.decoding import FrameDecoder, time_base
from kinelift.app.video.losses import FrameTimes, describe_damage, find_gaps, shortfall
from kinelift.app.video.opening import audio_stream, open_video
from kinelift.app.video.orientation import FrameConverter
from kinelift.app.video.summary import Summary, stated_length, summarise
from kinelift.app.video.timing import FrameClock, clock_rate
from kinelift.poses import Frame
from kinelift.poses.errors import VideoError

_DEFAULT_RATE = Fraction(25)
_UNDECODABLE = "No frame of {} can be decoded. Copy or download the file again."
# A pixel aspect ratio beyond this is an error in the file.
_MAX_PIXEL_ASPECT = 8


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
        notes: What else to know about the file, as sentences; known after a complete pass over ``frames()``.
        end: When the last frame stops being shown (s); known after a complete pass over ``frames()``.

    Raises:
        VideoError: The file is missing, empty, not a video, truncated before its index, or has no video stream that
            can be decoded.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.damage: str | None = None
        self.end: Fraction | None = None
        self.notes: tuple[str, ...] = ()
        stream, first = next(FrameDecoder(self.path, threads="SLICE").decoded(), (None, None))
        if stream is None or first is None:
            raise VideoError(_UNDECODABLE.format(self.path))
        with open_video(self.path) as (container, stream):
            self._pixel_aspect = _pixel_aspect(stream)
            converter = FrameConverter(first, self._pixel_aspect)
            self.width, self.height = converter.size
            self.start = (first.pts or 0) * time_base(stream)
            self.clock = clock_rate(time_base(stream))
            self.audio = _audio_track(container)
            self.summary: Summary = summarise(container, stream, converter, self._pixel_aspect)
            self._stated = stated_length(container, stream)
            self._interval = _interval(stream)

    def frames(self) -> Iterator[Frame]:
        """Decode all frames on demand; the file is closed when the iteration stops.

        Times are exact and strictly increasing, and start at 0 (see ``FrameClock``). Frames that cannot be decoded are
        skipped and reported in ``damage``.

        Yields:
            RGB frames, which the caller may draw on.

        Raises:
            VideoError: The file can no longer be opened, or no frame can be decoded.
        """
        decoder, times = FrameDecoder(self.path, threads="AUTO"), FrameTimes()
        clock: FrameClock | None = None
        converter: FrameConverter | None = None
        duration = self._interval
        for index, (stream, decoded) in enumerate(decoder.decoded()):
            clock = clock or FrameClock(time_base(stream), self._interval, Fraction(1, self.clock))
            converter = converter or FrameConverter(decoded, self._pixel_aspect)
            time = clock.advance(decoded.pts)
            duration = decoded.duration * time_base(stream) or self._interval
            times.add(time, duration)
            yield Frame(index, time, converter(decoded))
        if clock is None or clock.last is None:
            raise VideoError(_UNDECODABLE.format(self.path))
        self.end = clock.last + duration
        self._judge(decoder, times, self.end)

    def _judge(self, decoder: FrameDecoder, times: FrameTimes, end: Fraction) -> None:
        """Note what was missing in a complete pass."""
        gaps = find_gaps(times)
        short = shortfall(end, self.start, self._interval, self._stated)
        self.damage = describe_damage(decoder.counts, gaps, short)
        has_gaps = self.damage is None and gaps.noteworthy
        self.notes = (f"{self.path} has gaps: {gaps}.",) if has_gaps else ()


def _interval(stream: VideoStream) -> Fraction:
    """The nominal time between two frames (s)."""
    return 1 / (stream.average_rate or stream.guessed_rate or _DEFAULT_RATE)


def _pixel_aspect(stream: VideoStream) -> Fraction:
    aspect = stream.sample_aspect_ratio or Fraction(1)
    return aspect if Fraction(1, _MAX_PIXEL_ASPECT) <= aspect <= _MAX_PIXEL_ASPECT else Fraction(1)


def _audio_track(container: InputContainer) -> AudioTrack | None:
    stream = audio_stream(container)
    return AudioTrack(stream.index, stream.codec_context.codec.canonical_name) if stream else None
