"""Joining a picture with its source's sound, with ffmpeg."""

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

# Sound codecs that an mp4 may hold and that players of all makers know; others become AAC.
_PLAYED_EVERYWHERE = frozenset({"aac", "mp3", "ac3", "eac3"})


def join(picture: Path, source: Video, out: Path, clock: int) -> None:
    """Write ``picture`` (mp4, first frame at 0, ``clock`` ticks a second) with the sound of ``source`` to ``out``.

    Sound before the first picture is left out. Raises ``OutputError`` with ffmpeg's last word.
    """
    assert source.sound is not None
    copied = source.sound.codec in _PLAYED_EVERYWHERE
    seen = ffmpeg.input(local_url(picture), format="mp4")["v:0"]
    heard = ffmpeg.input(local_url(source.path), itsoffset=_seconds(-source.start), protocol_whitelist="file")
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
    joined = ffmpeg.output(seen, heard[str(source.sound.stream)], local_url(out), **options)
    joined = joined.global_args("-hide_banner", "-nostdin", "-loglevel", "error", "-copyts")
    _run(ffmpeg.compile(joined, cmd=program(), overwrite_output=True), source.path)


def program() -> str:
    """The ffmpeg of the system, else the one that came with imageio-ffmpeg. Raises ``OutputError`` if there is none."""
    try:
        return shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise OutputError(
            "ffmpeg is missing, which lays the sound under the picture. Run: pip install imageio-ffmpeg"
        ) from error


def _run(command: list[str], source: Path) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode == 0:
        return
    said = done.stderr.decode(errors="replace").strip().splitlines()
    why = said[-1] if said else _ending(done.returncode)
    raise OutputError(
        f"The sound of {source} could not be added (ffmpeg: {why}). "
        "Check that the disk has space and that the file still plays."
    )


def _ending(status: int) -> str:
    return f"stopped by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


def _seconds(time: Fraction) -> str:
    return f"{float(time):.6f}"
