"""Reads a video as upright RGB frames with exact times, lazily and as often as needed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from kinelift.app.video.decoding import Counts, FrameDecoder, time_base
from kinelift.app.video.formats import RAW
from kinelift.app.video.limits import Reading
from kinelift.app.video.losses import FrameTimes, StatedLength, describe_damage, fewer_frames, find_gaps, shortfall
from kinelift.app.video.opening import audio_stream, open_video
from kinelift.app.video.orientation import FrameConverter
from kinelift.app.video.pictures import PictureDecoder, picture_files
from kinelift.app.video.sizes import SizeKeeper
from kinelift.app.video.summary import Summary, stated_length, summarise
from kinelift.app.video.timing import FrameClock, clock_rate
from kinelift.poses import Frame
from kinelift.poses.errors import SettingsError, VideoError

_DEFAULT_RATE = Fraction(25)
# A pixel aspect ratio beyond this is an error in the file.
_MAX_PIXEL_ASPECT = 8
# A frame of any codec takes at least so many bytes, as a rule, with what the container adds.
_LEAST_BYTES = 8


@dataclass(frozen=True)
class AudioTrack:
    """The index of an audio stream in its file, and its codec."""

    stream: int
    codec: str


class Video:
    """A video file, or numbered pictures. The constructor decodes one frame, so unreadable files fail at once.

    Args:
        path: The file, a folder of pictures, or a pattern of their names (img_%04d.jpg, img_*.jpg).
        reading: Limits, and the rate of pictures and of streams that state no times.

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
        VideoError: The file is missing, empty, not a video, truncated before its index, has too many pixels, or has no
            video stream that can be decoded.
        SettingsError: A frame rate was given for a file that states the times of its frames.
    """

    def __init__(self, path: str | Path, reading: Reading | None = None) -> None:
        self.path = Path(path)
        self.reading = reading or Reading()
        self.damage: str | None = None
        self.end: Fraction | None = None
        self.notes: tuple[str, ...] = ()
        self._pictures = picture_files(self.path)
        with open_video(self._pictures[0] if self._pictures else self.path, fps=self._rate) as (container, stream):
            self._check_pixels(stream.width * stream.height)
            self._states_times = not (self._pictures or container.format.name in RAW)
            if self._states_times and self.reading.fps is not None:
                raise SettingsError(f"{self.path} states the times of its frames. Leave out --fps.")
            self._interval = _interval(stream) if self._states_times else self._assumed
            self._base = self._interval if self._pictures else time_base(stream)
            self._pixel_aspect = _pixel_aspect(stream)
            first = self._first_frame()
            converter = FrameConverter(first, self._pixel_aspect)
            self.width, self.height = converter.size
            self._check_pixels(self.width * self.height)
            self.start = (first.pts or 0) * self._base
            self.clock = clock_rate(self._base)
            self.audio = None if self._pictures else _audio_track(container)
            summary = summarise(container, stream, converter, self._pixel_aspect)
            self.summary: Summary = _of_pictures(summary, self._pictures, self._interval) if self._pictures else summary
            self._stated = StatedLength(None, False, False) if self._pictures else stated_length(container, stream)

    def frames(self) -> Iterator[Frame]:
        """Decode all frames on demand; the file is closed when the iteration stops.

        Times are exact and strictly increasing, and start at 0 (see ``FrameClock``). Frames that cannot be decoded are
        skipped and reported in ``damage``. Frames of another size are fitted into that of the first.

        Yields:
            RGB frames, which the caller may draw on.

        Raises:
            VideoError: The file can no longer be opened, or no frame can be decoded.
        """
        decoder, times = self._decoder("AUTO"), FrameTimes()
        clock = FrameClock(self._base, self._interval, Fraction(1, self.clock))
        keeper: SizeKeeper | None = None
        numbers: dict[int, Fraction] = {}
        for index, (stream, decoded) in enumerate(decoder.decoded()):
            keeper = keeper or SizeKeeper(decoded, self._pixel_aspect)
            time = clock.advance(decoded.pts)
            numbers.setdefault(stream.id, time)
            if time >= self.reading.max_duration:
                break
            times.add(time, min(decoded.duration * self._base or self._interval, clock.longest))
            yield Frame(index, time, keeper(decoded, time))
        if clock.last is None or keeper is None:
            raise VideoError(self._undecodable(decoder.counts))
        self.end = times.end
        self._judge(decoder.counts, times, clock, keeper, numbers)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that are read: one, or the pictures."""
        return self._pictures or (self.path,)

    @property
    def expected_frames(self) -> int | None:
        """The number of frames that the headers state, but no more than ``reading`` and the file's bytes allow.

        None = they state none. Headers may be wrong by any amount, as those of a file whose clock jumps.
        """
        stated, rate = self.summary.frames, self.summary.mean_rate
        if stated is None and self.summary.duration is not None and rate is not None:
            stated = round(self.summary.duration * rate)
        if stated is None:
            return None
        most = sum(file.stat().st_size for file in self.files if file.is_file()) // _LEAST_BYTES
        return max(min(stated, most, round(min(self.reading.max_duration * float(rate or 1), most))), 0)

    @property
    def _rate(self) -> Fraction | None:
        """The frame rate that the user gave."""
        return None if self.reading.interval is None else 1 / self.reading.interval

    @property
    def _assumed(self) -> Fraction:
        """The time between frames without times (s)."""
        return self.reading.interval or 1 / _DEFAULT_RATE

    def _decoder(self, threads: str) -> FrameDecoder | PictureDecoder:
        return PictureDecoder(self._pictures) if self._pictures else FrameDecoder(self.path, threads, self._rate)

    def _first_frame(self) -> av.VideoFrame:
        decoder = self._decoder("SLICE")
        _, first = next(decoder.decoded(), (None, None))
        if first is None:
            raise VideoError(self._undecodable(decoder.counts))
        return first

    def _undecodable(self, counts: Counts) -> str:
        if counts.unsupported:
            return (
                f"This build of FFmpeg cannot decode the video codec of {self.path}. Convert the video to H.264 first, "
                f"with a program that can play it."
            )
        return f"No frame of {self.path} can be decoded. Copy or download the file again."

    def _check_pixels(self, pixels: int) -> None:
        if pixels > self.reading.max_pixels:
            raise VideoError(
                f"The pictures of {self.path} have {pixels / 1e6:.3g} million pixels; the limit is "
                f"{self.reading.max_pixels / 1e6:g}. Make them smaller, or raise --max-pixels."
            )

    def _judge(
        self, counts: Counts, times: FrameTimes, clock: FrameClock, keeper: SizeKeeper, numbers: Mapping[int, Fraction]
    ) -> None:
        """Note what was missing in a complete pass, and what was mended.

        Args:
            counts: What the pass met.
            times: Of the frames.
            clock: Gave the times.
            keeper: Kept the size.
            numbers: The numbers that the video stream had, and from when on (s).
        """
        gaps = find_gaps(times)
        stopped = clock.last is not None and clock.last >= self.reading.max_duration
        whole = not stopped and not clock.closed
        if stopped:  # the decoder had not given all pictures of the packets read
            counts.packets = counts.frames
        short = shortfall(times.end, self.start, self._interval, self._stated) if whole else None
        if whole and short is None and self.summary.container == "avi":  # its length may be guessed from its size
            short = fewer_frames(times, self._interval, self.summary.frames)
        self.damage = describe_damage(counts, gaps, short)
        remarks = (
            f"has gaps: {gaps}" if self.damage is None and gaps.noteworthy else None,
            _sizes(keeper),
            _jumps(clock),
            _sound(self.audio, counts, numbers),
            f"is longer than --max-duration: only its first {self.reading.max_duration:g} s were used"
            if stopped
            else None,
            None
            if self._states_times or self.reading.fps is not None
            else f"states no frame rate: {_DEFAULT_RATE} frames per second are assumed. Give another with --fps",
        )
        self.notes = tuple(f"{self.path} {remark}." for remark in remarks if remark)


def _sizes(keeper: SizeKeeper) -> str | None:
    if not keeper.changes:
        return None
    time, (width, height) = keeper.changes[0]
    more = f", and {len(keeper.changes) - 1} more times" if len(keeper.changes) > 1 else ""
    return (
        f"changes its size from {keeper.size[0]} × {keeper.size[1]} to {width} × {height} at {float(time):.2f} s"
        f"{more}. "
        "Pictures of other sizes are fitted into the first one, with black borders"
    )


def _jumps(clock: FrameClock) -> str | None:
    if not clock.closed:
        return None
    time, length = clock.closed[0]
    more = f", and {len(clock.closed) - 1} more times" if len(clock.closed) > 1 else ""
    return f"has a clock that jumps by {float(length):.0f} s at {float(time):.2f} s{more}. The pause was left out"


def _sound(audio: AudioTrack | None, counts: Counts, numbers: Mapping[int, Fraction]) -> str | None:
    """What sound is not found: that of a stream that appears on the way."""
    if audio is None and counts.unannounced:
        return (
            "has a stream that its header does not announce, such as sound that begins late. It is left out. To keep "
            "it, convert the file first: ffmpeg -analyzeduration 1G -probesize 1G -i FILE -c copy NEW.mkv"
        )
    if audio is None or len(numbers) < 2:
        return None
    _, changed, *_ = numbers.values()
    return (
        f"goes on under other stream numbers at {float(changed):.2f} s. From there on, sound that has another number "
        "than before is left out"
    )


def _of_pictures(summary: Summary, files: tuple[Path, ...], interval: Fraction) -> Summary:
    """The summary of a sequence, from that of its first picture."""
    count, rate = len(files), 1 / interval
    return replace(
        summary,
        container=f"{count} pictures",
        nominal_rate=rate,
        mean_rate=rate,
        duration=count * interval,
        frames=count,
    )


def _interval(stream: VideoStream) -> Fraction:
    """The nominal time between two frames (s)."""
    return 1 / (stream.average_rate or stream.guessed_rate or _DEFAULT_RATE)


def _pixel_aspect(stream: VideoStream) -> Fraction:
    aspect = stream.sample_aspect_ratio or Fraction(1)
    return aspect if Fraction(1, _MAX_PIXEL_ASPECT) <= aspect <= _MAX_PIXEL_ASPECT else Fraction(1)


def _audio_track(container: InputContainer) -> AudioTrack | None:
    stream = audio_stream(container)
    return AudioTrack(stream.index, stream.codec_context.codec.canonical_name) if stream else None
