"""Results lists: of COCO's evaluation, as many programs write them, and of AlphaPose, which adds to them.

``[{"image_id": …, "category_id": 1, "keypoints": [x, y, score, …], "score": …}, …]``, one entry a person and frame.
COCO defines 17 joints; boxes are ``bbox`` = x, y, width, height. AlphaPose names images, has ``box`` and ``idx``, and
its models have the 17 joints of COCO or the 26 of Halpe. With ``--format open`` or ``cmu`` it writes OpenPose's 18
instead, in an object with an entry an image.
"""

from collections import defaultdict
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any

from kinelift.poses.errors import DataError
from kinelift.poses.keypoints.container import Keypoints
from kinelift.poses.keypoints.documents import entry
from kinelift.poses.keypoints.layouts import Definition, decide
from kinelift.poses.keypoints.openpose import KEY, people_of
from kinelift.poses.keypoints.sightings import Sighting, box_of_corner_and_size, gather, triples
from kinelift.poses.keypoints.videos import Videos, place_of
from kinelift.poses.skeleton import COCO17, HALPE26, OPENPOSE18

COCO = Definition("a list of COCO results", {17: COCO17}, COCO17)
ALPHAPOSE = Definition("AlphaPose's results", {17: COCO17, 26: HALPE26}, COCO17)
ALPHAPOSE_OPEN = Definition("AlphaPose's results with --format open or cmu", {18: OPENPOSE18}, OPENPOSE18)

Found = dict[str, list[Sighting]]


def results_videos(path: Path, rows: list[Any], requested: str | None) -> Videos:
    """The videos of a list of results. Raises ``DataError`` naming the entry and key that does not fit."""
    definition = ALPHAPOSE if any(_of_alphapose(row) for row in rows) else COCO
    found: Found = defaultdict(list)
    categories = set()
    for k, row in enumerate(rows):
        where = f"{path}: entry {k}"
        video, frame = place_of(entry(row, "image_id", where, int, float, str), f"{where}: image_id")
        found[video].append(_sighting(frame, row, where, definition))
        categories.add(str(row.get("category_id", 1)))
    if len(categories) > 1:
        raise DataError(f"{path} has results of the categories {', '.join(sorted(categories))}. Keep people's only.")
    return videos_of(path, found, definition, requested)


def alphapose_videos(path: Path, images: dict[str, Any], requested: str | None) -> Videos:
    """The videos of an object of images, as AlphaPose writes it with ``--format open`` or ``cmu``."""
    found: Found = defaultdict(list)
    for name, facts in images.items():
        where = f"{path}: {name}"
        video, frame = place_of(name, where)
        keys = ("bodies", "joints") if "bodies" in facts else ("people", KEY)
        found[video] += [Sighting(frame, row, place) for place, row in people_of(facts, where, *keys)]
    return videos_of(path, found, ALPHAPOSE_OPEN, requested)


def videos_of(path: Path, found: Found, definition: Definition, requested: str | None) -> Videos:
    """What was found, by video."""
    found = found or {"": []}
    several = len(found) > 1
    return {
        name: partial(_video, str(path / name if several else path), rows, definition, requested)
        for name, rows in sorted(found.items())
    }


def _video(source: str, sightings: list[Sighting], definition: Definition, requested: str | None) -> Keypoints:
    layout, stated = decide(source, {len(one.joints) // 3 for one in sightings}, definition, requested)
    return Keypoints(source, layout, stated, gather(source, sightings, len(layout)))


def _of_alphapose(row: Any) -> bool:
    if not isinstance(row, dict):
        return False
    image = row.get("image_id")
    return (
        "box" in row or "idx" in row or (isinstance(image, str) and image.lower().endswith((".jpg", ".png", ".jpeg")))
    )


def _sighting(frame: int, row: dict[str, Any], where: str, definition: Definition) -> Sighting:
    joints = triples(entry(row, "keypoints", where, list), f"{where}: keypoints")
    if not joints:
        raise DataError(f"{where}: keypoints is empty. Export the file anew.")
    name = "box" if "box" in row else "bbox"
    box = box_of_corner_and_size(row[name], f"{where}: {name}") if name in row else None
    return Sighting(frame, joints, f"{where}: keypoints", box, _confidence(row, joints, where, definition))


def _confidence(row: dict[str, Any], joints: list[float], where: str, definition: Definition) -> float | None:
    """The score of the person, if it is one from 0 to 1.

    AlphaPose's is the sum of the box's score, the mean of the joints' scores and 1.25 times the highest; the first is
    taken out (source: Fang et al., AlphaPose, TPAMI 2022; ``proposal_score`` in its alphapose/utils/writer.py).
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
