"""What an hour of one person may take: of memory while people are found, and on disk."""

import gc
import tracemalloc
from pathlib import Path

import pytest

from benchmarks.speed.long_video import RATE, BlankVideo, Replay
from kinelift.app.settings import TrackingSettings
from kinelift.app.tracking import track_people
from kinelift.detectors.tracking import Tracker
from kinelift.poses import Recording, recording

SAMPLE = Path(__file__).parents[2] / "app/export/sample-recording.npz"
PEOPLE, SECONDS = 6, 8
LIMIT_ON_THE_WAY = 20_000
"""Bytes per person and second at 30 frames per second."""
LIMIT_ON_DISK = 60e6
"""Bytes per person and hour at 30 frames per second."""


def memory() -> int:
    """Bytes in use by Python's objects and arrays."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


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
            if frame.index == RATE:  # everybody has an id, and all code is loaded
                before, _ = tracemalloc.get_traced_memory()
            tracker.update(people, float(frame.time))
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert 0.9 * 12 * len(detector.skeleton) * RATE < grown / PEOPLE / (SECONDS - 1) < LIMIT_ON_THE_WAY


def test_size_of_a_recording(sample: Recording, tmp_path: Path) -> None:
    recording.save(tmp_path / "r.npz", sample)
    frames = sum(len(person.track) for person in sample.people if person.poses is not None)
    assert frames > 2 * RATE
    assert (tmp_path / "r.npz").stat().st_size / (frames / RATE / 3600) < LIMIT_ON_DISK
