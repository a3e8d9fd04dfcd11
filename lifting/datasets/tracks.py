"""Keypoints of videos without true poses, for training that needs none: from OpenPose, COCO results, recordings.

All become COCO-17 by joint name; NaN = not seen, or not a joint of the source.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped

from lifting.camera import DEFAULT_FIELD_OF_VIEW, Camera
from lifting.datasets.sequences import Sequence, SequenceBank
from lifting.windows import cut
from poses import COCO17, H36M17, Skeleton, Track2D, convert
from poses.errors import DataError, SettingsError
from poses.recording import load
from poses.skeleton import BODY25, HALPE26, OPENPOSE18

ACTION = "unlabelled"
"""The action of every sequence."""
LOST = 0.5
"""Seconds without the person after which the sequence ends and another begins."""
REACH = 1.0
"""How far a person moves between two sightings, in sizes of its box: what is farther away is somebody else."""
SHORTEST = 0.5
"""Seconds: shorter sequences are left out."""
UNEVEN = 0.25
"""Deviation of a frame's duration from the mean, relative, above which keypoints are resampled to even times."""
OUTSIDE = 0.05
"""Share of keypoints outside the picture above which its size is wrong."""

_OPENPOSE = {len(layout): layout for layout in (BODY25, OPENPOSE18)}
_COCO = {len(layout): layout for layout in (COCO17, HALPE26)}

Found = Float[np.ndarray, "_ _ 3"]
"""The people of one frame, N × J: x, y (px), score."""


@dataclass(frozen=True)
class Filming:
    """How the videos were taken. ``size``: width and height in px; ``rate``: frames a second.

    Without a ``camera`` its field of view is taken to be 55°. ``least``: keypoints of this score or less count as not
    seen.
    """

    size: tuple[int, int]
    rate: float
    camera: Camera | None = None
    least: float = 0.0

    def __post_init__(self) -> None:
        if min(self.size) <= 0 or not (isfinite(self.rate) and self.rate > 0):
            raise SettingsError(f"Pictures of {self.size} px at {self.rate} Hz: give positive numbers.")


def read_tracks(path: Path, filming: Filming | None = None, target: Skeleton = H36M17) -> SequenceBank:
    """The people of a folder of OpenPose's files, of COCO results (.json), or of a recording of Kinelift (.npz).

    ``filming`` is for the first two, which do not tell it; ``target``: the layout of the poses to be found. Raises
    ``DataError`` naming the file that does not fit.
    """
    if path.suffix == ".npz":
        return SequenceBank(tuple(_recorded(path, target)))
    if filming is None:
        raise DataError(f"{path} does not tell how its video was taken. Give the picture's size and the frame rate.")
    if path.is_dir():
        videos, layouts = _openpose(path), _OPENPOSE
    elif path.is_file():
        videos, layouts = {path.stem: _coco(path)}, _COCO
    else:
        raise DataError(f"There is no {path}. Name a folder of OpenPose's files, COCO results or a recording.")
    found = [one for name, frames in videos.items() for one in _filmed(name, frames, layouts, filming, target, path)]
    if not found:
        raise DataError(f"{path} shows nobody for as long as {SHORTEST} s. Check the frame rate, {filming.rate} Hz.")
    return SequenceBank(tuple(found))


def follow(frames: Mapping[int, Found], rate: float) -> Iterator[Float[np.ndarray, "T J 3"]]:
    """One person at a time over consecutive frames, NaN where absent.

    At first the person with the highest mean score, then who is nearest to it, by the middle of the box. One who is
    gone for ``LOST`` seconds is replaced by the person with the highest mean score of that moment.
    """
    sightings: dict[int, Float[np.ndarray, "J 3"]] = {}
    for frame, people in sorted(frames.items()):
        people = people[(people[..., 2] > 0).any(1)]
        if sightings and frame - max(sightings) > LOST * rate:
            yield _filled(sightings)
            sightings = {}
        if len(people):
            chosen = _nearest(people, sightings[max(sightings)]) if sightings else int(people[..., 2].mean(1).argmax())
            if chosen is not None:
                sightings[frame] = people[chosen]
    if sightings:
        yield _filled(sightings)


def _nearest(people: Found, last: Float[np.ndarray, "J 3"]) -> int | None:
    low, high = _box(last)
    middles = np.stack([np.mean(_box(one), axis=0) for one in people])
    distances = np.linalg.norm(middles - (low + high) / 2, axis=-1)
    return int(distances.argmin()) if distances.min() <= REACH * max((high - low).max(), 1.0) else None


def _box(person: Float[np.ndarray, "J 3"]) -> tuple[Float[np.ndarray, " 2"], Float[np.ndarray, " 2"]]:
    seen = person[person[:, 2] > 0, :2]
    return seen.min(0), seen.max(0)


def _filled(sightings: Mapping[int, Float[np.ndarray, "J 3"]]) -> Float[np.ndarray, "T J 3"]:
    first, last = min(sightings), max(sightings)
    absent = np.full_like(next(iter(sightings.values())), np.nan)
    return np.stack([sightings.get(frame, absent) for frame in range(first, last + 1)])


def _filmed(
    name: str, frames: Mapping[int, Found], layouts: Mapping[int, Skeleton], filming: Filming, target: Skeleton,
    path: Path,
) -> Iterator[Sequence]:  # fmt: skip
    counts = {people.shape[1] for people in frames.values() if len(people)}
    if len(counts) > 1:
        raise DataError(f"{path}: {name} has people of {sorted(counts)} keypoints. Keep networks' results apart.")
    source = layouts.get(max(counts, default=0), COCO17)
    camera = filming.camera or Camera.from_field_of_view(DEFAULT_FIELD_OF_VIEW, filming.size)
    seen = {frame: np.where(people[..., 2:] > filming.least, people, 0.0) for frame, people in frames.items()}
    _check_pixels([people for people in seen.values() if len(people)], filming.size, f"{path}: {name}")
    for k, person in enumerate(follow(seen, filming.rate)):
        if len(person) >= SHORTEST * filming.rate:
            points = np.where(person[..., 2:] > 0, person[..., :2], np.nan)
            keypoints = convert(points, source, COCO17)
            yield Sequence(
                f"{name} {k + 1}", ACTION, keypoints, None, camera, filming.size, filming.rate, COCO17, target
            )


def _check_pixels(people: list[Found], size: tuple[int, int], where: str) -> None:
    every = np.concatenate([one.reshape(-1, 3) for one in people]) if people else np.zeros((0, 3))
    points = every[every[:, 2] > 0, :2]
    if len(points) and np.abs(points).max() <= 1:
        raise DataError(f"{where}: coordinates are within ±1, not pixels. Run OpenPose with --keypoint_scale 0.")
    outside = ((points < 0) | (points > np.array(size))).any(-1)
    if len(points) and outside.mean() > OUTSIDE:
        raise DataError(
            f"{where}: {outside.mean():.0%} of the keypoints are outside of {size[0]} × {size[1]} px. Give the size of "
            f"the pictures in which they were found."
        )


def _openpose(folder: Path) -> dict[str, dict[int, Found]]:
    """The people of every frame, by video: ``NAME_000000000000_keypoints.json``."""
    videos: dict[str, dict[int, Found]] = defaultdict(dict)
    for path in sorted(folder.glob("*_keypoints.json")):
        if not (parts := re.fullmatch(r"(?:(.*)_)?(\d+)_keypoints\.json", path.name)):
            raise DataError(
                f"{path} has no frame number. Expected NAME_000000000000_keypoints.json, as OpenPose names it."
            )
        videos[parts[1] or folder.name][int(parts[2])] = _people(path)
    if not videos:
        raise DataError(f"No OpenPose files in {folder}. Expected NAME_000000000000_keypoints.json, one a frame.")
    return videos


def _people(path: Path) -> Found:
    facts = _json(path)
    try:
        rows = [person["pose_keypoints_2d"] for person in facts["people"]]
    except (LookupError, TypeError) as error:
        raise DataError(f"{path} lacks {error}. Expected OpenPose's people with pose_keypoints_2d.") from error
    return _triples(rows, _OPENPOSE, f"{path}: pose_keypoints_2d")


def _coco(path: Path) -> dict[int, Found]:
    """The people of every frame of a list of results; the frame's number is the last one in its ``image_id``."""
    frames: dict[int, list[Any]] = defaultdict(list)
    results = _json(path)
    try:
        for result in results:
            frames[int(re.findall(r"\d+", str(result["image_id"]))[-1])].append(result["keypoints"])
    except (LookupError, TypeError) as error:
        raise DataError(
            f"{path} is no list of COCO results ({error}). Expected [{{image_id, keypoints, …}}, …], images numbered."
        ) from error
    return {frame: _triples(rows, _COCO, f"{path}: keypoints") for frame, rows in frames.items()}


def _triples(rows: list[Any], layouts: Iterable[int], where: str) -> Found:
    """(N, J, 3) of rows x, y, score, x, …; a row without content is nobody."""
    sizes = {len(row) if isinstance(row, list) else -1 for row in rows} - {0}
    if not sizes:
        return np.zeros((0, 1, 3))
    if len(sizes) > 1 or not sizes <= {3 * count for count in layouts}:
        raise DataError(f"{where} has {sorted(sizes)} numbers a person, expected {[3 * count for count in layouts]}.")
    try:
        found = np.array([row for row in rows if row], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{where} holds something other than numbers ({error}). Export the file anew.") from error
    found = found.reshape(len(found), -1, 3)
    return np.where(np.isfinite(found).all(-1, keepdims=True), found, 0.0)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror}.") from error
    except ValueError as error:
        raise DataError(f"{path} is no JSON, or it is cut off ({error}). Export the file anew.") from error


def _recorded(path: Path, target: Skeleton) -> Iterator[Sequence]:
    """Everybody of a recording, without what was filled in."""
    recording = load(path)
    size = (recording.video.width, recording.video.height)
    for person in recording.people:
        points, rate = _evenly(person.track, recording.video.frame_rate)
        keypoints = convert(points, person.track.skeleton, COCO17)
        camera = Camera.from_field_of_view(DEFAULT_FIELD_OF_VIEW, size)
        name = f"{recording.video.name} {person.id}"
        yield Sequence(name, ACTION, keypoints, None, camera, size, rate, COCO17, target)


def _evenly(track: Track2D, rate: float) -> tuple[Shaped[np.ndarray, "T J 2"], float]:
    """The keypoints that were seen, at even times."""
    points = np.where(track.filled[..., None], np.nan, track.points)
    steps = np.diff(track.times)
    if not len(steps) or np.abs(steps * rate - 1).max() <= UNEVEN:
        return points, rate
    times = np.arange(track.times[0], track.times[-1] + 0.5 / rate, 1 / rate)
    found, seen = cut(points, track.times, times, np.zeros(1))
    return np.where(seen[:, 0, :, None], found[:, 0], np.nan), rate
