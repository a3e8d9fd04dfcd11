"""``viewer.html`` of a recording, with the files beside it."""

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from matplotlib.colors import to_hex

from kinelift.app.export.timeline_figure import colour_of
from kinelift.app.results import ACTIONS, OVERLAY, POSES, RECORDING, TIMELINE
from kinelift.app.viewer import LinkedFile, write_page
from kinelift.poses import Recording

_ABOUT = {
    OVERLAY: "the video with skeletons",
    POSES: "every joint in every frame",
    ACTIONS: "the actions",
    TIMELINE: "the actions as a picture",
    RECORDING: "everything, for kinelift and Python",
}


def write_viewer(
    path: Path,
    recording: Recording,
    overlay: str | None = OVERLAY,
    source: Path | None = None,
    beside: Collection[str] | None = None,
) -> None:
    """Write a page that shows video and 3D poses side by side in any browser, without a network.

    It plays the videos that are given here, or one that the user opens. It needs no other file. Of more than about 40
    minutes of one person, it holds only every second, third … frame, and says so.

    Args:
        path: The page.
        recording: What it shows.
        overlay: The name of the video with skeletons in the same folder; None if there is none that shows the video.
        source: The path of the source video from that folder; None = not offered.
        beside: The names of the files that will be in that folder; by default those that are.

    Raises:
        OutputError: The file cannot be written.
    """
    files = [name for name in _ABOUT if (path.with_name(name).is_file() if beside is None else name in beside)]
    links = (LinkedFile(name, _ABOUT[name]) for name in files)
    write_page(path, recording, lambda label: to_hex(colour_of(label)), _videos(overlay, source), links)


def export_viewer(path: Path, recording: Recording) -> None:
    """Write a page that shows video and 3D poses side by side in any browser, without a network.

    It plays the `overlay.mp4` beside it, unless that shows the 3D view alone, or a video that the user opens. The page
    of `kinelift run` offers the source as well. It needs no other file. Of more than about 40 minutes of one person, it
    holds only every second, third … frame, and says so.

    Raises:
        OutputError: The file cannot be written.
    """
    write_viewer(path, recording, overlay_of(recording))


def overlay_of(recording: Recording) -> str | None:
    """The name of the drawn video of an analysis; None if that shows the 3D view without the video."""
    drawing = recording.made_with.get("drawing")
    return None if isinstance(drawing, Mapping) and drawing.get("layout") == "3d" else OVERLAY


def path_between(folder: Path, file: Path) -> Path | None:
    """The path of a file from a folder; None if it is no file, or if they have no folder in common but the root.

    The latter path would tell everybody who gets the page how the user's folders are named.
    """
    file, folder = file.resolve(), folder.resolve()
    common = os.path.commonpath([file, folder])
    if not file.is_file() or common == file.anchor:
        return None
    return Path(os.path.relpath(file, folder))


def _videos(overlay: str | None, source: Path | None) -> Iterator[LinkedFile]:
    if overlay is not None:
        yield LinkedFile(overlay, "With skeletons")
    if source is not None:
        yield LinkedFile(source.as_posix(), "Original")
