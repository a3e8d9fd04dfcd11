"""Opening a video file: the right stream is chosen, and whatever is wrong with the file becomes a ``VideoError``."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from kinelift.poses.errors import VideoError

# How an mp4 or mov file begins: bytes 4 to 8 name its first box.
_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
# A playlist that calls itself a video must not reach for the network.
_LOCAL_ONLY = {"protocol_whitelist": "file"}


@contextmanager
def opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The container at ``path`` and its moving picture, closed on leaving. Raises ``VideoError``."""
    _check_file(path)
    try:
        container = av.open(local_url(path), "r", options=_LOCAL_ONLY, metadata_errors="replace")
    except (av.FFmpegError, OSError, ValueError) as error:
        raise VideoError(_why_not_opened(path, error)) from error
    with container:
        yield container, _picture_stream(path, container)


def local_url(path: Path) -> str:
    """``path`` so that FFmpeg takes it for a file, whatever characters it holds."""
    return f"file:{path}"


def sound_stream(container: InputContainer) -> AudioStream | None:
    """The sound that a player would choose, if there is one that can be decoded."""
    stream = container.streams.best("audio")
    return stream if isinstance(stream, AudioStream) and stream.codec_context is not None else None


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise VideoError(f"{path} is a folder, not a video. Name the video files in it.")
    if not path.exists():
        raise VideoError(f"There is no file {path}. Check its name and folder.")
    if path.is_file() and path.stat().st_size == 0:
        raise VideoError(f"{path} is empty (0 bytes). Copy or download it again.")


def _why_not_opened(path: Path, error: Exception) -> str:
    if isinstance(error, PermissionError):
        return f"{path} may not be read. Give yourself permission to read it."
    with path.open("rb") as file:
        is_mp4 = file.read(8)[4:8] in _MP4_BOXES
    if is_mp4:
        return (
            f"{path} is cut off: the index at the end of the file (moov) is missing. Copy or download it again; "
            "if the recording was interrupted, a repair tool such as untrunc may save it."
        )
    return f"{path} is not a video that FFmpeg can read ({getattr(error, 'strerror', error)}). Name a video file."


def _picture_stream(path: Path, container: InputContainer) -> VideoStream:
    stream = container.streams.best("video")
    if container.format.name == "tty":
        raise VideoError(f"{path} is a text file, not a video.")
    if not isinstance(stream, VideoStream) or stream.disposition & Disposition.attached_pic:
        held = "only sound" if container.streams.audio else "no video stream"
        raise VideoError(f"{path} holds {held}, no moving picture. Name a file that has one.")
    if stream.codec_context is None:
        raise VideoError(
            f"{path} is coded in a way that this build of FFmpeg has no decoder for. "
            "Convert it to H.264 first, with a program that can play it."
        )
    return stream
