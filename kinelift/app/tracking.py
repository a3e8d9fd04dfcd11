"""The first pass over a video: detect people, track them, and smooth their joints."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

import numpy as np

from kinelift.app.checkpoints import Checkpoints
from kinelift.app.settings import TrackingSettings
from kinelift.app.video import Video, video_name
from kinelift.app.video.timing import record_times
from kinelift.detectors.protocol import Detector, TrackRepair
from kinelift.detectors.tracking import Tracker, select_people, smoothing
from kinelift.poses import Frame, People, Person, Recording, VideoFacts
from kinelift.poses.json_values import storable
from kinelift.poses.rounding import rounded_track
from kinelift.terminal.progress import Progress, no_progress


@runtime_checkable
class Watcher(Protocol):
    """Sees the frames of a video before the detector does, and afterwards who is in them."""

    def watch(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Pass on every frame."""

    def update(self, people: People) -> None:
        """Learn who is in the next frame."""


def track_people(
    video: Video,
    detector: Detector,
    settings: TrackingSettings,
    made_with: Mapping[str, Any],
    progress: Progress = no_progress,
    repair: TrackRepair | None = None,
    remarks: Callable[[], Sequence[str]] = tuple,
    watchers: Sequence[Watcher] = (),
    checkpoints: Checkpoints | None = None,
) -> Recording:
    """Detect and track people, without lifting them to 3D.

    Args:
        video: The video. Its ``damage`` is known afterwards.
        detector: Detects people in every frame.
        settings: Which people to keep, and how to smooth their joints.
        made_with: What the recording stores about how it was made; see ``spec.made_with``.
        progress: Shows progress over the frames.
        repair: Corrects each track before its gaps are filled.
        remarks: What the detector has to say after the pass, for the recording's notes.
        watchers: See every frame and the people in it.
        checkpoints: Store what is found, so that an interrupted run continues; None = nothing is stored.

    Returns:
        A recording whose people have tracks, rounded as recordings keep them, but no poses and no actions.

    Raises:
        VideoError: The file can no longer be read.
        ResumeError: The frames of the video are not those of the run to be continued.
    """
    times: list[float] = []
    size = (video.width, video.height)
    tracker = Tracker(detector.skeleton, size, repair=repair)
    frames = video.frames()
    for watcher in watchers:
        frames = watcher.watch(frames)
    frames = record_times(frames, times)
    detections = checkpoints.detect(detector, frames) if checkpoints else detector.detect(frames)
    for people in progress(detections, "finding people", video.expected_frames):
        for watcher in watchers:
            watcher.update(people)
        tracker.update(most_confident(people, settings.max_people), times[people.frame])
    selected = select_people(tracker.tracks(), settings.people)
    tracked_people = tuple(Person(tracked.id, tracked.track) for tracked in selected)
    facts = VideoFacts(storable(video_name(video.path)), *size, np.array(times))
    recording = _smoothed(_noted(Recording(facts, tracked_people, made_with), remarks()), settings.smooth)
    return replace(recording, people=tuple(replace(p, track=rounded_track(p.track)) for p in recording.people))


def most_confident(people: People, most: int) -> People:
    """The ``most`` most confident people of a frame, in their order."""
    if len(people) <= most:
        return people
    kept = np.sort(np.argsort(-people.confidence, kind="stable")[:most])
    return People(people.frame, people.points[kept], people.scores[kept], people.boxes[kept], people.confidence[kept])


def _noted(recording: Recording, notes: Sequence[str]) -> Recording:
    """Add notes for the user to a recording."""
    every = [*recording.made_with.get("notes", []), *notes]
    return replace(recording, made_with={**recording.made_with, "notes": every}) if notes else recording


def _smoothed(recording: Recording, name: str) -> Recording:
    """Smooth every track, and note the filter's delay in the recording."""
    smoother = smoothing(name)
    if smoother is None:
        return recording
    delay = f"up to {1e3 * smoother.lag:.0f} ms late, looks {1e3 * smoother.lookahead:.0f} ms ahead"
    people = tuple(replace(person, track=smoother.apply(person.track)) for person in recording.people)
    return _noted(replace(recording, people=people), [f"joints are smoothed: {name} ({delay})."])
