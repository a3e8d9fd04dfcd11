"""Read result lists in the format of COCO's evaluation, which many programs write, and in AlphaPose's variant.

``[{"image_id": …, "category_id": 1, "keypoints": [x, y, score, …], "score": …}, …]``, one entry per person and frame.
COCO defines 17 joints; boxes are ``bbox`` = x, y, width, height. COCO-WholeBody adds six of the feet, in ``foot_kpts``,
or as the next six of 133 ``keypoints``. AlphaPose gives images by name, has ``box`` and ``idx``, and its models have
COCO's 17 joints, COCO-WholeBody's 133 or Halpe's 26. With ``--format open`` or ``cmu`` it writes OpenPose's 18 instead,
in an object with one entry per image.
"""

from collections import defaultdict
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any

from kinelift.poses.errors import DataError
from kinelift.poses.keypoints.container import Keypoints, Videos, frame_ref
from kinelift.poses.keypoints.documents import entry
from kinelift.poses.keypoints.instances import (
    Instance,
    box_of_corner_and_size,
    people_by_frame,
    triples,
    without_face_and_hands,
)
from kinelift.poses.keypoints.layouts import Definition, resolve_layout
from kinelift.poses.keypoints.openpose import KEY, people_of
from kinelift.poses.skeleton import COCO17, COCO23, HALPE26, OPENPOSE18

FEET = "foot_kpts"
"""The key of COCO-WholeBody's feet."""
COCO = Definition("a list of COCO results", {17: COCO17, 23: COCO23}, COCO17)
ALPHAPOSE = Definition("AlphaPose's results", {17: COCO17, 23: COCO23, 26: HALPE26}, COCO17)
ALPHAPOSE_OPEN = Definition("AlphaPose's results with --format open or cmu", {18: OPENPOSE18}, OPENPOSE18)

Found = dict[str, list[Instance]]


def results_videos(path: Path, rows: list[Any], requested: str | None) -> Videos:
    """The videos of a list of results, by name.

    Args:
        path: The file.
        rows: Its content.
        requested: The name of the layout, or None to go by the format.

    Raises:
        DataError: An entry is invalid. Names the entry and the key.
    """
    definition = ALPHAPOSE if any(_is_alphapose(row) for row in rows) else COCO
    found: Found = defaultdict(list)
    categories = set()
    for k, row in enumerate(rows):
        where = f"{path}: entry {k}"
        video, frame = frame_ref(entry(row, "image_id", where, int, float, str), f"{where}: image_id")
        found[video].append(_instance(frame, row, where, definition))
        categories.add(str(row.get("category_id", 1)))
    if len(categories) > 1:
        raise DataError(f"{path} has results of the categories {', '.join(sorted(categories))}. Keep only people.")
    return videos_of(path, found, definition, requested)


def alphapose_videos(path: Path, images: dict[str, Any], requested: str | None) -> Videos:
    """The videos of an object of images, which AlphaPose writes with ``--format open`` or ``cmu``.

    Args:
        path: The file.
        images: Its content.
        requested: The name of the layout, or None for OpenPose's.

    Raises:
        DataError: An entry is invalid. Names the entry and the key.
    """
    found: Found = defaultdict(list)
    for name, facts in images.items():
        where = f"{path}: {name}"
        video, frame = frame_ref(name, where)
        keys = ("bodies", "joints") if "bodies" in facts else ("people", KEY)
        found[video] += [Instance(frame, row, place) for place, row in people_of(facts, where, *keys)]
    return videos_of(path, found, ALPHAPOSE_OPEN, requested)


def videos_of(path: Path, found: Found, definition: Definition, requested: str | None) -> Videos:
    """The videos of these people, by name."""
    found = found or {"": []}
    several = len(found) > 1
    return {
        name: partial(_video, str(path / name if several else path), rows, definition, requested)
        for name, rows in sorted(found.items())
    }


def _video(source: str, instances: list[Instance], definition: Definition, requested: str | None) -> Keypoints:
    layout, layout_source = resolve_layout(source, {len(one.joints) // 3 for one in instances}, definition, requested)
    return Keypoints(source, layout, layout_source, people_by_frame(source, instances, len(layout)))


def _is_alphapose(row: Any) -> bool:
    if not isinstance(row, dict):
        return False
    image = row.get("image_id")
    return (
        "box" in row or "idx" in row or (isinstance(image, str) and image.lower().endswith((".jpg", ".png", ".jpeg")))
    )


def _instance(frame: int, row: dict[str, Any], where: str, definition: Definition) -> Instance:
    joints = triples(entry(row, "keypoints", where, list), f"{where}: keypoints")
    if not joints:
        raise DataError(f"{where}: keypoints is empty. Export the file again.")
    name = "box" if "box" in row else "bbox"
    box = box_of_corner_and_size(row[name], f"{where}: {name}") if name in row else None
    confidence = _confidence(row, joints, where, definition)
    feet = triples(row[FEET], f"{where}: {FEET}") if FEET in row else []
    return Instance(frame, without_face_and_hands(joints) + feet, f"{where}: keypoints", box, confidence)


def _confidence(row: dict[str, Any], joints: list[float], where: str, definition: Definition) -> float | None:
    """The score of the person, or None if it is not from 0 to 1.

    AlphaPose writes the sum of the box's score, the mean of the joints' scores and 1.25 times the highest; this returns
    the box's score. Source: Fang et al., AlphaPose, TPAMI 2022; ``proposal_score`` in alphapose/utils/writer.py.
    """
    if "score" not in row:
        return None
    score = entry(row, "score", where, int, float)
    if not isfinite(score):
        raise DataError(f"{where}: score is {score}. Expected a number from 0 to 1.")
    if definition is ALPHAPOSE:
        scores = joints[2::3]
        score = round(score - sum(scores) / len(scores) - 1.25 * max(scores), 6)
    return score if 0 <= score <= 1 else None
