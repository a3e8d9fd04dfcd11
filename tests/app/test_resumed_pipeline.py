"""A whole analysis that was interrupted and continued: the recording is the same file to the last byte."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path

import numpy as np
import pytest

from kinelift.app.camera.edges import FIRST_INTERVAL, PICTURES
from kinelift.app.checkpoints import Checkpoints
from kinelift.app.pipeline import Pipeline
from kinelift.app.video import Reading, Video
from kinelift.detectors.protocol import FrameIndependent
from kinelift.detectors.scripted import Scripted
from kinelift.poses import COCO17, Frame, People, Recording, Skeleton, recording
from tests.app.camera.scenes import SIZE, sway, texture, view
from tests.app.stages import pipeline, standing
from tests.clips import steady, write_clip

FRAMES = (2 * PICTURES + 3) * FIRST_INTERVAL
"""Enough for edges to be searched in fewer pictures towards the end."""


class StoppedError(Exception):
    """As if somebody pulled the plug."""


@dataclass
class Ahead(FrameIndependent):
    """Two people, one of them more confident; reads ``ahead`` frames before it answers, and stops at one."""

    ahead: int = 2 * FIRST_INTERVAL
    stop: int | None = None
    seen: int = 0

    @property
    def skeleton(self) -> Skeleton:
        return COCO17

    def detect(self, frames: Iterable[Frame]) -> Iterator[People]:
        frames = iter(frames)
        waiting = list(islice(frames, self.ahead))
        for frame in chain(frames, [None] * len(waiting)):
            first = waiting.pop(0)
            if frame is not None:
                waiting.append(frame)
            if first.index == self.stop:
                raise StoppedError
            self.seen += 1
            people = standing(60.0, 200.0, height=150.0, frame=first.index)
            yield People(first.index, people.points, people.scores, people.boxes, np.array([0.6, 0.9]))


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Video:
    wall = texture(900, 500)
    images = (np.repeat(view(turn, wall)[..., None], 3, -1) for turn in sway(FRAMES, 20, 5, 3))
    path = tmp_path_factory.mktemp("video") / "pan.mp4"
    return Video(write_clip(path, steady(FRAMES, 30), size=SIZE, images=images))


def saved(made: Recording, path: Path) -> bytes:
    recording.save(path, made)
    return path.read_bytes()


@pytest.mark.parametrize("stop", [100, 270])
def test_the_recording_is_the_same(video: Video, tmp_path: Path, stop: int) -> None:
    def run(detector: Ahead, checkpoints: Checkpoints | None = None) -> Recording:
        chosen = pipeline(detector, focal=300.0, camera_motion="auto", fit="body")
        return chosen.run(video, checkpoints=checkpoints)

    expected = run(Ahead())
    kept = Checkpoints(tmp_path / "kept", pipeline(Ahead()).first_pass("0", video.reading), seconds=1)
    with pytest.raises(StoppedError):
        run(Ahead(stop=stop), kept)
    last = Ahead()
    found = run(last, kept)
    assert 0 < last.seen < FRAMES
    assert found.camera is not None and found.camera.rotations is not None
    assert saved(found, tmp_path / "found.npz") == saved(expected, tmp_path / "expected.npz")


def test_the_number_of_people_may_change(video: Video, tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path / "kept", pipeline(Ahead()).first_pass("0", video.reading), seconds=1)
    with pytest.raises(StoppedError):
        pipeline(Ahead(stop=200), camera_motion="still").run(video, checkpoints=kept)
    one = pipeline(Ahead(), camera_motion="still", max_people=1)
    assert one.first_pass("0", video.reading) == kept.run
    found = one.run(video, checkpoints=kept)
    assert len(found.people) == 1
    assert saved(found, tmp_path / "found.npz") == saved(one.run(video), tmp_path / "expected.npz")


@pytest.mark.parametrize("other", [Reading(fps=10), Reading(max_duration=60), Reading(max_duration=float("inf"))])
def test_a_video_read_in_another_way_starts_again(tmp_path: Path, other: Reading) -> None:
    detector = Scripted(())
    frames = [Frame(k, Fraction(k), np.zeros((2, 2, 3), np.uint8)) for k in range(3)]

    def checkpoints(reading: Reading) -> Checkpoints:
        return Checkpoints(tmp_path / "kept", Pipeline.first_pass(pipeline(detector), "0", reading), seconds=1)

    for reading in (Reading(), other):
        assert checkpoints(reading).open() is None or reading == other
        assert len(list(checkpoints(reading).detect(detector, frames))) == 3
        said = checkpoints(reading).open()
        assert said is not None and "Continuing" in said
    said = checkpoints(Reading()).open()
    assert said is not None and "reading" in said and "starting again" in said
