"""Opens video files, selects their streams, and turns every fault of a file into a ``VideoError``."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from kinelift.poses.errors import VideoError

# Bytes 4 to 8 of an mp4 or mov file name its first box.
_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")


@contextmanager
def open_video(path: Path, offset: int = 0) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a video file; it is closed when the context ends.

    Args:
        path: The file.
        offset: The byte from which on the file is read.

    Yields:
        The container and its video stream.

    Raises:
        VideoError: The file is missing, empty, damaged, not a video, or has no stream that can be decoded.
    """
    _check_file(path)
    try:
        container = av.open(_url(path, offset), "r", options=_protocols(offset), metadata_errors="replace")
    except (av.FFmpegError, OSError, ValueError) as error:
        raise VideoError(_opening_error(path, error)) from error
    with container:
        yield container, _video_stream(path, container)


def local_url(path: Path) -> str:
    """A URL that FFmpeg always reads as a local file, whatever characters the path contains."""
    return f"file:{path}"


def audio_stream(container: InputContainer) -> AudioStream | None:
    """The audio stream that a player would select, if it can be decoded."""
    stream = container.streams.best("audio")
    return stream if isinstance(stream, AudioStream) and stream.codec_context is not None else None


def _url(path: Path, offset: int) -> str:
    return f"subfile,,start,{offset},end,0,,:{local_url(path)}" if offset else local_url(path)


def _protocols(offset: int) -> dict[str, str]:
    """A playlist with the name of a video must not make FFmpeg access the network."""
    return {"protocol_whitelist": "file,subfile" if offset else "file"}


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise VideoError(f"{path} is a folder, not a video. Give the video files in it.")
    if not path.exists():
        raise VideoError(f"There is no file {path}. Check the name and the folder.")
    if not path.is_file():
        raise VideoError(f"{path} is a device or pipe, not a file. Save the video to a file first.")
    if path.stat().st_size == 0:
        raise VideoError(f"{path} is empty (0 bytes). Copy or download it again.")


def _opening_error(path: Path, error: Exception) -> str:
    if isinstance(error, PermissionError):
        return f"No permission to read {path}. Change its permissions."
    with path.open("rb") as file:
        is_mp4 = file.read(8)[4:8] in _MP4_BOXES
    if is_mp4:
        return (
            f"{path} is cut off: the index at the end of the file (moov) is missing. Copy or download it again; "
            "if the recording was interrupted, a repair tool such as untrunc may restore it."
        )
    return f"{path} is not a video that FFmpeg can read ({getattr(error, 'strerror', error)}). Give a video file."


def _video_stream(path: Path, container: InputContainer) -> VideoStream:
    stream = container.streams.best("video")
    if container.format.name == "tty":
        raise VideoError(f"{path} is a text file, not a video.")
    if not isinstance(stream, VideoStream) or stream.disposition & Disposition.attached_pic:
        content = "only audio" if container.streams.audio else "no video stream"
        raise VideoError(f"{path} contains {content}. Give a file with a video stream.")
    if stream.codec_context is None:
        raise VideoError(
            f"This build of FFmpeg has no decoder for the codec of {path}. "
            "Convert the video to H.264 first, with a program that can play it."
        )
    return stream
