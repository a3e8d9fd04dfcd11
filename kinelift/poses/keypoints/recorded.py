"""Kinelift's own recordings, without what was interpolated in them."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from kinelift.poses.containers import Recording, Track2D
from kinelift.poses.errors import DataError
from kinelift.poses.keypoints.container import Keypoints
from kinelift.poses.keypoints.layouts import chosen
from kinelift.poses.keypoints.sightings import Sighting, gather
from kinelift.poses.keypoints.videos import Videos
from kinelift.poses.recording import load
from kinelift.poses.skeleton import COCO17


def recorded_videos(path: Path, requested: str | None) -> Videos:
    """The one video of a recording."""
    return {"": partial(_video, path, requested)}


def seen(track: Track2D) -> Bool[np.ndarray, "T J"]:
    """Which joints were found, not filled in."""
    return np.isfinite(track.points).all(-1) & (track.scores > 0) & ~track.filled


def _video(path: Path, requested: str | None) -> Keypoints:
    recording = load(path)
    layouts = {person.track.skeleton for person in recording.people} or {COCO17}
    if len(layouts) > 1:
        raise DataError(f"{path} has people of the layouts {', '.join(sorted(map(str, layouts)))}. Keep one layout's.")
    (layout,) = layouts
    size = (recording.video.width, recording.video.height)
    stated = "the recording names it"
    if requested is not None:
        layout, stated = chosen(str(path), {len(layout)}, requested), "as it was asked for"
    frames = gather(str(path), _sightings(recording, str(path)), len(layout), range(len(recording.video.times)))
    return Keypoints(str(path), layout, stated, frames, size)


def _sightings(recording: Recording, source: str) -> Iterator[Sighting]:
    for person in recording.people:
        track, found = person.track, seen(person.track)
        rows = np.where(found[..., None], np.concatenate([track.points, track.scores[..., None]], -1), 0.0)
        for t in np.flatnonzero(found.any(-1)).tolist():
            yield Sighting(track.start + t, rows[t].ravel(), f"{source}: frame {track.start + t} of person {person.id}")
