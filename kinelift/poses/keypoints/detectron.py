"""Read the Detectron results that VideoPose3D's ``infer_video.py`` and ``infer_video_d2.py`` save for a video.

``boxes`` and ``keypoints`` have one entry per frame, which has one entry per class. The second class is people: boxes
x1, y1, x2, y2, score, and for each person 4 rows x, y, logit, score of COCO's 17 joints. ``metadata`` is {"w", "h"}.
A frame without people has empty lists or None.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from kinelift.poses.archive import read_archive
from kinelift.poses.errors import DataError
from kinelift.poses.keypoints.container import Keypoints, Videos
from kinelift.poses.keypoints.documents import entries, size_of
from kinelift.poses.keypoints.instances import Instance, box_of_corners, people_by_frame
from kinelift.poses.keypoints.layouts import Definition, resolve_layout
from kinelift.poses.skeleton import COCO17

DETECTRON = Definition("Detectron's keypoints", {17: COCO17}, COCO17)
_PEOPLE = 1
"""The class of people; 0 is the background."""
_ROWS = 4


def detectron_videos(path: Path, requested: str | None) -> Videos:
    """The single video of such a file, under the name "".

    Args:
        path: The npz.
        requested: The name of the layout, or None for COCO's.
    """
    return {"": partial(_video, path, requested)}


def _video(path: Path, requested: str | None) -> Keypoints:
    file = read_archive(path, "boxes", "keypoints", "metadata")
    boxes, keypoints = (entries(file[key], f"{path}: {key}") for key in ("boxes", "keypoints"))
    if len(boxes) != len(keypoints):
        raise DataError(f"{path} has {len(boxes)} frames of boxes and {len(keypoints)} of keypoints. Make it again.")
    instances = [one for frame in range(len(boxes)) for one in _people(path, frame, boxes[frame], keypoints[frame])]
    layout, layout_source = resolve_layout(str(path), {len(one.joints) // 3 for one in instances}, DETECTRON, requested)
    frames = people_by_frame(str(path), instances, len(layout), range(len(boxes)))
    return Keypoints(str(path), layout, layout_source, frames, size_of(file["metadata"], f"{path}: metadata"))


def _people(path: Path, frame: int, boxes: Any, keypoints: Any) -> Iterator[Instance]:
    where = f"{path}: frame {frame}"
    seen = _class(keypoints, f"{where} of keypoints")
    found = _class(boxes, f"{where} of boxes") if seen else []
    if len(found) != len(seen):
        raise DataError(f"{where} has {len(found)} boxes and {len(seen)} people. Make the file again.")
    for k, (box, person) in enumerate(zip(found, seen, strict=True)):
        rows = _numbers(person, f"{where}, person {k} of keypoints", (_ROWS, None))
        *corners, confidence = _numbers(box, f"{where}, person {k} of boxes", (5,)).tolist()
        yield Instance(frame, rows[[0, 1, 3]].T.ravel(), f"{where}, person {k}", box_of_corners(corners), confidence)


def _class(found: Any, where: str) -> list[Any]:
    """The people of a frame."""
    classes = [] if found is None else entries(found, where)
    if classes and len(classes) <= _PEOPLE:
        raise DataError(f"{where} has no entry for the class of people. Expected [[], people].")
    return entries(classes[_PEOPLE], where) if classes and classes[_PEOPLE] is not None else []


def _numbers(found: Any, where: str, shape: tuple[int | None, ...]) -> Float[np.ndarray, "..."]:
    array = np.asarray(found)
    fits = array.ndim == len(shape) and all(n in (None, m) for n, m in zip(shape, array.shape, strict=True))
    if array.dtype.kind not in "fiu" or not fits:
        expected = " × ".join("joints" if n is None else str(n) for n in shape)
        raise DataError(f"{where} has shape {array.shape} of {array.dtype}, expected {expected} numbers.")
    return array.astype(np.float64)
