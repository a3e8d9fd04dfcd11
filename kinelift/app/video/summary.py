"""What a video file says about itself, before its pictures are decoded."""

from dataclasses import dataclass
from fractions import Fraction

from av.container import InputContainer
from av.video.stream import VideoStream

from kinelift.app.video.opening import sound_stream
from kinelift.app.video.upright import Upright

# Rates that differ by more than this share mean that pictures do not follow at one pace.
_SAME_PACE = 0.005


@dataclass(frozen=True)
class Summary:
    """Facts of a video file. None = the file does not say.

    Sizes in pixels: ``stored`` as coded, ``upright`` as shown. ``rotation`` in degrees clockwise from stored to
    upright, then left and right change sides if ``mirrored``. ``pixel_aspect`` = width of a stored pixel over its
    height. Rates in frames a second: ``nominal_rate`` is the grid that the times lie on, ``mean_rate`` counts frames.
    ``duration`` in seconds. ``frames``, rates and duration come from the file's headers, which can err: only reading
    every frame is certain.
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
    sound: str | None

    @property
    def variable_rate(self) -> bool | None:
        """Whether the frames follow at an uneven pace, as far as the headers tell."""
        if self.nominal_rate is None or self.mean_rate is None:
            return None
        return abs(float(self.mean_rate / self.nominal_rate) - 1) > _SAME_PACE

    def lines(self) -> dict[str, str]:
        """The facts in words, one a line, for people."""
        width, height = self.upright
        rotation = f"{self.rotation}°" + (", mirrored" if self.mirrored else "")
        pace = {True: "variable", False: "constant", None: "unknown"}[self.variable_rate]
        return {
            "container": self.container,
            "codec": self.codec,
            "pixel format": self.pixel_format,
            "size": f"{width} × {height} (stored {self.stored[0]} × {self.stored[1]})",
            "rotation": rotation,
            "pixel aspect": str(self.pixel_aspect),
            "frame rate": f"{_rate(self.nominal_rate)} nominal, {_rate(self.mean_rate)} mean, {pace}",
            "duration": "unknown" if self.duration is None else f"{float(self.duration):.3f} s",
            "frames": "unknown" if self.frames is None else str(self.frames),
            "sound": self.sound or "none",
        }


def summarise(container: InputContainer, stream: VideoStream, upright: Upright, pixel_aspect: Fraction) -> Summary:
    """The facts of an opened file whose pictures come out through ``upright``."""
    sound = sound_stream(container)
    return Summary(
        container=container.format.name,
        codec=stream.codec_context.codec.canonical_name,
        pixel_format=stream.pix_fmt or "unknown",
        stored=(stream.width, stream.height),
        upright=upright.size,
        rotation=upright.turn.degrees,
        mirrored=upright.turn.mirrored,
        pixel_aspect=pixel_aspect,
        nominal_rate=stream.base_rate or None,
        mean_rate=stream.average_rate or None,
        duration=_duration(container, stream),
        frames=stream.frames or None,
        sound=sound.codec_context.codec.canonical_name if sound else None,
    )


def _duration(container: InputContainer, stream: VideoStream) -> Fraction | None:
    if stream.duration is not None and stream.time_base is not None:
        return stream.duration * stream.time_base
    return None if container.duration is None else Fraction(container.duration, 1_000_000)


def _rate(rate: Fraction | None) -> str:
    return "unknown" if rate is None else f"{float(rate):.6g}"
