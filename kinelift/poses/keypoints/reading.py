"""Read keypoint files of any known format, recognised by their content."""

from pathlib import Path
from typing import Any

from kinelift.poses.archive import archive_keys
from kinelift.poses.errors import DataError
from kinelift.poses.keypoints.annotations import annotated_videos
from kinelift.poses.keypoints.container import Keypoints, Videos
from kinelift.poses.keypoints.deeplabcut import deeplabcut_videos
from kinelift.poses.keypoints.detectron import detectron_videos
from kinelift.poses.keypoints.documents import read_json
from kinelift.poses.keypoints.labels import label_files, label_videos
from kinelift.poses.keypoints.newer import mhformer_videos, mmpose_videos, ultralytics_videos
from kinelift.poses.keypoints.openpose import openpose_videos
from kinelift.poses.keypoints.positions import position_videos
from kinelift.poses.keypoints.recorded import recorded_videos
from kinelift.poses.keypoints.results import alphapose_videos, results_videos

EXPECTED = (
    "a folder of OpenPose JSON files or Ultralytics labels (.txt), a COCO, AlphaPose, MMPose or Ultralytics .json, a "
    "DeepLabCut .csv, or a VideoPose3D, MHFormer or Kinelift .npz"
)

_MAX_LISTED = 9


def read(path: Path, layout: str | None = None, first: int = 0) -> Keypoints:
    """Read the keypoints of one video (formats: docs/reference/keypoint-files.md).

    Args:
        path: A file or folder, or ``path/NAME`` for one of the videos in it.
        layout: The skeleton's name, if the file does not state it or is wrong.
        first: The number that the file gives to the video's first frame.

    Raises:
        DataError: The file is missing, damaged, ambiguous or not in pixels. Names the file and the key.
    """
    base, name = _split(path)
    videos = _videos(base, layout)
    if name is None and len(videos) == 1:
        (name,) = videos
    if name is None or name not in videos:
        known = ", ".join([str(base / video) for video in videos][:_MAX_LISTED])
        known += ", …" if len(videos) > _MAX_LISTED else ""
        problem = f"{base} holds {len(videos)} videos" if name is None else f"{base} has no video {name}"
        raise DataError(f"{problem}. Choose one: {known}.")
    return videos[name]().renumbered(first)


def read_videos(path: Path, layout: str | None = None) -> dict[str, Keypoints]:
    """Read the keypoints of all videos in a file or folder.

    Args:
        path: A file or folder.
        layout: The skeleton's name, if the file does not state it or is wrong.

    Returns:
        The keypoints by the video's name, which is "" for a single video without one.

    Raises:
        DataError: As for ``read``.
    """
    return {name: load() for name, load in _videos(path, layout).items()}


def _split(path: Path) -> tuple[Path, str | None]:
    """The part of ``path`` that exists, and the name of a video after it."""
    base = next((base for base in (path, *path.parents) if _exists(base)), Path())
    name = path.relative_to(base).as_posix() if base != path else None
    if name and base.is_dir() and not (any(base.glob("*_keypoints.json")) or label_files(base)):
        raise DataError(f"{path} does not exist. Expected {EXPECTED}.")
    return base, name


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # not a valid file name
        return False


def _videos(path: Path, layout: str | None) -> Videos:
    if path.is_dir():
        labelled = not any(path.glob("*_keypoints.json")) and label_files(path)
        return label_videos(path, layout) if labelled else openpose_videos(path, layout)
    if not path.is_file():
        raise DataError(f"{path} does not exist. Expected {EXPECTED}.")
    match path.suffix.lower():
        case ".json":
            return _json_videos(path, read_json(path), layout)
        case ".csv":
            return deeplabcut_videos(path, layout)
        case ".npz":
            return _npz_videos(path, set(archive_keys(path)), layout)
    raise DataError(f"{path} is not a known keypoint file. Expected {EXPECTED}.")


def _json_videos(path: Path, found: Any, layout: str | None) -> Videos:
    match found:
        case [{"instances": _}, *_]:
            return mmpose_videos(path, found, 0, layout)
        case {"instance_info": list(frames)}:
            return mmpose_videos(path, frames, 1, layout)
        case [{"name": _, "class": _, "box": _}, *_]:  # a single picture
            return ultralytics_videos(path, [found], layout)
        case [list(), *_]:
            return ultralytics_videos(path, found, layout)
        case list():
            return results_videos(path, found, layout)
        case {"annotations": _}:
            return annotated_videos(path, found, layout)
        case {"people": _, "video": _}:
            raise DataError(f"{path} is a result of Kinelift without keypoints. Give its recording.npz.")
        case {"people": _}:
            raise DataError(f"{path} is a single frame of OpenPose. Give the folder with the files of all frames.")
        case dict() if found and all(
            isinstance(one, dict) and {"people", "bodies"} & one.keys() for one in found.values()
        ):
            return alphapose_videos(path, found, layout)
    keys = f" It has: {', '.join(list(found)[:9])}." if isinstance(found, dict) else ""
    raise DataError(f"{path} is not a known keypoint file.{keys} Expected a list of results, or COCO annotations.")


def _npz_videos(path: Path, keys: set[str], layout: str | None) -> Videos:
    if "header" in keys:
        return recorded_videos(path, layout)
    if "positions_2d" in keys:
        return position_videos(path, layout)
    if "reconstruction" in keys:
        return mhformer_videos(path, layout)
    if {"boxes", "keypoints"} <= keys:
        return detectron_videos(path, layout)
    raise DataError(
        f"{path} is not a known keypoint file. It has: {', '.join(sorted(keys)) or 'nothing'}. Expected boxes and "
        f"keypoints, or positions_2d, as VideoPose3D writes them, or a recording."
    )
