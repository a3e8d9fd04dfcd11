"""Reading a video: upright RGB frames with exact times, lazily, as often as wanted."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from kinelift.app.video.opening import opened, sound_stream
from kinelift.app.video.summary import Summary, summarise
from kinelift.app.video.timing import Timeline, ticks_a_second
from kinelift.app.video.upright import Upright
from kinelift.poses import Frame
from kinelift.poses.errors import VideoError

_USUAL_RATE = Fraction(25)
# Pixel shapes beyond this are a slip in the file, not a lens.
_FLATTEST = 8
# A picture track that stops earlier than this share of the stated duration, less a second, was cut.
_MOST = Fraction(9, 10)


@dataclass(frozen=True)
class Sound:
    """The sound of a video: its stream's number in the file, and its codec."""

    stream: int
    codec: str


class Video:
    """A video file. Making one decodes a single picture, so whatever cannot be read is told at once.

    ``width`` and ``height`` are those of the upright picture with square pixels. ``start`` is the time of the first
    picture on the file's own clock (s), which sound is shifted by; ``clock`` counts the ticks a second in which all
    times of the file are whole numbers. ``damage`` and ``end`` are known once a pass over ``frames()`` is
    complete: what was wrong on the way (None: nothing), and when the last picture stops being shown (s).

    Raises ``VideoError`` for a file that is missing, empty, not a video, cut off before its index, without a moving
    picture, or coded in an unknown way.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.damage: str | None = None
        self.end: Fraction | None = None
        with opened(self.path) as (container, stream):
            first = next(_Pictures(container, stream, threads="SLICE").decoded(), None)
            if first is None:
                raise VideoError(f"No picture in {self.path} can be decoded. Copy or download it again.")
            self._pixel_aspect = _pixel_aspect(stream)
            upright = Upright(first, self._pixel_aspect)
            self.width, self.height = upright.size
            self.start = (first.pts or 0) * _time_base(stream)
            self.clock = ticks_a_second(_time_base(stream))
            self.sound = _sound(container)
            self.summary: Summary = summarise(container, stream, upright, self._pixel_aspect)

    def frames(self) -> Iterator[Frame]:
        """All frames from the first on, decoded as they are asked for; the file is closed when iteration stops.

        Times are exact and strictly increasing, and the first is 0 (see ``Timeline``). Frames that cannot be decoded
        are left out and told in ``damage``. Raises ``VideoError`` if the file cannot be opened any more.
        """
        with opened(self.path) as (container, stream):
            pictures = _Pictures(container, stream, threads="AUTO")
            timeline = Timeline(_time_base(stream), _interval(stream), Fraction(1, self.clock))
            upright: Upright | None = None
            shown = Fraction(0)
            for index, picture in enumerate(pictures.decoded()):
                upright = upright or Upright(picture, self._pixel_aspect)
                time = timeline.place(picture.pts)
                shown = picture.duration * _time_base(stream) or _interval(stream)
                yield Frame(index, time, upright(picture))
            self.end = None if timeline.last is None else timeline.last + shown
            self.damage = pictures.damage or self._ends_early()

    def _ends_early(self) -> str | None:
        """Some containers give no sign of having been cut, but state how long they were."""
        stated = self.summary.duration
        if self.end is None or stated is None or self.end > _MOST * stated - 1:
            return None
        return f"its pictures end at {float(self.end):.2f} s, but the file states {float(stated):.2f} s"


class _Pictures:
    """The decoded pictures of one stream in presentation order, past whatever cannot be decoded."""

    def __init__(self, container: InputContainer, stream: VideoStream, threads: str) -> None:
        stream.thread_type = threads
        self._container, self._stream = container, stream
        self._lost = 0
        self._cut: str | None = None

    @property
    def damage(self) -> str | None:
        """What went wrong so far, in words; None if nothing did."""
        lost = f"{self._lost} of its packets cannot be decoded" if self._lost else None
        return "; ".join(filter(None, (self._cut, lost))) or None

    def decoded(self) -> Iterator[av.VideoFrame]:
        for packet in self._packets():
            try:
                pictures = self._stream.decode(packet)
            except av.EOFError:
                return
            except av.FFmpegError:
                self._lost += 1
            else:
                yield from pictures

    def _packets(self) -> Iterator[av.Packet | None]:
        """The packets as far as they can be read; None asks the decoder for what it still holds."""
        try:
            for packet in self._container.demux(self._stream):
                if packet.is_corrupt:
                    self._cut = "the file is cut off or has gaps"
                yield packet
        except av.FFmpegError as error:
            self._cut = f"the file is cut off or broken ({error.strerror})"
            yield None


def _time_base(stream: VideoStream) -> Fraction:
    return stream.time_base or Fraction(1, 90_000)


def _interval(stream: VideoStream) -> Fraction:
    return 1 / (stream.average_rate or stream.guessed_rate or _USUAL_RATE)


def _pixel_aspect(stream: VideoStream) -> Fraction:
    aspect = stream.sample_aspect_ratio or Fraction(1)
    return aspect if Fraction(1, _FLATTEST) <= aspect <= _FLATTEST else Fraction(1)


def _sound(container: InputContainer) -> Sound | None:
    stream = sound_stream(container)
    return Sound(stream.index, stream.codec_context.codec.canonical_name) if stream else None
