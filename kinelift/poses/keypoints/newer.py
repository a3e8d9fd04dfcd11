"""Read the predictions of MMPose, of Ultralytics' ``to_json``, and MHFormer's keypoints.

MMPose writes a list of frames ``{"frame_id", "instances": [{"keypoints": [[x, y], …], "keypoint_scores", "bbox": [[x1,
y1, x2, y2]], "bbox_score"}, …]}``, counted from 0; its demos write that list as ``instance_info``, counted from 1.
Ultralytics writes a list of people ``{"name": "person", "confidence", "box": {x1, y1, x2, y2}, "keypoints": {"x", "y",
"visible"}}`` for a picture; a list of those is a video. MHFormer's npz holds ``reconstruction``, people × frames ×
Human3.6M's 17 joints × (x, y).
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from kinelift.poses.archive import read_arrays
from kinelift.poses.errors import DataError
from kinelift.poses.keypoints.container import Keypoints, Videos
from kinelift.poses.keypoints.documents import entry
from kinelift.poses.keypoints.instances import (
    Instance,
    box_of_corners,
    numbers,
    people_by_frame,
    without_face_and_hands,
)
from kinelift.poses.keypoints.layouts import Definition, resolve_layout
from kinelift.poses.skeleton import COCO17, COCO23, H36M17, HALPE26

MMPOSE = Definition("MMPose's predictions", {17: COCO17, 23: COCO23, 26: HALPE26}, COCO17)
ULTRALYTICS = Definition("Ultralytics' results", {17: COCO17}, COCO17)
MHFORMER = Definition("MHFormer's keypoints", {17: H36M17}, H36M17)


def mmpose_videos(path: Path, frames: list[Any], first: int, requested: str | None) -> Videos:
    """The single video of MMPose's predictions.

    Args:
        path: The file.
        frames: Its frames.
        first: The number that the format gives to the first frame.
        requested: The name of the layout, or None to go by the number of joints.
    """
    return {"": partial(_video, path, frames, first, requested)}


def ultralytics_videos(path: Path, frames: list[Any], requested: str | None) -> Videos:
    """The single video of a list with the people of each frame, as ``to_json`` of Ultralytics writes them."""
    return {"": partial(_ultralytics, path, frames, requested)}


def mhformer_videos(path: Path, requested: str | None) -> Videos:
    """The single video of MHFormer's ``keypoints.npz``."""
    return {"": partial(_mhformer, path, requested)}


def _video(path: Path, frames: list[Any], first: int, requested: str | None) -> Keypoints:
    instances, known = [], set()
    for k, facts in enumerate(frames):
        where = f"{path}: frame {k} of the list"
        people = entry(facts, "instances", where, list)
        number = entry(facts, "frame_id", where, int) if "frame_id" in facts else k + first
        if number < first:
            raise DataError(f"{where}: frame_id is {number}; expected {first} or more.")
        known.add(number - first)
        instances += [_instance(number - first, person, f"{where}, person {n}") for n, person in enumerate(people)]
    return _keypoints(path, instances, known, MMPOSE, requested)


def _instance(frame: int, person: Any, where: str) -> Instance:
    points = entry(person, "keypoints", where, list)
    scores = numbers(entry(person, "keypoint_scores", where, list), f"{where}: keypoint_scores", len(points))
    rows = [numbers(point, f"{where}: keypoints", 2) for point in points]
    joints = [value for (x, y), score in zip(rows, scores, strict=True) for value in (x, y, score)]
    found = person.get("bbox") or None
    corners = found[0] if isinstance(found, list) and found and isinstance(found[0], list) else found
    box = None if corners is None else box_of_corners(numbers(corners, f"{where}: bbox", 4))
    return Instance(frame, without_face_and_hands(joints), where, box, _score(person.get("bbox_score")))


def _ultralytics(path: Path, frames: list[Any], requested: str | None) -> Keypoints:
    instances = []
    for k, people in enumerate(frames):
        if not isinstance(people, list):
            raise DataError(f"{path}: frame {k} is not a list of people. Export the file again.")
        for n, person in enumerate(people):
            where = f"{path}: frame {k}, person {n}"
            if entry(person, "name", where, str) == "person" and "keypoints" in person:
                instances.append(_ultralytics_person(k, person, where))
    return _keypoints(path, instances, set(range(len(frames))), ULTRALYTICS, requested)


def _ultralytics_person(frame: int, person: dict[str, Any], where: str) -> Instance:
    found = entry(person, "keypoints", where, dict)
    xs = numbers(entry(found, "x", where, list), f"{where}: x")
    ys = numbers(entry(found, "y", where, list), f"{where}: y", len(xs))
    scores = numbers(found.get("visible") or [1.0] * len(xs), f"{where}: visible", len(xs))
    rows = zip(xs, ys, scores, strict=True)
    joints = [value for x, y, score in rows for value in (x, y, score if (x, y) != (0, 0) else 0.0)]  # (0, 0): not seen
    box = entry(person, "box", where, dict) if "box" in person else None
    corners = box and box_of_corners(numbers([box.get(side) for side in ("x1", "y1", "x2", "y2")], f"{where}: box", 4))
    return Instance(frame, joints, where, corners or None, _score(person.get("confidence")))


def _mhformer(path: Path, requested: str | None) -> Keypoints:
    found = read_arrays(path, "reconstruction")["reconstruction"]
    if found.dtype.kind not in "fiu" or found.ndim != 4 or found.shape[3] not in (2, 3):
        raise DataError(f"{path}: reconstruction has shape {found.shape}, expected people × frames × joints × 2.")
    scored = np.concatenate([found, np.ones((*found.shape[:3], 1))], -1)[..., :3].astype(np.float64)
    instances = list(_rows(path, scored))
    return _keypoints(path, instances, set(range(found.shape[1])), MHFORMER, requested)


def _rows(path: Path, scored: np.ndarray) -> Iterator[Instance]:
    for person, frames in enumerate(scored):
        for frame, joints in enumerate(frames):
            yield Instance(frame, joints.ravel(), f"{path}: frame {frame}, person {person}")


def _keypoints(
    path: Path, instances: list[Instance], frames: set[int], definition: Definition, requested: str | None
) -> Keypoints:
    counts = {len(one.joints) // 3 for one in instances}
    layout, source = resolve_layout(str(path), counts, definition, requested)
    return Keypoints(str(path), layout, source, people_by_frame(str(path), instances, len(layout), frames))


def _score(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 <= value <= 1 else None
