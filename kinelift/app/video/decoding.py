"""Decodes the pictures of a video file as far as they can be had, past damage, and counts what was lost on the way."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from kinelift.app.video.opening import open_video
from kinelift.poses.errors import VideoError

_DEFAULT_TIME_BASE = Fraction(1, 90_000)
# A packet whose time jumps back by this many seconds or more begins a new clock (files joined end to end).
CLOCK_RESET = 1
# Failed reads in a row per this many bytes of the file, each of which skips some of it, and at least so many.
_BYTES_PER_RETRY, _MIN_RETRIES = 32_768, 100
# Formats that can be read from any byte on. Their streams may get other numbers on the way.
_STREAMED = frozenset({"mpegts", "mpeg"})
# Bytes after the last packet of the stream that are worth a look for another video stream.
_MIN_REST = 65_536
# MPEG-4 packets of up to this size repeat a picture instead of showing one.
_MAX_EMPTY_PACKET = 20
_UNSUPPORTED = (av.error.PatchWelcomeError, av.error.NotImplementedError, av.error.DecoderNotFoundError)


@dataclass(eq=False)
class Counts:
    """What a pass over a file met.

    Attributes:
        packets: Packets that should each give a picture.
        frames: Pictures.
        failed: Packets that the decoder refused.
        late: Pictures left out because the decoder gave them more than a second too late, which it does after damage.
        corrupt: Pictures that the decoder completed by guessing.
        torn: Packets that are incomplete.
        error: Why reading failed the last time, in brackets, if FFmpeg has a reason; None if it never failed.
        unsupported: Whether the decoder refused something because it does not support it.
        interlaced: Whether a packet may hold half a picture, so that packets and frames cannot be compared.
        unannounced: Whether another stream appeared on the way, in a file whose streams keep their numbers.
    """

    packets: int = 0
    frames: int = 0
    failed: int = 0
    late: int = 0
    corrupt: int = 0
    torn: int = 0
    error: str | None = None
    unsupported: bool = False
    interlaced: bool = False
    unannounced: bool = False


class FrameDecoder:
    """The frames of a file in presentation order, without those that cannot be decoded.

    Reading goes on after errors. Where a transport stream goes on under other stream numbers, so does the decoder.

    Args:
        path: The file.
        threads: FFmpeg's threading, "SLICE" or "AUTO".
        fps: The frame rate of streams that state no times.
    """

    def __init__(self, path: Path, threads: str, fps: Fraction | None = None) -> None:
        self.counts = Counts()
        self._fps = fps
        self._path, self._threads = path, threads
        self._offset = self._end = 0
        self._last_packet: Fraction | None = None
        self._last_frame: Fraction | None = None
        self._resets = 0

    def decoded(self) -> Iterator[tuple[VideoStream, av.VideoFrame]]:
        """Each frame with the stream that it comes from; the file is closed when the iteration stops.

        Raises:
            VideoError: The file cannot be opened.
        """
        with open_video(self._path, fps=self._fps) as (container, stream):
            streamed = container.format.name in _STREAMED
            yield from self._stream(container, stream)
        while streamed and self._rest() > _MIN_REST:
            self._offset = self._end
            try:
                with open_video(self._path, self._offset, self._fps) as (container, stream):
                    yield from self._stream(container, stream)
            except VideoError:
                return

    def _rest(self) -> int:
        """Bytes after the last packet; 0 if the last part brought none."""
        return self._path.stat().st_size - self._end if self._end > self._offset else 0

    def _stream(self, container: InputContainer, stream: VideoStream) -> Iterator[tuple[VideoStream, av.VideoFrame]]:
        stream.thread_type = self._threads
        for packet in self._packets(container, stream):
            for frame in self._decode(stream, packet):
                if not self._is_late(stream, frame):
                    self._count_frame(frame)
                    yield stream, frame

    def _decode(self, stream: VideoStream, packet: "av.Packet[Any] | None") -> list[av.VideoFrame]:
        """The frames that the decoder gives for a packet; None asks for those it still holds."""
        with suppress(av.EOFError):
            try:
                return stream.decode(packet)
            except av.FFmpegError as error:
                if isinstance(error, av.EOFError):
                    raise
                self.counts.failed += packet is not None
                self.counts.unsupported |= isinstance(error, _UNSUPPORTED)
        return []

    def _packets(self, container: InputContainer, stream: VideoStream) -> Iterator["av.Packet[Any] | None"]:
        """The packets that can be read, and a final None."""
        retries = _MIN_RETRIES + self._path.stat().st_size // _BYTES_PER_RETRY
        failures = 0
        while failures <= retries:
            try:
                for packet in container.demux(stream):
                    if packet.size:
                        failures = 0
                        self._count_packet(stream, packet)
                        yield packet
                break
            except IndexError:  # PyAV, at the end of a file in which another stream appeared on the way
                self.counts.unannounced |= container.format.name not in _STREAMED
                break
            except av.FFmpegError as error:  # the next read goes on behind the damage
                self.counts.error = "" if isinstance(error, av.BlockingIOError) else f" ({error.strerror})"
                failures += 1
                if isinstance(error, av.error.ExitError):  # it took too long, and would again
                    break
        yield None

    def _count_packet(self, stream: VideoStream, packet: "av.Packet[Any]") -> None:
        if packet.pos is not None:
            self._end = max(self._end, self._offset + packet.pos + packet.size)
        self.counts.torn += packet.is_corrupt
        self.counts.packets += not packet.is_discard and _is_shown(stream, packet)
        stamp = packet.dts if packet.dts is not None else packet.pts
        if stamp is not None:
            time = stamp * time_base(stream)
            if self._last_packet is not None and time <= self._last_packet - CLOCK_RESET:
                self._resets += 1
            self._last_packet = time

    def _is_late(self, stream: VideoStream, frame: av.VideoFrame) -> bool:
        """Whether the frame is far older than the last one, although the file's clock was not reset."""
        if frame.pts is None:
            return False
        time, last = frame.pts * time_base(stream), self._last_frame
        if last is not None and time <= last - CLOCK_RESET:
            if not self._resets:
                self.counts.late += 1
                return True
            self._resets -= 1
        self._last_frame = time
        return False

    def _count_frame(self, frame: av.VideoFrame) -> None:
        self.counts.frames += 1
        self.counts.corrupt += frame.is_corrupt
        self.counts.interlaced |= frame.interlaced_frame


def time_base(stream: VideoStream) -> Fraction:
    """Unit of a stream's timestamps, s."""
    return stream.time_base or _DEFAULT_TIME_BASE


def _is_shown(stream: VideoStream, packet: "av.Packet[Any]") -> bool:
    """Whether a packet gives a picture: VP8 has packets that are only referred to, MPEG-4 some that repeat the last.

    Sources: RFC 6386, 9.1 (show_frame); ISO/IEC 14496-2, 6.2.5 (vop_coded).
    """
    codec = stream.codec_context.name
    if codec == "vp8":
        return bool(bytes(packet)[0] & 0x10)
    return codec != "mpeg4" or packet.size > _MAX_EMPTY_PACKET
