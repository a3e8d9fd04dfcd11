"""Opens video files, selects their streams, and turns every fault of a file into a ``VideoError``."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from kinelift.app.video.formats import ALLOWED, refused_text
from kinelift.poses.errors import VideoError

# Seconds that opening, and reading one packet, may take.
_TIMEOUTS = (120, 60)
_LIVE = ("rtsp", "rtmp", "rtmps", "rtp", "udp", "srt", "mms")
# Bytes 4 to 8 of an mp4 or mov file name its first box.
_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")


@contextmanager
def open_video(
    path: Path, offset: int = 0, fps: Fraction | None = None
) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a video file; it is closed when the context ends.

    Args:
        path: The file.
        offset: The byte from which on the file is read.
        fps: The frame rate of streams that state no times; None = FFmpeg's, 25.

    Yields:
        The container and its video stream.

    Raises:
        VideoError: The file is missing, empty, damaged, not a video, or has no stream that can be decoded.
    """
    _check_file(path)
    try:
        container = av.open(
            _url(path, offset), "r", options=_options(offset, fps), metadata_errors="replace", timeout=_TIMEOUTS
        )
    except (av.FFmpegError, OSError, ValueError) as error:
        raise VideoError(_opening_error(path, error)) from error
    with container:
        yield container, _video_stream(path, container)


def missing(path: Path) -> str:
    """What to say about a path that leads nowhere: it may be an address or the number of a camera."""
    name = str(path)
    if address := re.match(r"([a-z][a-z0-9+.-]{1,9}):/", name, re.IGNORECASE):
        live = address[1].lower() in _LIVE
        remedy = (
            "Record a part of it first: ffmpeg -t 60 -i ADDRESS clip.mp4"
            if live
            else "Download the file first, then give its path."
        )
        name = re.sub(r":/+", "://", name, count=1)  # a path has no double slash
        return f"{name} is an address (URL). Kinelift reads files only and never the network. {remedy}"
    if re.fullmatch(r"[0-9]{1,2}|/dev/video[0-9]+", name):
        return (
            f"There is no file {name}. If you mean a camera: kinelift live {name} follows people in front of it, and "
            "with --no-window --record clip.npz also records clip.mp4."
        )
    return f"There is no file {path}. Check the name and the folder."


def local_url(path: Path) -> str:
    """A URL that FFmpeg always reads as a local file, whatever characters the path contains."""
    return f"file:{path}"


def audio_stream(container: InputContainer) -> AudioStream | None:
    """The audio stream that a player would select, if it can be decoded."""
    stream = container.streams.best("audio")
    return stream if isinstance(stream, AudioStream) and stream.codec_context is not None else None


def _url(path: Path, offset: int) -> str:
    return f"subfile,,start,{offset},end,0,,:{local_url(path)}" if offset else local_url(path)


def _options(offset: int, fps: Fraction | None) -> dict[str, str]:
    """Only local files of known formats; a name such as f%d.png is that of one file."""
    options = {
        "protocol_whitelist": "file,subfile" if offset else "file",
        "format_whitelist": ALLOWED,
        "pattern_type": "none",
    }
    return options if fps is None else {**options, "framerate": str(fps)}


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise VideoError(f"{path} is a folder, not a video. Give the video files in it.")
    if not path.exists():
        raise VideoError(missing(path))
    if not path.is_file() and str(path).startswith("/dev/video"):
        raise VideoError(f"{path} is a camera. Record a clip first: ffmpeg -f v4l2 -t 60 -i {path} clip.mp4")
    if not path.is_file():
        raise VideoError(f"{path} is a device or pipe, not a file. Save the video to a file first.")
    if path.stat().st_size == 0:
        raise VideoError(f"{path} is empty (0 bytes). Copy or download it again.")


def _opening_error(path: Path, error: Exception) -> str:
    if isinstance(error, PermissionError):
        return f"No permission to read {path}. Change its permissions."
    if isinstance(error, av.error.ExitError):
        return f"{path} could not be opened within {_TIMEOUTS[0]} s. Copy it to a local disk."
    if text := refused_text(path):
        return f"{path} {text}"
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
    if not isinstance(stream, VideoStream) or stream.disposition & Disposition.attached_pic:
        content = "only audio" if container.streams.audio else "no video stream"
        raise VideoError(f"{path} contains {content}. Give a file with a video stream.")
    if stream.codec_context is None:
        raise VideoError(
            f"This build of FFmpeg has no decoder for the codec of {path}. "
            "Convert the video to H.264 first, with a program that can play it."
        )
    return stream
