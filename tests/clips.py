"""Real small video files for tests, encoded on the spot, and what is in a file as PyAV sees it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from jaxtyping import UInt8

NTSC = Fraction(30000, 1001)
_TONE_RATE = 48_000
_TONE_BLOCK = 1024


def steady(count: int, rate: Fraction | int = 25) -> list[Fraction]:
    """Times (s) of ``count`` frames at one rate, from 0."""
    return [i / Fraction(rate) for i in range(count)]


def quarters(width: int = 64, height: int = 48, index: int = 0) -> UInt8[np.ndarray, "H W 3"]:
    """A picture that tells turns and mirrorings apart: red, green, blue, white; a grey mark moves with ``index``."""
    image = np.empty((height, width, 3), np.uint8)
    image[: height // 2, : width // 2] = (220, 30, 30)
    image[: height // 2, width // 2 :] = (30, 200, 30)
    image[height // 2 :, : width // 2] = (30, 30, 220)
    image[height // 2 :, width // 2 :] = (240, 240, 240)
    x = 4 * index % max(width - 4, 1)
    image[height // 2 - 2 : height // 2 + 2, x : x + 4] = 128
    return image


@dataclass(frozen=True)
class Tone:
    """A sound to put into a clip: ``start`` and ``length`` in seconds on the file's clock; a click at ``click``."""

    codec: str = "aac"
    start: Fraction = Fraction(0)
    length: Fraction = Fraction(1)
    click: Fraction | None = None


def write_clip(
    path: Path,
    times: Sequence[Fraction],
    *,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    size: tuple[int, int] = (64, 48),
    clock: int = 90_000,
    images: Iterable[UInt8[np.ndarray, "H W C"]] | None = None,
    image_layout: str = "rgb24",
    rotation: int = 0,
    hflip: bool = False,
    pixel_aspect: Fraction | None = None,
    last: Fraction | None = None,
    sound: Tone | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Encode ``times`` (s; as presentation times, negative ones too) into ``path``; its ending chooses the container.

    ``rotation`` is written as metadata: degrees clockwise to turn the stored picture upright.
    """
    with av.open(str(path), "w", options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=25, options=options or {})
        stream.width, stream.height, stream.pix_fmt = *size, pixels
        stream.time_base = stream.codec_context.time_base = Fraction(1, clock)
        stream.codec_context.flags |= av.codec.context.Flags.frame_duration
        if pixel_aspect:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        if rotation or hflip:
            stream.set_display_rotation(-rotation, hflip=hflip)
        tone = container.add_stream(sound.codec, rate=_TONE_RATE, layout="mono") if sound else None
        pictures = images if images is not None else (quarters(*size, index=i) for i in range(len(times)))
        ends = [*times[1:], times[-1] + (last or Fraction(1, 25))]
        if sound:
            _encode_tone(container, tone, sound)
        for image, time, end in zip(pictures, times, ends, strict=True):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format=image_layout).reformat(format=pixels)
            frame.pts, frame.time_base = round(time * clock), Fraction(1, clock)
            frame.duration = max(round((end - time) * clock), 0)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_sound(path: Path, sound: Tone) -> Path:
    """A file with sound only."""
    with av.open(str(path), "w") as container:
        _encode_tone(container, container.add_stream(sound.codec, rate=_TONE_RATE, layout="mono"), sound)
    return path


def _encode_tone(container: "av.container.OutputContainer", stream: "av.AudioStream", sound: Tone) -> None:
    count = round(sound.length * _TONE_RATE)
    samples = (0.02 * np.sin(2 * np.pi * 440 * np.arange(count) / _TONE_RATE)).astype(np.float32)
    if sound.click is not None:
        at = round((sound.click - sound.start) * _TONE_RATE)
        samples[at : at + 240] = 0.9
    resampler = av.AudioResampler(stream.codec_context.format, "mono", _TONE_RATE, stream.codec_context.frame_size)
    for begin in range(0, count, _TONE_BLOCK):
        block = av.AudioFrame.from_ndarray(samples[None, begin : begin + _TONE_BLOCK], format="flt", layout="mono")
        block.sample_rate, block.time_base = _TONE_RATE, Fraction(1, _TONE_RATE)
        block.pts = round(sound.start * _TONE_RATE) + begin
        for converted in resampler.resample(block):
            container.mux(stream.encode(converted))
    container.mux(stream.encode(None))


@dataclass(frozen=True)
class Contents:
    """What a file holds: picture times as stamped (s), and the sound's codec, span (s) and loudest moment (s)."""

    times: list[Fraction]
    picture_end: Fraction
    size: tuple[int, int]
    pixels: str
    sound_codec: str | None
    sound_start: float
    sound_end: float
    loudest: float


def contents(path: Path) -> Contents:
    """Decode all of ``path``."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        times = [frame.pts * stream.time_base for frame in frames]
        end = times[-1] + (frames[-1].duration * stream.time_base or Fraction(1, 25))
        size, pixels = (stream.width, stream.height), stream.pix_fmt
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return Contents(times, end, size, pixels, None, 0.0, 0.0, 0.0)
        audio = container.streams.audio[0]
        blocks = [(block.time, block.to_ndarray()[0], block.sample_rate) for block in container.decode(audio)]
        begin, (last_time, last_block, rate) = blocks[0][0], blocks[-1]
        peaks = [(np.abs(block).max(), time + np.abs(block).argmax() / rate) for time, block, _ in blocks]
        codec = audio.codec_context.name
    return Contents(times, end, size, pixels, codec, begin, last_time + len(last_block) / rate, max(peaks)[1])
