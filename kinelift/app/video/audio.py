"""Adds the source's audio to a video, with ffmpeg."""

import errno
import os
import shutil
import signal
import subprocess
from fractions import Fraction
from pathlib import Path

import ffmpeg
import imageio_ffmpeg

from kinelift.app.video.opening import local_url
from kinelift.app.video.reader import Video
from kinelift.poses.errors import OutputError

# Audio codecs that mp4 supports and all common players know; others are converted to AAC.
_COPIED_CODECS = frozenset({"aac", "mp3", "ac3", "eac3"})
# What ffmpeg says about a full disk.
_FULL = tuple(os.strerror(number) for number in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT))


def add_audio(
    silent: Path, source: Video, out: Path, clock: int, begin: Fraction = Fraction(0), length: Fraction | None = None
) -> str | None:
    """Write an mp4 with the video of one file and the audio of another.

    Audio before ``begin`` is left out.

    Args:
        silent: An mp4 without audio, whose first frame is at 0.
        source: The video whose audio is used; it must have some.
        out: The mp4 to write.
        clock: Ticks per second of the video track.
        begin: Time of the source's pictures at which the mp4 begins (s).
        length: Where the mp4's audio ends (s); None = where the source's does.

    Returns:
        Why the audio could not be added; None if it was.

    Raises:
        OutputError: ffmpeg is missing or was stopped, or the disk is full.
    """
    assert source.audio is not None
    copied = source.audio.codec in _COPIED_CODECS
    # ffmpeg-python takes text only, and names of files need not be: they get their places in the compiled command.
    names = {"silent": local_url(silent), "source": local_url(source.path), "out": local_url(out)}
    video_input = ffmpeg.input("silent", format="mp4")["v:0"]
    audio_input = ffmpeg.input("source", itsoffset=_seconds(-source.start - begin), protocol_whitelist="file")
    options = {
        "format": "mp4",
        "movflags": "+faststart",
        "video_track_timescale": clock,
        "map_metadata": -1,
        "map_chapters": -1,
        "c:v": "copy",
        "c:a": "copy" if copied else "aac",
        "max_error_rate": 1,
    }
    if length is not None:
        options["to"] = _seconds(length)
    output = ffmpeg.output(video_input, audio_input[str(source.audio.stream)], "out", **options)
    output = output.global_args("-hide_banner", "-nostdin", "-loglevel", "error", "-copyts")
    command = ffmpeg.compile(output, cmd=ffmpeg_program(), overwrite_output=True)
    return _run([names.get(argument, argument) for argument in command], source.path)


def ffmpeg_program() -> str:
    """The system's ffmpeg, otherwise the one of imageio-ffmpeg.

    Raises:
        OutputError: Neither is there.
    """
    try:
        return shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise OutputError(
            "ffmpeg, which adds the audio to the video, is missing. Run: pip install imageio-ffmpeg"
        ) from error


def _run(command: list[str], source: Path) -> str | None:
    process = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if process.returncode == 0:
        return None
    messages = process.stderr.decode(errors="replace").strip().splitlines()
    reason = messages[-1] if messages else _exit_reason(process.returncode)
    problem = f"The audio of {source} could not be added (ffmpeg: {reason})."
    if process.returncode < 0 or any(full in line for line in messages for full in _FULL):
        raise OutputError(f"{problem} Check that there is space on the disk.")
    return problem


def _exit_reason(status: int) -> str:
    return f"stopped by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


def _seconds(time: Fraction) -> str:
    return f"{float(time):.6f}"
