"""The first pass over a video: who is in it, and where their joints are."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from kinelift.app.settings import Following
from kinelift.app.video import Video
from kinelift.detectors.protocol import Detector, TrackRepair
from kinelift.detectors.tracking import Tracker, select_people, smoothing
from kinelift.poses import Frame, Person, Recording, VideoFacts
from kinelift.terminal.progress import Watch, unwatched


def follow(
    video: Video,
    detector: Detector,
    settings: Following,
    made_with: Mapping[str, Any],
    watch: Watch = unwatched,
    repair: TrackRepair | None = None,
) -> Recording:
    """A recording of tracks alone: everybody whom ``settings`` want of those whom ``detector`` finds.

    Raises ``VideoError`` if the file cannot be read any more. See ``Video.damage`` afterwards.
    """
    times: list[float] = []
    size = (video.width, video.height)
    tracker = Tracker(detector.skeleton, size, repair=repair)
    found = detector.detect(_noting(video.frames(), times))
    for people in watch(found, "finding people", _expected(video)):
        tracker.update(people, times[people.frame])
    everybody = tuple(Person(who.id, who.track) for who in select_people(tracker.tracks(), settings.people))
    facts = VideoFacts(_text(video.path.stem), *size, np.array(times))
    return _smoothed(Recording(facts, everybody, made_with), settings.smooth)


def _smoothed(recording: Recording, name: str) -> Recording:
    """With steadier tracks, and a note of what that costs."""
    smoother = smoothing(name)
    if smoother is None:
        return recording
    price = f"comes up to {1e3 * smoother.lag:.0f} ms late, looks {1e3 * smoother.lookahead:.0f} ms ahead"
    notes = [*recording.made_with.get("notes", []), f"joints are smoothed: {name} ({price})."]
    people = tuple(replace(person, track=smoother.apply(person.track)) for person in recording.people)
    return replace(recording, people=people, made_with={**recording.made_with, "notes": notes})


def _noting(frames: Iterable[Frame], times: list[float]) -> Iterator[Frame]:
    for frame in frames:
        times.append(float(frame.time))
        yield frame


def _expected(video: Video) -> int | None:
    """How many frames there should be, as far as the file's headers tell."""
    facts = video.summary
    if facts.frames is None and facts.duration is not None and facts.mean_rate is not None:
        return round(facts.duration * facts.mean_rate)
    return facts.frames


def _text(name: str) -> str:
    """The name of a file as text that can be stored; bytes that are not UTF-8 become escapes."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
