"""Reads keypoints without true poses, for training that needs none, from recordings and files of other programs.

All are converted to COCO-17 by joint name, with NaN where a joint is not visible or not part of the source.
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
MAX_GAP = 0.5
"""Seconds without the person after which the sequence ends."""
MAX_STEP = 1.0
"""Largest distance a person moves between two detections, in box sizes. Beyond it is another person."""
MIN_DURATION = 0.5
"""Seconds. Shorter sequences are left out."""
MAX_TIMING_DEVIATION = 0.25
"""Relative deviation of a frame's duration from the mean above which keypoints are resampled to uniform times."""
MAX_OUTSIDE = 0.05
"""Share of keypoints outside the image above which the given image size must be wrong."""

PeopleArray = Float[np.ndarray, "_ _ 3"]
"""The people of one frame, N × J: x, y (px), score."""


@dataclass(frozen=True)
class VideoInfo:
    """Properties of a video that keypoint files do not contain.

    Attributes:
        size: Width and height in pixels.
        rate: Frames per second.
        camera: The camera, or None for one with a field of view of 55°.
        min_score: Keypoints with this score or less count as not visible.

    Raises:
        SettingsError: ``size`` or ``rate`` is not positive.
    """

    size: tuple[int, int]
    rate: float
    camera: Camera | None = None
    min_score: float = 0.0

    def __post_init__(self) -> None:
        if min(self.size) <= 0 or not (isfinite(self.rate) and self.rate > 0):
            raise SettingsError(f"The size is {self.size} px and the rate {self.rate} Hz. Give positive numbers.")


def read_tracks(path: Path, video: VideoInfo | None = None, target: Skeleton = H36M17) -> SequenceBank:
    """Read the people in a recording of Kinelift (.npz), or in any file or folder that ``poses.keypoints`` reads.

    Args:
        path: The recording, file or folder.
        video: Properties of the video, for all but recordings.
        target: Skeleton of the poses to train.

    Raises:
        DataError: The file is not valid, or shows nobody for long enough.
    """
    if path.suffix == ".npz" and "header" in archive_keys(path):
        return SequenceBank(tuple(_from_recording(path, target)))
    if video is None:
        raise DataError(f"{path} does not contain the properties of its video. Give the image size and the frame rate.")
    videos = read_videos(path)
    sequences = [one for name in videos for one in _from_keypoints(name or path.stem, videos[name], video, target)]
    if not sequences:
        raise DataError(f"{path} shows nobody for {MIN_DURATION} s or longer. Check the frame rate, {video.rate} Hz.")
    return SequenceBank(tuple(sequences))


def follow(frames: Mapping[int, PeopleArray], rate: float) -> Iterator[Float[np.ndarray, "T J 3"]]:
    """Follow one person at a time over consecutive frames.

    It starts with the person of the highest mean score and continues with the nearest one, by the centre of the box.
    When the person has been absent for ``MAX_GAP`` seconds, it starts again.

    Args:
        frames: People by frame number.
        rate: Frames per second.

    Yields:
        One sequence per person, NaN where absent.
    """
    detections: dict[int, Float[np.ndarray, "J 3"]] = {}
    for frame, people in sorted(frames.items()):
        people = people[(people[..., 2] > 0).any(1)]
        if detections and frame - max(detections) > MAX_GAP * rate:
            yield _fill_gaps(detections)
            detections = {}
        if len(people):
            index = (
                _nearest(people, detections[max(detections)]) if detections else int(people[..., 2].mean(1).argmax())
            )
            if index is not None:
                detections[frame] = people[index]
    if detections:
        yield _fill_gaps(detections)


def _nearest(people: PeopleArray, last: Float[np.ndarray, "J 3"]) -> int | None:
    low, high = _box(last)
    middles = np.stack([np.mean(_box(one), axis=0) for one in people])
    distances = np.linalg.norm(middles - (low + high) / 2, axis=-1)
    return int(distances.argmin()) if distances.min() <= MAX_STEP * max((high - low).max(), 1.0) else None


def _box(person: Float[np.ndarray, "J 3"]) -> tuple[Float[np.ndarray, " 2"], Float[np.ndarray, " 2"]]:
    seen = person[person[:, 2] > 0, :2]
    return seen.min(0), seen.max(0)


def _fill_gaps(detections: Mapping[int, Float[np.ndarray, "J 3"]]) -> Float[np.ndarray, "T J 3"]:
    first, last = min(detections), max(detections)
    absent = np.full_like(next(iter(detections.values())), np.nan)
    return np.stack([detections.get(frame, absent) for frame in range(first, last + 1)])


def _from_keypoints(name: str, keypoints: Keypoints, video: VideoInfo, target: Skeleton) -> Iterator[Sequence]:
    keypoints = keypoints.in_pixels(*video.size)
    _check_pixels(keypoints, video.size)
    camera = video.camera or Camera.from_field_of_view(DEFAULT_FIELD_OF_VIEW, video.size)
    frames = {frame: _scored_points(people, video.min_score) for frame, people in keypoints.frames.items()}
    for k, person in enumerate(follow(frames, video.rate)):
        if len(person) >= MIN_DURATION * video.rate:
            points = np.where(person[..., 2:] > 0, person[..., :2], np.nan)
            converted = convert(points, keypoints.layout, COCO17)
            yield Sequence(f"{name} {k + 1}", ACTION, converted, None, camera, video.size, video.rate, COCO17, target)


def _scored_points(people: People, min_score: float) -> PeopleArray:
    scores = people.scores[..., None]
    return np.where(scores > min_score, np.concatenate([people.points, scores], -1), 0.0)


def _check_pixels(keypoints: Keypoints, size: tuple[int, int]) -> None:
    all_points = np.concatenate(
        [people.points.reshape(-1, 2) for people in keypoints.frames.values()] or [np.zeros((0, 2))]
    )
    points = all_points[np.isfinite(all_points).all(-1)]
    outside = ((points < 0) | (points > np.array(size))).any(-1)
    if len(points) and outside.mean() > MAX_OUTSIDE:
        raise DataError(
            f"{keypoints.source}: {outside.mean():.0%} of the keypoints are outside the image of {size[0]} × {size[1]} "
            f"px. Give the size of the images in which they were detected."
        )


def _from_recording(path: Path, target: Skeleton) -> Iterator[Sequence]:
    """Convert all people in a recording, without filled-in keypoints."""
    recording = load(path)
    size = (recording.video.width, recording.video.height)
    for person in recording.people:
        points, rate = _resample(person.track, recording.video.frame_rate)
        keypoints = convert(points, person.track.skeleton, COCO17)
        camera = recording.camera or Camera.from_field_of_view(DEFAULT_FIELD_OF_VIEW, size)
        name = f"{recording.video.name} {person.id}"
        yield Sequence(name, ACTION, keypoints, None, camera, size, rate, COCO17, target)


def _resample(track: Track2D, rate: float) -> tuple[Shaped[np.ndarray, "T J 2"], float]:
    """Resample the detected keypoints to uniform times, if the frame times are uneven."""
    points = np.where(track.filled[..., None], np.nan, track.points)
    steps = np.diff(track.times)
    if not len(steps) or np.abs(steps * rate - 1).max() <= MAX_TIMING_DEVIATION:
        return points, rate
    times = np.arange(track.times[0], track.times[-1] + 0.5 / rate, 1 / rate)
    resampled, seen = sample(points, track.times, times)
    return np.where(seen[..., None], resampled, np.nan), rate
