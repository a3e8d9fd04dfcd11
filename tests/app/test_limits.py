"""Limits of a whole analysis: length, picture size, people, and clocks that jump."""

from dataclasses import fields
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from kinelift.app import batch
from kinelift.app.settings import Drawing, Settings, TrackingSettings
from kinelift.app.video import Reading, Video
from kinelift.poses import Recording
from kinelift.poses.errors import VideoError
from tests.app.stages import pipeline, script
from tests.clips import steady, write_clip

DAYS = 116 * 86_400


def test_the_defaults_are_those_of_security_md() -> None:
    reading, tracking = ({each.name: each.default for each in fields(one)} for one in (Reading, TrackingSettings))
    assert (reading["max_duration"], reading["max_pixels"], tracking["max_people"]) == (24 * 3600, 100_000_000, 100)
    assert Settings().max_people == 100


@pytest.fixture(scope="module")
def jumping(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of video, with 116 days in the middle of its clock; its header states them."""
    times = [*steady(25), *(DAYS + instant for instant in steady(25))]
    return write_clip(tmp_path_factory.mktemp("limits") / "jump.mkv", times, size=(160, 120), clock=1000)


def analysed(clip: Path, frames: int, **reading: float) -> tuple[Recording, Video]:
    video = Video(clip, Reading(**reading))  # type: ignore[arg-type]
    detector = script(frames, lambda k: 30.0 + k, lambda k: 100.0, lambda k: 140.0)
    return pipeline(detector, max_people=2).run(video), video


def test_a_clock_that_jumps_by_days_is_closed_up_and_told(jumping: Path) -> None:
    recording, video = analysed(jumping, 50)
    np.testing.assert_allclose(recording.video.times, np.arange(50) / 25, atol=1e-3)
    (note,) = video.notes
    assert f"has a clock that jumps by {DAYS - 1} s at 0.96 s" in note and "The pause was left out" in note


def test_the_room_that_is_asked_for_is_that_of_its_frames(jumping: Path) -> None:
    video = Video(jumping)
    assert video.summary.duration > DAYS
    assert batch.least_size(video, Drawing()) < 10e6


@pytest.mark.parametrize(("gap", "count"), [(59, 20), (3540, 20)])
def test_gaps_do_not_become_frames(tmp_path: Path, gap: int, count: int) -> None:
    clip = write_clip(tmp_path / "gaps.mkv", [Fraction(gap * k) for k in range(count)], clock=1000)
    recording, _ = analysed(clip, count)
    assert len(recording.video.times) == count
    assert all(len(person.track) <= count for person in recording.people)


def test_a_frame_keeps_its_most_confident_people(jumping: Path) -> None:
    recording, _ = analysed(jumping, 50)
    assert len(recording.people) == 2


def test_a_longer_video_is_read_up_to_the_limit(jumping: Path) -> None:
    recording, video = analysed(jumping, 25, max_duration=1)
    assert len(recording.video.times) == 25 and "only its first 1 s were used" in " ".join(video.notes)
    assert video.expected_frames == 25


def test_pictures_beyond_the_limit_are_refused_unread(jumping: Path) -> None:
    with pytest.raises(VideoError, match="raise --max-pixels"):
        Video(jumping, Reading(max_pixels=160 * 120 - 1))
    Video(jumping, Reading(max_pixels=160 * 120))


def test_what_headers_state_is_the_expectation_where_it_can_be(tmp_path: Path) -> None:
    assert Video(write_clip(tmp_path / "clip.mp4", steady(30))).expected_frames == 30
