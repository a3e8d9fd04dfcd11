"""Read the labels of Ultralytics' pose models, as ``save_txt`` writes them: a folder of ``NAME_1.txt``, one per frame.

A line is a person: the class, the box (middle x and y, width, height), x and y of each joint, with its confidence where
the model has one, then the person's confidence with ``save_conf``, and the number of a track. Lengths are fractions of
the picture's size. Frames of a video are counted from 1, and those without people have no file. A joint that was not
seen is at (0, 0).
"""

import math
import re
from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from kinelift.poses.errors import DataError
from kinelift.poses.keypoints.container import FRACTIONS, Keypoints, Videos, frame_ref
from kinelift.poses.keypoints.instances import MAX_NORMALISED, Instance, people_by_frame
from kinelift.poses.keypoints.layouts import Definition, resolve_layout
from kinelift.poses.skeleton import COCO17, skeleton

LABELS = Definition("Ultralytics' labels", {17: COCO17}, COCO17)
_PERSON = 0
_BEFORE_JOINTS = 5
_EXTRAS = 2
"""The person's confidence and the number of the track."""
_NO_LABELS = {"classes.txt"}


def label_files(folder: Path) -> list[Path]:
    """The files of labels in a folder, or in ``labels`` in it, as Ultralytics makes it.

    Raises:
        DataError: The folder cannot be read.
    """
    try:
        inner = folder / "labels"
        found = (inner if inner.is_dir() else folder).glob("*.txt")
        return sorted(path for path in found if path.name not in _NO_LABELS)
    except OSError as error:
        raise DataError(f"Cannot read {folder}: {error.strerror}.") from error


def label_videos(folder: Path, requested: str | None) -> Videos:
    """The videos of a folder of labels, by name.

    Args:
        folder: The folder.
        requested: The name of the layout, or None for COCO's joints.

    Raises:
        DataError: A file has no frame number, or another file's.
    """
    videos: dict[str, dict[int, Path]] = defaultdict(dict)
    for path in label_files(folder):
        name, number = frame_ref(path.name, f"{path}: its name")
        frames = videos[name or folder.name]
        if number in frames:
            raise DataError(f"{path} and {frames[number].name} are both frame {number}. Keep one of them.")
        frames[number] = path
    several = len(videos) > 1
    return {
        name: partial(_video, str(folder / name if several else folder), files, requested)
        for name, files in sorted(videos.items())
    }


def _video(source: str, files: Mapping[int, Path], requested: str | None) -> Keypoints:
    joints = len(skeleton(requested)) if requested else len(COCO17)
    first = _first(files)
    instances = [instance for number, path in files.items() for instance in _people(path, number - first, joints)]
    layout, layout_source = resolve_layout(source, {joints} if instances else set(), LABELS, requested)
    frames = people_by_frame(source, instances, len(layout))
    return Keypoints(source, layout, layout_source, frames, fractions=True)


def _first(files: Mapping[int, Path]) -> int:
    """The number of the first frame: 1 in a video of Ultralytics, which has no leading zeros; 0 in pictures' names."""
    padded = any(re.search(r"(?<!\d)0\d*$", path.stem) for path in files.values())
    return 0 if padded else 1


def _people(path: Path, frame: int, joints: int) -> list[Instance]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not text. Export the file again.") from error
    rows = [(f"{path}: line {k}", line.split()) for k, line in enumerate(lines, 1) if line.strip()]
    found = [(where, _numbers(words, where)) for where, words in rows]
    return [_person(frame, row, where, joints) for where, row in found if row[0] == _PERSON]


def _numbers(words: list[str], where: str) -> list[float]:
    try:
        values = [float(word) for word in words]
    except ValueError as error:
        raise DataError(f"{where} is not a list of numbers. Export the file again.") from error
    if not all(map(math.isfinite, values)):
        raise DataError(f"{where} holds a number that is not finite. Export the file again.")
    return values


def _person(frame: int, row: list[float], where: str, joints: int) -> Instance:
    rest = len(row) - _BEFORE_JOINTS
    size = next((each for each in (3, 2) if 0 <= rest - each * joints <= _EXTRAS), None)
    if size is None:
        raise DataError(
            f"{where} has {len(row)} numbers. Expected class, x, y, width, height and {joints} joints of 2 or 3 "
            "numbers, as Ultralytics' pose models write them. Choose another one with --keypoint-layout."
        )
    stop = _BEFORE_JOINTS + size * joints
    if not all(abs(value) <= MAX_NORMALISED for k, value in enumerate(row[1:stop], 1) if not _is_score(k, size)):
        raise DataError(f"{where}: coordinates are not fractions of the picture's size. Export the file again.")
    points = [row[start : start + size] for start in range(_BEFORE_JOINTS, stop, size)]
    values = [value for point in points for value in _joint(*point)]
    x, y, width, height = (FRACTIONS * value for value in row[1:_BEFORE_JOINTS])
    box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2) if min(width, height) > 0 else None
    return Instance(frame, values, where, box, _confidence(row[stop:]))


def _is_score(column: int, size: int) -> bool:
    return size == 3 and column >= _BEFORE_JOINTS and (column - _BEFORE_JOINTS) % 3 == 2


def _joint(x: float, y: float, score: float = 1.0) -> tuple[float, float, float]:
    seen = (x, y) != (0, 0)
    return FRACTIONS * x, FRACTIONS * y, min(max(score, 0.0), 1.0) if seen else 0.0


def _confidence(extras: list[float]) -> float | None:
    """The person's confidence. A single number that is whole is that of a track."""
    if not extras or (len(extras) == 1 and extras[0].is_integer()) or not 0 <= extras[0] <= 1:
        return None
    return extras[0]
