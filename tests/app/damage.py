"""Real videos of a few hundred frames, damaged by a seed."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from random import Random

import numpy as np

from tests.clips import Tone, quarters, steady, write_clip

COUNT, RATE = 300, 30
SHARE = 0.11
_PACKET = 188


def moving_clip(path: Path, *, codec: str = "libx264", count: int = COUNT, sound: Tone | None = None) -> Path:
    """A clip of ``count`` frames at 30 frames per second with a keyframe each second; the ending chooses the format."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 60, (count, 48, 64, 3), np.uint8)
    images = (np.minimum(quarters(index=k), 190) + noise[k] for k in range(count))
    options = {"libx264": {"g": "30", "x264-params": "repeat-headers=1"}}.get(codec, {})
    layout = {"movflags": "faststart"} if path.suffix in (".mp4", ".mov") else {}
    return write_clip(
        path, steady(count, RATE), codec=codec, images=images, options=options, last=Fraction(1, RATE), sound=sound,
        clock=RATE if path.suffix in (".avi", ".mpg") else 90_000, container_options=layout,
    )  # fmt: skip


def removed(data: bytes, random: Random) -> bytes:
    """A ninth of the file is missing from its middle."""
    start, stop = _part(data, random, SHARE)
    return data[:start] + data[stop:]


def zeroed(data: bytes, random: Random) -> bytes:
    """A ninth of the file in one piece is zeros."""
    start, stop = _part(data, random, SHARE)
    return data[:start] + bytes(stop - start) + data[stop:]


def holed(data: bytes, random: Random) -> bytes:
    """A ninth of the file in ten pieces is zeros."""
    for _ in range(10):
        start, stop = _part(data, random, SHARE / 10)
        data = data[:start] + bytes(stop - start) + data[stop:]
    return data


def noisy(data: bytes, random: Random) -> bytes:
    """A ninth of the file in one piece is noise."""
    start, stop = _part(data, random, SHARE)
    return data[:start] + random.randbytes(stop - start) + data[stop:]


def shortened(data: bytes, random: Random) -> bytes:
    """The end of the file is missing."""
    return data[: int(len(data) * random.uniform(0.7, 0.9))]


DAMAGES: tuple[Callable[[bytes, Random], bytes], ...] = (removed, zeroed, holed, noisy, shortened)


def renumbered(stream: bytes, step: int = 0x20) -> bytes:
    """A transport stream whose elementary streams have other numbers (PIDs), and whose program map says so."""
    return b"".join(_renumbered(stream[at : at + _PACKET], step) for at in range(0, len(stream), _PACKET))


def _part(data: bytes, random: Random, share: float) -> tuple[int, int]:
    """A random part of a file; its headers stay."""
    length = int(len(data) * share)
    start = random.randrange(len(data) // 5, len(data) - length)
    return start, start + length


def _renumbered(packet: bytes, step: int) -> bytes:
    content = bytearray(packet)
    pid = (content[1] & 0x1F) << 8 | content[2]
    if 0x100 <= pid < 0x1000:
        _move(content, 1, step)
    elif pid == 0x1000 and content[1] & 0x40:
        _move_map(content, step)
    return bytes(content)


def _move(content: bytearray, at: int, step: int) -> None:
    number = ((content[at] & 0x1F) << 8 | content[at + 1]) + step
    content[at : at + 2] = bytes(((content[at] & 0xE0) | number >> 8, number & 0xFF))


def _move_map(content: bytearray, step: int) -> None:
    """Renumber the streams in a program map section. Source: ISO/IEC 13818-1, 2.4.4.8."""
    section = 5 + content[4]
    end = section + 3 + ((content[section + 1] & 0xF) << 8 | content[section + 2]) - 4
    _move(content, section + 8, step)
    at = section + 12 + ((content[section + 10] & 0xF) << 8 | content[section + 11])
    while at < end:
        _move(content, at + 1, step)
        at += 5 + ((content[at + 3] & 0xF) << 8 | content[at + 4])
    content[end : end + 4] = _crc32_mpeg(bytes(content[section:end])).to_bytes(4, "big")


def _crc32_mpeg(data: bytes) -> int:
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
    return value
