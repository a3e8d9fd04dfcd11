"""The first pass over a video: who is in it, and where their joints are."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from app.progress import Watch, unwatched
from app.settings import Following
from app.video import Video
from detectors.protocol import Detector
from detectors.tracking import Tracker, choose
from poses import Frame, Person, Recording, VideoFacts


def follow(
    video: Video, detector: Detector, settings: Following, made_with: Mapping[str, str], watch: Watch = unwatched
) -> Recording:
    """A recording of tracks alone: everybody whom ``settings`` want of those whom ``detector`` finds.

    Raises ``VideoError`` if the file cannot be read any more. See ``Video.damage`` afterwards.
    """
    times: list[float] = []
    size = (video.width, video.height)
    tracker = Tracker(detector.skeleton, size)
    found = detector.detect(_noting(video.frames(), times))
    for people in watch(found, "finding people", _expected(video)):
        tracker.update(people, times[people.frame])
    chosen = choose(tracker.tracks(), settings.people)
    facts = VideoFacts(video.path.stem, *size, np.array(times))
    return Recording(facts, tuple(Person(who.id, who.track) for who in chosen), made_with)


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
