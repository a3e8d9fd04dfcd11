"""Read the keypoints of Kinelift's recordings, without interpolated joints."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from kinelift.poses.containers import Recording, Track2D
from kinelift.poses.errors import DataError
from kinelift.poses.keypoints.container import Keypoints, Videos
from kinelift.poses.keypoints.instances import Instance, people_by_frame
from kinelift.poses.keypoints.layouts import requested_layout
from kinelift.poses.recording import load
from kinelift.poses.skeleton import COCO17


def recorded_videos(path: Path, requested: str | None) -> Videos:
    """The single video of a recording, under the name "".

    Args:
        path: The recording.
        requested: The name of the layout, or None for the recording's own.
    """
    return {"": partial(_video, path, requested)}


def detected(track: Track2D) -> Bool[np.ndarray, "T J"]:
    """Whether each joint was detected, not interpolated."""
    valid: Bool[np.ndarray, "T J"] = np.isfinite(track.points).all(-1) & (track.scores > 0) & ~track.filled
    return valid


def _video(path: Path, requested: str | None) -> Keypoints:
    recording = load(path)
    layouts = {person.track.skeleton for person in recording.people} or {COCO17}
    if len(layouts) > 1:
        raise DataError(f"{path} has people with the layouts {', '.join(sorted(map(str, layouts)))}. Keep only one.")
    (layout,) = layouts
    size = (recording.video.width, recording.video.height)
    layout_source = "the recording names it"
    if requested is not None:
        layout, layout_source = requested_layout(str(path), {len(layout)}, requested), "as requested"
    last = len(recording.video.times) - 1  # frames in between that show nobody take no memory
    frames = people_by_frame(str(path), _instances(recording, str(path)), len(layout), {max(last, 0)})
    return Keypoints(str(path), layout, layout_source, frames, size)


def _instances(recording: Recording, source: str) -> Iterator[Instance]:
    for person in recording.people:
        track, valid = person.track, detected(person.track)
        rows = np.where(valid[..., None], np.concatenate([track.points, track.scores[..., None]], -1), 0.0)
        for t in np.flatnonzero(valid.any(-1)).tolist():
            yield Instance(track.start + t, rows[t].ravel(), f"{source}: frame {track.start + t} of person {person.id}")
