"""What an hour of one person may take: of memory while people are found, and on disk."""

import gc
import tracemalloc
from pathlib import Path

import pytest

from benchmarks.speed.long_video import RATE, BlankVideo, Replay
from kinelift.app.settings import TrackingSettings
from kinelift.app.tracking import track_people
from kinelift.detectors import tracking
from kinelift.detectors.tracking import Tracker
from kinelift.poses import Recording, recording

SAMPLE = Path(__file__).parents[2] / "app/export/sample-recording.npz"
PEOPLE, SECONDS = 6, 8
LIMIT_ON_THE_WAY = 20_000
"""Bytes per person and second at 30 frames per second."""
LIMIT_ON_DISK = 60e6
"""Bytes per person and hour at 30 frames per second."""


def kept_by_tracking() -> int:
    """Bytes in use that were allocated by the code of the tracker."""
    gc.collect()
    own = tracemalloc.Filter(True, str(Path(tracking.__file__).with_name("*.py")))
    return sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces([own]).traces)


@pytest.fixture(scope="module")
def sample() -> Recording:
    return recording.load(SAMPLE)


def test_six_people_are_found_and_kept_apart(sample: Recording) -> None:
    video, detector = BlankVideo(2 * RATE, (1280, 720)), Replay(sample, PEOPLE)
    people = track_people(video, detector, TrackingSettings(), {}).people
    assert [len(person.track) for person in people] == [2 * RATE] * PEOPLE


def test_memory_per_person_and_second_while_people_are_found(sample: Recording) -> None:
    video, detector = BlankVideo(SECONDS * RATE, (1280, 720)), Replay(sample, PEOPLE)
    tracker = Tracker(detector.skeleton, (1280, 720))
    tracemalloc.start()
    try:
        for frame, people in zip(video.frames(), detector.detect(video.frames()), strict=True):
            tracker.update(people, float(frame.time))
        kept = kept_by_tracking()
    finally:
        tracemalloc.stop()
    assert 12 * len(detector.skeleton) * RATE < kept / PEOPLE / SECONDS < LIMIT_ON_THE_WAY


def test_size_of_a_recording(sample: Recording, tmp_path: Path) -> None:
    recording.save(tmp_path / "r.npz", sample)
    frames = sum(len(person.track) for person in sample.people if person.poses is not None)
    assert frames > 2 * RATE
    assert (tmp_path / "r.npz").stat().st_size / (frames / RATE / 3600) < LIMIT_ON_DISK
