"""Read OpenPose JSON: a folder with one file per frame, ``NAME_000000000000_keypoints.json``.

Each file holds ``{"people": [{"pose_keypoints_2d": [x, y, score, …]}, …]}``. The number in its name is the frame's. A
joint that was not detected is three zeros. The number of joints determines the layout, as OpenPose defines it for its
models BODY_25 and COCO (doc/02_output.md of its repository). Other programs write COCO-WholeBody's 133 in this format.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from kinelift.poses.errors import DataError
from kinelift.poses.keypoints.container import Keypoints, Videos
from kinelift.poses.keypoints.documents import entry, read_json
from kinelift.poses.keypoints.instances import Instance, people_by_frame, triples, without_face_and_hands
from kinelift.poses.keypoints.layouts import Definition, resolve_layout
from kinelift.poses.skeleton import BODY25, COCO23, OPENPOSE18

OPENPOSE = Definition("OpenPose's JSON", {25: BODY25, 18: OPENPOSE18, 23: COCO23}, BODY25)
KEY = "pose_keypoints_2d"
_OLD_KEY = "pose_keypoints"
"""The key of OpenPose 1.2 and earlier."""
_FILE = re.compile(r"(.*?)[_-]?([0-9]+)_keypoints\.json", re.DOTALL)


def openpose_videos(folder: Path, requested: str | None) -> Videos:
    """The videos of a folder, by name.

    Args:
        folder: The folder.
        requested: The name of the layout, or None to go by the number of joints.

    Raises:
        DataError: The folder cannot be read or has no such files, or a file has no frame number or another file's.
    """
    videos: dict[str, dict[int, Path]] = defaultdict(dict)
    for path in _files(folder):
        if not (parts := _FILE.fullmatch(path.name)):
            raise DataError(
                f"{path} has no frame number. Expected NAME_000000000000_keypoints.json, as OpenPose names it."
            )
        frames, number = videos[parts[1] or folder.name], int(parts[2])
        if number in frames:
            raise DataError(f"{path} and {frames[number].name} are both frame {number}. Keep one of them.")
        frames[number] = path
    if not videos:
        raise DataError(f"No OpenPose files in {folder}. Expected NAME_000000000000_keypoints.json, one per frame.")
    several = len(videos) > 1
    return {
        name: partial(_video, str(folder / name if several else folder), frames, requested)
        for name, frames in sorted(videos.items())
    }


def people_of(facts: Any, where: str, people: str = "people", joints: str = KEY) -> list[tuple[str, list[float]]]:
    """The people of one frame, except those with a face only.

    Args:
        facts: The content of the file.
        where: The position in the file, for errors.
        people: The key of the people.
        joints: The key of each person's joints.

    Returns:
        For each person the position in the file, and x, y, score of each joint.

    Raises:
        DataError: A key is missing or its value has another type.
    """
    found = []
    for k, person in enumerate(entry(facts, people, where, list)):
        place = f"{where}: {people}[{k}]"
        if joints == KEY and isinstance(person, dict) and KEY not in person and _OLD_KEY in person:
            person = {**person, KEY: person[_OLD_KEY]}
        found.append((f"{place}.{joints}", triples(entry(person, joints, place, list), f"{place}.{joints}")))
    return [(place, without_face_and_hands(row)) for place, row in found if row]


def _files(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.name.endswith("_keypoints.json")]
    except OSError as error:
        raise DataError(f"Cannot read {folder}: {error.strerror}.") from error


def _video(source: str, files: Mapping[int, Path], requested: str | None) -> Keypoints:
    instances = [
        Instance(frame, row, place)
        for frame, path in files.items()
        for place, row in people_of(read_json(path), str(path))
    ]
    layout, layout_source = resolve_layout(source, {len(one.joints) // 3 for one in instances}, OPENPOSE, requested)
    return Keypoints(source, layout, layout_source, people_by_frame(source, instances, len(layout), files))
