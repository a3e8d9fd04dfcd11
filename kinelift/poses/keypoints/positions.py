"""The keypoints of own videos as VideoPose3D's ``prepare_data_2d_custom.py`` lays them out: ``data_2d_custom_*.npz``.

``positions_2d`` = {video: {"custom": [frames × joints × 2 or 3]}}, ``metadata`` = {"layout_name", "video_metadata":
{video: {"w", "h"}}, …}. One person a video. What the detector missed was interpolated there, and nothing tells where.
"""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from kinelift.poses.archive import read_archive
from kinelift.poses.errors import DataError
from kinelift.poses.keypoints.container import Keypoints
from kinelift.poses.keypoints.documents import entries, size_of
from kinelift.poses.keypoints.sightings import Sighting, gather
from kinelift.poses.keypoints.videos import Videos
from kinelift.poses.skeleton import COCO17, H36M17, HUMANEVA15, Skeleton, skeleton

NAMES = {"coco": COCO17, "h36m": H36M17, "humaneva15": HUMANEVA15}
"""The layouts that such files name, in the order of joints that VideoPose3D gives them."""


def position_videos(path: Path, asked: str | None) -> Videos:
    """The videos of such a file. Raises ``DataError`` for another one, also for one of several cameras a recording."""
    file = read_archive(path, "positions_2d", "metadata")
    videos, metadata = file["positions_2d"], file["metadata"]
    if not isinstance(videos, dict) or not videos or not isinstance(metadata, dict):
        raise DataError(f"{path} is not laid out as {{video: {{action: [keypoints]}}}} with metadata. Make it anew.")
    layout, stated = _layout(path, metadata.get("layout_name"), asked)
    sizes = metadata.get("video_metadata", {})
    if not isinstance(sizes, dict):
        raise DataError(f'{path}: video_metadata is not {{video: {{"w": pixels, "h": pixels}}}}. Make the file anew.')
    several = len(videos) > 1
    return {
        str(video): partial(
            _video, str(path / str(video) if several else path), actions, layout, stated, sizes.get(video)
        )
        for video, actions in videos.items()
    }


def _layout(path: Path, name: Any, asked: str | None) -> tuple[Skeleton, str]:
    if asked is not None:
        return skeleton(asked), "as it was asked for"
    if not isinstance(name, str) or name not in NAMES:
        raise DataError(
            f"{path}: metadata names the layout {name!r}, known are {', '.join(NAMES)}. "
            f"Say which one it is with kinelift run --keypoint-layout."
        )
    return NAMES[name], f"metadata names {name}"


def _video(source: str, actions: Any, layout: Skeleton, stated: str, size: Any) -> Keypoints:
    points = _points(source, actions)
    if points.shape[1] != len(layout):
        raise DataError(
            f"{source} has {points.shape[1]} keypoints a person, and the layout {layout} ({stated}) has {len(layout)}."
        )
    pixels = None if size is None else size_of(size, f"{source}: video_metadata")
    sightings = (Sighting(frame, row.ravel(), f"{source}: frame {frame}") for frame, row in enumerate(points))
    return Keypoints(source, layout, stated, gather(source, sightings, len(layout), range(len(points))), pixels)


def _points(source: str, actions: Any) -> Shaped[np.ndarray, "T J 3"]:
    """x, y and score of the only person, before the only camera; a score of 1 where the file has none."""
    if not isinstance(actions, dict) or len(actions) != 1:
        raise DataError(f'{source} has not one action, "custom". Only files of own videos are keypoints of a video.')
    cameras = [one for action in actions.values() for one in entries(action, source)]
    found = cameras[0] if len(cameras) == 1 else None
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "fiu" or found.ndim != 3:
        raise DataError(f"{source} has not one array of frames × joints × 2. Only own videos have one camera.")
    if found.shape[2] not in (2, 3):
        raise DataError(f"{source} has {found.shape[2]} numbers a joint, expected x, y or x, y, score.")
    return np.concatenate([found, np.ones((*found.shape[:2], 1))], -1)[..., :3].astype(np.float64)
