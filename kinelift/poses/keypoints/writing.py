"""Recordings as keypoint files of other programs, and as our own.

The formats of others know nothing of interpolation, so filled joints are left out there; what was not seen is three
zeros. Coordinates have 3 decimals, scores 4.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from kinelift.poses.boxes import bounding_boxes
from kinelift.poses.containers import Person, Recording
from kinelift.poses.errors import OutputError
from kinelift.poses.keypoints.openpose import KEY
from kinelift.poses.keypoints.recorded import seen
from kinelift.poses.output import check_folder, replacing, replacing_folder
from kinelift.poses.recording import save
from kinelift.poses.skeleton import BODY25, COCO17, OPENPOSE18, Skeleton, convert

_VERSION = 1.3
_UNUSED = ("face_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d", "pose_keypoints_3d")
"""Keys that OpenPose writes with an empty list where it was not asked for more."""
_SHOULDERS = ("left_shoulder", "right_shoulder")


class Format(Enum):
    """What keypoints can be written as."""

    OPENPOSE = "openpose-json"
    COCO = "coco-json"
    NPZ = "npz"


class Seen(NamedTuple):
    """One person in one frame: x, y, score of each joint, zeros where it was not seen."""

    person: int
    joints: Float[np.ndarray, "J 3"]


def write(path: Path, recording: Recording, to: Format) -> None:
    """Write the tracks of ``recording`` to ``path`` in one move. Raises ``OutputError``."""
    writers: Mapping[Format, Callable[[Path, Recording], None]] = {
        Format.OPENPOSE: write_openpose, Format.COCO: write_coco, Format.NPZ: save
    }  # fmt: skip
    writers[to](path, recording)


def check(path: Path, video: str, to: Format) -> None:
    """Raises ``OutputError`` if what is at ``path`` now makes ``write`` refuse it for a recording of ``video``."""
    if to is Format.OPENPOSE:
        check_folder(path, _ours(video))
    elif path.is_dir():
        raise OutputError(f"{path} is a folder. Name a file.")


def write_openpose(path: Path, recording: Recording) -> None:
    """A folder with a file for every frame of the video, ``NAME_000000000000_keypoints.json``; ``person_id`` is ours.

    The joints are BODY_25's if the recording has them all, else OpenPose's COCO-18. Its neck is the middle of both
    shoulders where both were seen and there is none, as in the data that OpenPose was trained on.

    An earlier folder of the same video is replaced. Raises ``OutputError`` if it holds anything else.
    """
    name = _stem(recording.video.name)
    frames = by_frame(recording, _openpose_joints)
    with replacing_folder(path, _ours(recording.video.name)) as folder:
        for frame in range(max(len(recording.video.times), max(frames, default=-1) + 1)):
            people = [_openpose_person(one) for one in frames.get(frame, ())]
            text = json.dumps({"version": _VERSION, "people": people}, separators=(",", ":"), allow_nan=False)
            (folder / f"{name}_{frame:012d}_keypoints.json").write_text(text, encoding="utf-8")


def write_coco(path: Path, recording: Recording) -> None:
    """A list of COCO results with the 17 joints: ``image_id`` is the number of the frame, from 0, ``track_id`` ours.

    ``bbox`` (x, y, width, height) is bounding_boxes the seen joints, ``score`` the mean of theirs.
    """
    rows = [
        _coco_result(frame, one)
        for frame, people in sorted(by_frame(recording, _coco_joints).items())
        for one in people
    ]
    with replacing(path) as part:
        part.write_text(json.dumps(rows, separators=(",", ":"), allow_nan=False), encoding="utf-8")


def by_frame(
    recording: Recording, joints: Callable[[Float[np.ndarray, "T J 3"], Skeleton], Float[np.ndarray, "T K 3"]]
) -> dict[int, list[Seen]]:
    """Everybody of whom something is seen in a frame, with ``joints`` made of their points and scores."""
    found: dict[int, list[Seen]] = defaultdict(list)
    for person in recording.people:
        rows = joints(_rows(person), person.track.skeleton)
        for t in np.flatnonzero((rows[..., 2] > 0).any(-1)).tolist():
            found[person.track.start + t].append(Seen(person.id, rows[t]))
    return found


def _ours(video: str) -> Callable[[str], bool]:
    """Which names are those of files that ``write_openpose`` makes of a video."""
    file = re.compile(rf"{re.escape(_stem(video))}_[0-9]{{12}}_keypoints\.json")
    return lambda entry: bool(file.fullmatch(entry))


def _stem(video: str) -> str:
    return re.sub(r"[/\\\0]", "_", video)


def _rows(person: Person) -> Float[np.ndarray, "T J 3"]:
    """NaN where nothing was seen. No score is rounded to 0."""
    track, smallest = person.track, 1e-4
    scores = track.scores.round(4).clip(smallest, 1)[..., None]
    return np.where(seen(track)[..., None], np.concatenate([track.points.round(3), scores], -1), np.nan)


def _coco_joints(rows: Float[np.ndarray, "T J 3"], layout: Skeleton) -> Float[np.ndarray, "T K 3"]:
    return np.nan_to_num(convert(rows, layout, COCO17))


def _openpose_joints(rows: Float[np.ndarray, "T J 3"], layout: Skeleton) -> Float[np.ndarray, "T K 3"]:
    target = BODY25 if set(BODY25.joints) <= set(layout.joints) else OPENPOSE18
    found = convert(rows, layout, target)
    if "neck" not in layout.joints and set(_SHOULDERS) <= set(layout.joints):
        left, right = (found[:, target.index(shoulder)] for shoulder in _SHOULDERS)
        neck = ((left + right) / 2).round(4)
        neck[:, 2] = np.minimum(left[:, 2], right[:, 2])
        found[:, target.index("neck")] = neck
    return np.nan_to_num(found)


def _openpose_person(one: Seen) -> dict[str, Any]:
    return {"person_id": [one.person], KEY: one.joints.ravel().tolist(), **{key: [] for key in _UNUSED}}


def _coco_result(frame: int, one: Seen) -> dict[str, Any]:
    points, scores = one.joints[:, :2], one.joints[:, 2]
    x1, y1, x2, y2 = bounding_boxes(np.where(scores[:, None] > 0, points, np.nan)[None])[0].tolist()
    return {
        "image_id": frame,
        "category_id": 1,
        "keypoints": one.joints.ravel().tolist(),
        "score": round(float(scores[scores > 0].mean()), 4),
        "bbox": [round(number, 3) for number in (x1, y1, x2 - x1, y2 - y1)],
        "track_id": one.person,
    }
