"""The video that results were made from. A folder of results says so in a hidden file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kinelift.app.settings import Layout
from kinelift.app.video.pictures import picture_files
from kinelift.poses.errors import DataError, VideoError
from kinelift.poses.json_values import from_json, parse, storable, to_json
from kinelift.poses.output import replacing
from kinelift.weights.registry import sha256
from kinelift.weights.run import fingerprint

RECORDING, OVERLAY, POSES, ACTIONS = "recording.npz", "overlay.mp4", "poses3d.csv", "actions.json"
TIMELINE, VIEWER = "timeline.png", "viewer.html"
RESULTS = (RECORDING, ACTIONS, TIMELINE, POSES, VIEWER, OVERLAY)
"""The files of one analysis. They belong together."""
SOURCE_FILE = ".source.json"
_DRAWN: Mapping[Layout, str] = {"side-by-side": "overlay", "overlay": "overlay-2d", "3d": "overlay-3d"}


def drawn_name(layout: Layout, suffix: str = "") -> str:
    """The name of a video that was drawn again; that of ``OVERLAY`` only with the layout that it usually has.

    Args:
        layout: What the video shows.
        suffix: What its name ends in if it shows a part.
    """
    return f"{_DRAWN[layout]}{suffix}.mp4"


@dataclass(frozen=True)
class Source:
    """A video: the name of its file, folder or pattern, and the SHA-256 of its content."""

    name: str
    sha256: str

    @staticmethod
    def of(video: Path) -> "Source":
        """Read a video file, or the pictures that stand for a video.

        Raises:
            VideoError: It cannot be read.
        """
        name, pictures = storable(video.name or video.resolve().name), picture_files(video)
        try:
            if pictures is None:
                return Source(name, sha256(video))
            return Source(name, fingerprint({storable(one.name): sha256(one) for one in pictures}))
        except OSError as error:
            raise VideoError(f"{video} cannot be read ({error.strerror or error}). Check its disk.") from error

    def write(self, folder: Path) -> None:
        """Say in a folder that its results are those of this video.

        Raises:
            OutputError: The file cannot be written.
        """
        with replacing(folder / SOURCE_FILE) as part:
            part.write_text(json.dumps(to_json(self)) + "\n", encoding="utf-8")


def stored_source(folder: Path) -> Source | None:
    """The video whose results a folder holds; None if it does not say so."""
    try:
        source: Source = from_json(Source, parse((folder / SOURCE_FILE).read_bytes(), SOURCE_FILE), "")
    except (OSError, DataError):
        return None
    return source


def holds_results(folder: Path) -> bool:
    """Whether a folder holds results, of whatever video."""
    return any((folder / name).exists() for name in (*RESULTS, SOURCE_FILE))
