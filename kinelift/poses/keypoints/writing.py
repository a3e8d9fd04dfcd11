"""Write recordings as keypoint files of other programs, or as Kinelift's own.

Other programs' formats cannot mark interpolated joints, so these are left out. A joint that was not detected is three
zeros. Coordinates have 3 decimals, scores 4.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from kinelift.poses.boxes import bounding_boxes
from kinelift.poses.containers import Person, Recording
from kinelift.poses.errors import OutputError
from kinelift.poses.keypoints.openpose import KEY
from kinelift.poses.keypoints.recorded import detected
from kinelift.poses.keypoints.results import FEET
from kinelift.poses.output import check_folder, replacing, replacing_folder
from kinelift.poses.recording import save
from kinelift.poses.skeleton import BODY25, COCO17, COCO23, OPENPOSE18, Skeleton, convert

_VERSION = 1.3
_UNUSED = ("face_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d", "pose_keypoints_3d")
"""Keys for which OpenPose writes an empty list if only the body is detected."""
_MIDDLES = {"neck": ("left_shoulder", "right_shoulder"), "hip": ("left_hip", "right_hip")}
"""Joints of OpenPose that lie in the middle of two others."""


class Format(Enum):
    """The formats in which keypoints can be written."""

    OPENPOSE = "openpose-json"
    COCO = "coco-json"
    NPZ = "npz"


class PersonKeypoints(NamedTuple):
    """One person in one frame: x, y, score of each joint, zeros where not detected."""

    person: int
    joints: Float[np.ndarray, "J 3"]


def write(path: Path, recording: Recording, to: Format) -> None:
    """Write the tracks of a recording atomically.

    Args:
        path: A folder for OpenPose JSON, else a file.
        recording: The recording.
        to: The format.

    Raises:
        OutputError: The file or folder cannot be written.
    """
    writers: Mapping[Format, Callable[[Path, Recording], None]] = {
        Format.OPENPOSE: write_openpose, Format.COCO: write_coco, Format.NPZ: save
    }  # fmt: skip
    writers[to](path, recording)


def check(path: Path, video: str, to: Format) -> None:
    """Check in advance that ``write`` would not refuse to replace what is at ``path``.

    Args:
        path: The file or folder to write.
        video: The name of the recording's video.
        to: The format.

    Raises:
        OutputError: ``path`` is a folder where a file is to be written, or it is a folder with other files.
    """
    if to is Format.OPENPOSE:
        check_folder(path, _own_names(video))
    elif path.is_dir():
        raise OutputError(f"{path} is a folder. Give the name of a file.")


def write_openpose(path: Path, recording: Recording) -> None:
    """Write a folder with one file per frame, ``NAME_000000000000_keypoints.json``; ``person_id`` is the recording's.

    The joints are BODY_25's if the recording has feet, else OpenPose's COCO-18. If the recording has no neck, it is the
    middle of the shoulders where both were detected, as in OpenPose's training data; a missing hip is that of the hips.

    An earlier folder of the same video is replaced.

    Raises:
        OutputError: The folder cannot be written, or an earlier one holds other files.
    """
    name = _stem(recording.video.name)
    frames = by_frame(recording, _openpose_joints)
    with replacing_folder(path, _own_names(recording.video.name)) as folder:
        for frame in range(max(len(recording.video.times), max(frames, default=-1) + 1)):
            people = [_openpose_person(one) for one in frames.get(frame, ())]
            text = json.dumps({"version": _VERSION, "people": people}, separators=(",", ":"), allow_nan=False)
            (folder / f"{name}_{frame:012d}_keypoints.json").write_text(text, encoding="utf-8")


def write_coco(path: Path, recording: Recording) -> None:
    """Write a list of COCO results with 17 joints, and with those of the feet in COCO-WholeBody's ``foot_kpts``.

    ``image_id`` is the frame's number from 0 and ``track_id`` the person's id in the recording. ``bbox`` (x, y, width,
    height) encloses the detected joints of the body, and ``score`` is the mean of their scores.

    Raises:
        OutputError: The file cannot be written.
    """
    layout = COCO23 if any(person.track.skeleton.feet for person in recording.people) else COCO17
    rows = [
        _coco_result(frame, one)
        for frame, people in sorted(by_frame(recording, partial(_coco_joints, target=layout)).items())
        for one in people
    ]
    with replacing(path) as part:
        part.write_text(json.dumps(rows, separators=(",", ":"), allow_nan=False), encoding="utf-8")


def by_frame(
    recording: Recording, joints: Callable[[Float[np.ndarray, "T J 3"], Skeleton], Float[np.ndarray, "T K 3"]]
) -> dict[int, list[PersonKeypoints]]:
    """The people of each frame who have a detected joint.

    Args:
        recording: The recording.
        joints: Converts rows of x, y, score from a layout to that of the file.
    """
    found: dict[int, list[PersonKeypoints]] = defaultdict(list)
    for person in recording.people:
        rows = joints(_rows(person), person.track.skeleton)
        for t in np.flatnonzero((rows[..., 2] > 0).any(-1)).tolist():
            found[person.track.start + t].append(PersonKeypoints(person.id, rows[t]))
    return found


def _own_names(video: str) -> Callable[[str], bool]:
    """Whether a name is that of a file that ``write_openpose`` makes of this video."""
    file = re.compile(rf"{re.escape(_stem(video))}_[0-9]{{12}}_keypoints\.json")
    return lambda entry: bool(file.fullmatch(entry))


def _stem(video: str) -> str:
    return re.sub(r"[/\\\0]", "_", video)


def _rows(person: Person) -> Float[np.ndarray, "T J 3"]:
    """x, y, score of each joint, NaN where not detected. No score is rounded to 0."""
    track, smallest = person.track, 1e-4
    points, scores = track.points.astype(np.float64), track.scores.astype(np.float64)[..., None]
    rows = np.concatenate([points.round(3), scores.round(4).clip(smallest, 1)], -1)
    return np.where(detected(track)[..., None], rows, np.nan)


def _coco_joints(rows: Float[np.ndarray, "T J 3"], layout: Skeleton, target: Skeleton) -> Float[np.ndarray, "T K 3"]:
    joints: Float[np.ndarray, "T K 3"] = np.nan_to_num(convert(rows, layout, target))
    return joints


def _openpose_joints(rows: Float[np.ndarray, "T J 3"], layout: Skeleton) -> Float[np.ndarray, "T K 3"]:
    target = BODY25 if layout.feet else OPENPOSE18
    joints = convert(rows, layout, target)
    for middle, ends in _MIDDLES.items():
        if middle in target.joints and middle not in layout.joints and set(ends) <= set(layout.joints):
            left, right = (joints[:, target.index(end)] for end in ends)
            between = ((left + right) / 2).round(4)
            between[:, 2] = np.minimum(left[:, 2], right[:, 2])
            joints[:, target.index(middle)] = between
    known: Float[np.ndarray, "T K 3"] = np.nan_to_num(joints)
    return known


def _openpose_person(one: PersonKeypoints) -> dict[str, Any]:
    return {"person_id": [one.person], KEY: one.joints.ravel().tolist(), **{key: [] for key in _UNUSED}}


def _coco_result(frame: int, one: PersonKeypoints) -> dict[str, Any]:
    body = one.joints[: len(COCO17)]
    seen = body if (body[:, 2] > 0).any() else one.joints
    points, scores = seen[:, :2], seen[:, 2]
    feet = one.joints[len(COCO17) :].ravel().tolist()
    x1, y1, x2, y2 = bounding_boxes(np.where(scores[:, None] > 0, points, np.nan)[None])[0].tolist()
    return {
        "image_id": frame,
        "category_id": 1,
        "keypoints": body.ravel().tolist(),
        **({FEET: feet} if feet else {}),
        "score": round(float(scores[scores > 0].mean()), 4),
        "bbox": [round(number, 3) for number in (x1, y1, x2 - x1, y2 - y1)],
        "track_id": one.person,
    }
