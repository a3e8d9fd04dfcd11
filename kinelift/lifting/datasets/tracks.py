"""Keypoints of videos without true poses, for training that needs none: files of other programs, recordings.

All become COCO-17 by joint name; NaN = not seen, or not a joint of the source.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import numpy as np
from jaxtyping import Float, Shaped

from kinelift.lifting.datasets.sequences import Sequence, SequenceBank
from kinelift.poses import COCO17, H36M17, People, Skeleton, Track2D, convert
from kinelift.poses.archive import archive_keys
from kinelift.poses.camera import DEFAULT_FIELD_OF_VIEW, Camera
from kinelift.poses.errors import DataError, SettingsError
from kinelift.poses.keypoints import Keypoints, read_videos
from kinelift.poses.recording import load
from kinelift.poses.timeseries import sample

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
    """The people of a recording of Kinelift (.npz), or of any other file of ``poses.keypoints``, as OpenPose's folders.

    ``filming`` is for those others, which do not tell it; ``target``: the layout of the poses to be found. Raises
    ``DataError`` naming the file that does not fit.
    """
    if path.suffix == ".npz" and "header" in archive_keys(path):
        return SequenceBank(tuple(_recorded(path, target)))
    if filming is None:
        raise DataError(f"{path} does not tell how its video was taken. Give the picture's size and the frame rate.")
    videos = read_videos(path)
    found = [one for name in videos for one in _filmed(name or path.stem, videos[name], filming, target)]
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


def _filmed(name: str, keypoints: Keypoints, filming: Filming, target: Skeleton) -> Iterator[Sequence]:
    _check_pixels(keypoints, filming.size)
    camera = filming.camera or Camera.from_field_of_view(DEFAULT_FIELD_OF_VIEW, filming.size)
    frames = {frame: _rows(people, filming.least) for frame, people in keypoints.frames.items()}
    for k, person in enumerate(follow(frames, filming.rate)):
        if len(person) >= SHORTEST * filming.rate:
            points = np.where(person[..., 2:] > 0, person[..., :2], np.nan)
            found = convert(points, keypoints.layout, COCO17)
            yield Sequence(f"{name} {k + 1}", ACTION, found, None, camera, filming.size, filming.rate, COCO17, target)


def _rows(people: People, least: float) -> Found:
    scores = people.scores[..., None]
    return np.where(scores > least, np.concatenate([people.points, scores], -1), 0.0)


def _check_pixels(keypoints: Keypoints, size: tuple[int, int]) -> None:
    every = np.concatenate([people.points.reshape(-1, 2) for people in keypoints.frames.values()] or [np.zeros((0, 2))])
    points = every[np.isfinite(every).all(-1)]
    outside = ((points < 0) | (points > np.array(size))).any(-1)
    if len(points) and outside.mean() > OUTSIDE:
        raise DataError(
            f"{keypoints.source}: {outside.mean():.0%} of the keypoints are outside of {size[0]} × {size[1]} px. Give "
            f"the size of the pictures in which they were found."
        )


def _recorded(path: Path, target: Skeleton) -> Iterator[Sequence]:
    """Everybody of a recording, without what was filled in."""
    recording = load(path)
    size = (recording.video.width, recording.video.height)
    for person in recording.people:
        points, rate = _evenly(person.track, recording.video.frame_rate)
        keypoints = convert(points, person.track.skeleton, COCO17)
        camera = recording.camera or Camera.from_field_of_view(DEFAULT_FIELD_OF_VIEW, size)
        name = f"{recording.video.name} {person.id}"
        yield Sequence(name, ACTION, keypoints, None, camera, size, rate, COCO17, target)


def _evenly(track: Track2D, rate: float) -> tuple[Shaped[np.ndarray, "T J 2"], float]:
    """The keypoints that were seen, at even times."""
    points = np.where(track.filled[..., None], np.nan, track.points)
    steps = np.diff(track.times)
    if not len(steps) or np.abs(steps * rate - 1).max() <= UNEVEN:
        return points, rate
    times = np.arange(track.times[0], track.times[-1] + 0.5 / rate, 1 / rate)
    found, seen = sample(points, track.times, times)
    return np.where(seen[..., None], found, np.nan), rate
