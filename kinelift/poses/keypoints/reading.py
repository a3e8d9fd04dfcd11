"""Keypoint files of any known format, told apart by what they hold."""

from pathlib import Path
from typing import Any

from kinelift.poses.archive import archive_keys
from kinelift.poses.errors import DataError
from kinelift.poses.keypoints.annotations import annotated_videos
from kinelift.poses.keypoints.container import Keypoints
from kinelift.poses.keypoints.detectron import detectron_videos
from kinelift.poses.keypoints.documents import read_json
from kinelift.poses.keypoints.openpose import openpose_videos
from kinelift.poses.keypoints.positions import position_videos
from kinelift.poses.keypoints.recorded import recorded_videos
from kinelift.poses.keypoints.results import alphapose_videos, results_videos
from kinelift.poses.keypoints.videos import Videos

EXPECTED = "a folder of OpenPose's JSON files, a .json of COCO's or AlphaPose's, or a .npz of VideoPose3D or Kinelift"

_LISTED = 9


def read(path: Path, layout: str | None = None, first: int = 0) -> Keypoints:
    """The keypoints of one video, as other programs write them (docs/reference/keypoint-files.md).

    ``path`` is a file or a folder; ``path/NAME`` is one video of those that it holds. ``layout`` names the skeleton
    where the file does not tell, or tells wrong. ``first``: the number that the file gives to the video's first frame.

    Raises ``DataError`` naming the file and the key for what is missing, damaged, ambiguous or no pixels.
    """
    base, name = _split(path)
    videos = _videos(base, layout)
    if name is None and len(videos) == 1:
        (name,) = videos
    if name is None or name not in videos:
        known = ", ".join([str(base / video) for video in videos][:_LISTED]) + (", …" if len(videos) > _LISTED else "")
        wanted = f"{base} holds {len(videos)} videos" if name is None else f"{base} has no video {name}"
        raise DataError(f"{wanted}. Name one: {known}.")
    return videos[name]().counted_from(first)


def read_videos(path: Path, layout: str | None = None) -> dict[str, Keypoints]:
    """The keypoints of all videos of a file or folder, by name; "" where there is but one without a name."""
    return {name: load() for name, load in _videos(path, layout).items()}


def _split(path: Path) -> tuple[Path, str | None]:
    """What of ``path`` exists, and the name of a video behind it."""
    base = next((base for base in (path, *path.parents) if _exists(base)), Path())
    name = path.relative_to(base).as_posix() if base != path else None
    if name and base.is_dir() and not any(base.glob("*_keypoints.json")):
        raise DataError(f"There is no {path}. Expected {EXPECTED}.")
    return base, name


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _videos(path: Path, layout: str | None) -> Videos:
    if path.is_dir():
        return openpose_videos(path, layout)
    if not path.is_file():
        raise DataError(f"There is no {path}. Expected {EXPECTED}.")
    match path.suffix.lower():
        case ".json":
            return _of_json(path, read_json(path), layout)
        case ".npz":
            return _of_npz(path, set(archive_keys(path)), layout)
    raise DataError(f"{path} is no known file of keypoints. Expected {EXPECTED}.")


def _of_json(path: Path, found: Any, layout: str | None) -> Videos:
    match found:
        case list():
            return results_videos(path, found, layout)
        case {"annotations": _}:
            return annotated_videos(path, found, layout)
        case {"people": _}:
            raise DataError(f"{path} is one frame of OpenPose's. Name the folder with the files of all frames.")
        case dict() if found and all(
            isinstance(one, dict) and {"people", "bodies"} & one.keys() for one in found.values()
        ):
            return alphapose_videos(path, found, layout)
    keys = f" It has: {', '.join(list(found)[:9])}." if isinstance(found, dict) else ""
    raise DataError(f"{path} is no known file of keypoints.{keys} Expected a list of results, or COCO's annotations.")


def _of_npz(path: Path, keys: set[str], layout: str | None) -> Videos:
    if "header" in keys:
        return recorded_videos(path, layout)
    if "positions_2d" in keys:
        return position_videos(path, layout)
    if {"boxes", "keypoints"} <= keys:
        return detectron_videos(path, layout)
    raise DataError(
        f"{path} is no known file of keypoints. It has: {', '.join(sorted(keys)) or 'nothing'}. Expected boxes and "
        f"keypoints, or positions_2d, as VideoPose3D writes them, or a recording."
    )
