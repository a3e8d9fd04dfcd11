"""Read the custom-video keypoints that VideoPose3D's ``prepare_data_2d_custom.py`` writes: ``data_2d_custom_*.npz``.

``positions_2d`` = {video: {"custom": [frames × joints × 2 or 3]}}, ``metadata`` = {"layout_name", "video_metadata":
{video: {"w", "h"}}, …}. One person per video. Missed detections have been interpolated, and are not marked.
"""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from kinelift.poses.archive import read_archive
from kinelift.poses.errors import DataError
from kinelift.poses.keypoints.container import Keypoints, Videos
from kinelift.poses.keypoints.documents import entries, size_of
from kinelift.poses.keypoints.instances import Instance, people_by_frame
from kinelift.poses.skeleton import COCO17, H36M17, HUMANEVA15, Skeleton, skeleton

NAMES = {"coco": COCO17, "h36m": H36M17, "humaneva15": HUMANEVA15}
"""The layouts that such files name; their joints are in VideoPose3D's order."""


def position_videos(path: Path, requested: str | None) -> Videos:
    """The videos of such a file, by name.

    Args:
        path: The npz.
        requested: The name of the layout, or None to take it from the metadata.

    Raises:
        DataError: The file has another structure, such as several cameras per recording.
    """
    file = read_archive(path, "positions_2d", "metadata")
    videos, metadata = file["positions_2d"], file["metadata"]
    if not isinstance(videos, dict) or not videos or not isinstance(metadata, dict):
        raise DataError(f"{path} is not {{video: {{action: [keypoints]}}}} with metadata. Make the file again.")
    layout, layout_source = _layout(path, metadata.get("layout_name"), requested)
    sizes = metadata.get("video_metadata", {})
    if not isinstance(sizes, dict):
        raise DataError(f'{path}: video_metadata is not {{video: {{"w": pixels, "h": pixels}}}}. Make the file again.')
    several = len(videos) > 1
    return {
        str(video): partial(
            _video, str(path / str(video) if several else path), actions, layout, layout_source, sizes.get(video)
        )
        for video, actions in videos.items()
    }


def _layout(path: Path, name: Any, requested: str | None) -> tuple[Skeleton, str]:
    if requested is not None:
        return skeleton(requested), "as requested"
    if not isinstance(name, str) or name not in NAMES:
        raise DataError(
            f"{path}: metadata names the unknown layout {name!r}. Known: {', '.join(NAMES)}. "
            f"Choose the layout with kinelift run --keypoint-layout."
        )
    return NAMES[name], f"metadata names {name}"


def _video(source: str, actions: Any, layout: Skeleton, layout_source: str, size: Any) -> Keypoints:
    points = _points(source, actions)
    if points.shape[1] != len(layout):
        raise DataError(
            f"{source} has {points.shape[1]} keypoints per person, but the layout {layout} ({layout_source}) has "
            f"{len(layout)}."
        )
    pixels = None if size is None else size_of(size, f"{source}: video_metadata")
    instances = (Instance(frame, row.ravel(), f"{source}: frame {frame}") for frame, row in enumerate(points))
    return Keypoints(
        source, layout, layout_source, people_by_frame(source, instances, len(layout), range(len(points))), pixels
    )


def _points(source: str, actions: Any) -> Shaped[np.ndarray, "T J 3"]:
    """x, y and score of the only person in the only camera; the score is 1 if the file has none."""
    if not isinstance(actions, dict) or len(actions) != 1:
        raise DataError(f'{source} does not have exactly one action, "custom". Use a file of custom videos.')
    cameras = [one for action in actions.values() for one in entries(action, source)]
    found = cameras[0] if len(cameras) == 1 else None
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "fiu" or found.ndim != 3:
        raise DataError(
            f"{source} does not have exactly one array of frames × joints × 2. Use a file of custom videos."
        )
    if found.shape[2] not in (2, 3):
        raise DataError(f"{source} has {found.shape[2]} numbers per joint, expected x, y or x, y, score.")
    return np.concatenate([found, np.ones((*found.shape[:2], 1))], -1)[..., :3].astype(np.float64)
