"""What the headers of a video file state, without decoding all frames."""

import re
from dataclasses import dataclass
from fractions import Fraction

from av.container import InputContainer
from av.video.stream import VideoStream

from kinelift.app.video.losses import StatedLength
from kinelift.app.video.opening import audio_stream
from kinelift.app.video.orientation import FrameConverter

# Frame rates that differ by more than this share indicate a variable frame rate.
_RATE_TOLERANCE = 0.005


@dataclass(frozen=True)
class Summary:
    """Properties of a video file; None = the file does not state it.

    Frame count, rates and duration come from the file's headers, which can be wrong.

    Attributes:
        container: Name of the container format.
        codec: Name of the video codec.
        pixel_format: FFmpeg's name of the pixel format.
        stored: Width and height as coded (pixels).
        upright: Width and height as shown (pixels).
        rotation: Clockwise rotation from stored to upright (degrees).
        mirrored: Whether left and right are exchanged after the rotation.
        pixel_aspect: Width of a stored pixel over its height.
        nominal_rate: Rate of the grid that the frame times lie on (frames per second).
        mean_rate: Frames over duration (frames per second).
        duration: Duration (s).
        frames: Number of frames.
        audio: Name of the audio codec; None if there is no audio.
    """

    container: str
    codec: str
    pixel_format: str
    stored: tuple[int, int]
    upright: tuple[int, int]
    rotation: int
    mirrored: bool
    pixel_aspect: Fraction
    nominal_rate: Fraction | None
    mean_rate: Fraction | None
    duration: Fraction | None
    frames: int | None
    audio: str | None

    @property
    def variable_rate(self) -> bool | None:
        """Whether the frame rate varies, according to the headers; None if they do not state it."""
        if self.nominal_rate is None or self.mean_rate is None:
            return None
        return abs(float(self.mean_rate / self.nominal_rate) - 1) > _RATE_TOLERANCE

    def lines(self) -> dict[str, str]:
        """The properties as text for people, by name."""
        width, height = self.upright
        rotation = f"{self.rotation}°" + (", mirrored" if self.mirrored else "")
        regularity = {True: "variable", False: "constant", None: "unknown"}[self.variable_rate]
        return {
            "container": self.container,
            "codec": self.codec,
            "pixel format": self.pixel_format,
            "size": f"{width} × {height} (stored {self.stored[0]} × {self.stored[1]})",
            "rotation": rotation,
            "pixel aspect": str(self.pixel_aspect),
            "frame rate": f"{_rate(self.nominal_rate)} nominal, {_rate(self.mean_rate)} mean, {regularity}",
            "duration": "unknown" if self.duration is None else f"{float(self.duration):.3f} s",
            "frames": "unknown" if self.frames is None else str(self.frames),
            "audio": self.audio or "none",
        }


def summarise(
    container: InputContainer, stream: VideoStream, converter: FrameConverter, pixel_aspect: Fraction
) -> Summary:
    """Summarise an open video file.

    Args:
        container: The file.
        stream: Its video stream.
        converter: Converts its frames; provides the upright size and the rotation.
        pixel_aspect: Width of a stored pixel over its height.
    """
    audio = audio_stream(container)
    return Summary(
        container=container.format.name,
        codec=stream.codec_context.codec.canonical_name,
        pixel_format=stream.pix_fmt or "unknown",
        stored=(stream.width, stream.height),
        upright=converter.size,
        rotation=converter.orientation.degrees,
        mirrored=converter.orientation.mirrored,
        pixel_aspect=pixel_aspect,
        nominal_rate=stream.base_rate or None,
        mean_rate=stream.average_rate or None,
        duration=_duration(container, stream),
        frames=stream.frames or None,
        audio=audio.codec_context.codec.canonical_name if audio else None,
    )


def stated_length(container: InputContainer, stream: VideoStream) -> StatedLength:
    """The duration that the file states, of the video track if it can be had.

    Matroska's tag DURATION is that of a track, as common programs write it; it counts from the clock's zero.
    """
    if stream.duration is not None and stream.time_base is not None:
        return StatedLength(stream.duration * stream.time_base, of_track=True, from_zero=False)
    matroska = "matroska" in container.format.name
    if matroska and (seconds := _clock_seconds(stream.metadata.get("DURATION", ""))) is not None:
        return StatedLength(seconds, of_track=True, from_zero=True)
    return StatedLength(_duration(container, stream), of_track=False, from_zero=matroska)


def _clock_seconds(text: str) -> Fraction | None:
    """Seconds of a time such as 00:01:00.040000000."""
    parts = re.fullmatch(r"([0-9]{1,6}):([0-9]{2}):([0-9]{2}(?:\.[0-9]{1,9})?)\0?", text)
    return int(parts[1]) * 3600 + int(parts[2]) * 60 + Fraction(parts[3]) if parts else None


def _duration(container: InputContainer, stream: VideoStream) -> Fraction | None:
    if stream.duration is not None and stream.time_base is not None:
        return stream.duration * stream.time_base
    return None if container.duration is None else Fraction(container.duration, 1_000_000)


def _rate(rate: Fraction | None) -> str:
    return "unknown" if rate is None else f"{float(rate):.6g}"
