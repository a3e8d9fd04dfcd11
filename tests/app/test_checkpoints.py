"""An interrupted first pass continues, and finds what an uninterrupted one finds."""

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kinelift.app.checkpoints import Checkpoints
from kinelift.app.settings import TrackingSettings
from kinelift.app.tracking import track_people
from kinelift.app.video import Video
from kinelift.detectors.protocol import Detector, FrameIndependent, Memory, is_resumable
from kinelift.detectors.scripted import Scripted
from kinelift.detectors.strided import Strided
from kinelift.poses import COCO17, Frame, People
from kinelift.poses.errors import ResumeError
from kinelift.weights.run import Run
from tests.app.stages import script, standing
from tests.clips import steady, write_clip

FRAMES, RATE = 60, 20
RUN = Run({"video.sha256": "0" * 64}, {"detector": "scripted"})


class StoppedError(Exception):
    """As if somebody pulled the plug."""


@dataclass
class Walking(FrameIndependent):
    """Sees what it is told, remembers nothing, and notes which frames it has seen; stops at one."""

    detector: Scripted = field(
        default_factory=lambda: script(FRAMES, lambda k: 30.0 + k, lambda k: 120.0 if 9 < k < 50 else None)
    )
    stop: int | None = None
    seen: list[int] = field(default_factory=list)

    @property
    def skeleton(self) -> Any:
        return COCO17

    def detect(self, frames: Iterable[Frame]) -> Iterator[People]:
        for frame in frames:
            if frame.index == self.stop:
                raise StoppedError
            self.seen.append(frame.index)
            yield from self.detector.detect([frame])


class Drifting(Walking):
    """Answers according to everything that it has seen."""

    def detect(self, frames: Iterable[Frame]) -> Iterator[People]:
        return self.detect_from({}, frames)

    def detect_from(self, memory: Memory, frames: Iterable[Frame]) -> Iterator[People]:
        place = memory.get("place", np.array(30.0)).item()
        for frame in frames:
            if frame.index == self.stop:
                raise StoppedError
            self.seen.append(frame.index)
            place += float(np.sin(place)) + 1e-3
            yield standing(place, frame=frame.index)
        memory["place"] = np.array(place)


@pytest.fixture
def video(tmp_path: Path) -> Video:
    return Video(write_clip(tmp_path / "walk.mp4", steady(FRAMES, RATE), size=(160, 120)))


@pytest.fixture
def kept(tmp_path: Path) -> Checkpoints:
    return Checkpoints(tmp_path / "checkpoint", RUN, seconds=1)


def found(video: Video, detector: Detector, kept: Checkpoints | None = None) -> list[dict[str, np.ndarray]]:
    """All arrays of all people, and the frame times."""
    recording = track_people(video, detector, TrackingSettings(), {}, checkpoints=kept)
    arrays = [{name: getattr(one.track, name) for name in ("points", "scores", "times", "filled")}
              | {"id": np.array(one.id), "start": np.array(one.track.start)} for one in recording.people]  # fmt: skip
    return [*arrays, {"times": recording.video.times}]


def same(one: list[dict[str, np.ndarray]], other: list[dict[str, np.ndarray]]) -> None:
    assert len(one) == len(other) > 1
    for mine, its in zip(one, other, strict=True):
        assert list(mine) == list(its)
        for name, values in mine.items():
            assert values.dtype == its[name].dtype
            assert np.array_equal(values, its[name], equal_nan=values.dtype.kind == "f")


@pytest.mark.parametrize("kind", [Walking, Drifting])
@pytest.mark.parametrize(("stops", "again"), [([0], 0), ([19], 0), ([20], 20), ([41, 45, 59], 40)])
def test_a_run_that_was_interrupted_finds_the_same(
    video: Video, kept: Checkpoints, kind: type[Walking], stops: list[int], again: int
) -> None:
    expected = found(video, kind())
    for stop in stops:
        with pytest.raises(StoppedError):
            found(video, kind(stop=stop), kept)
    last = kind()
    same(found(video, last, kept), expected)
    assert last.seen == list(range(again, FRAMES))
    complete = kind()
    same(found(video, complete, kept), expected)
    assert complete.seen == []


def test_cutting_into_stretches_changes_nothing(video: Video, kept: Checkpoints) -> None:
    same(found(video, Drifting(), kept), found(video, Drifting()))


def test_a_stride_continues_at_the_stretch(video: Video, kept: Checkpoints) -> None:
    expected = found(video, Strided(Walking(), 3), kept)
    shutil.rmtree(kept.folder)
    with pytest.raises(StoppedError):
        found(video, Strided(Walking(stop=46), 3), kept)
    same(found(video, Strided(Walking(), 3), kept), expected)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "of another run", "missing"])
def test_a_damaged_stretch_is_found_again(video: Video, kept: Checkpoints, damage: str) -> None:
    expected = found(video, Drifting(), kept)
    path = kept.folder / "000001.npz"
    content = path.read_bytes()
    changed = {
        "cut": content[: len(content) // 2],
        "flipped": bytes([*content[:900], content[900] ^ 1, *content[901:]]),
        "empty": b"",
    }
    if damage == "of another run":
        other = Checkpoints(kept.folder.with_name("other"), Run({"video.sha256": "1"}, {}), 1)
        found(video, Walking(), other)
        shutil.copy(other.folder / path.name, path)
    elif damage == "missing":
        path.unlink()
    else:
        path.write_bytes(changed[damage])
    detector = Drifting()
    same(found(video, detector, kept), expected)
    assert detector.seen == list(range(20, FRAMES))


def test_nothing_in_a_checkpoint_is_executed(video: Video, kept: Checkpoints) -> None:
    found(video, Walking(), kept)
    for path in kept.folder.glob("*.npz"):
        with np.load(path, allow_pickle=False) as arrays:
            assert all(array.dtype.kind in "fiuU" for array in arrays.values())


def test_what_becomes_of_an_earlier_run(video: Video, kept: Checkpoints) -> None:
    assert kept.open() is None
    with pytest.raises(StoppedError):
        found(video, Walking(stop=45), kept)
    said = kept.open()
    assert said is not None and "about 2 s" in said
    other = Checkpoints(kept.folder, Run({"video.sha256": "0" * 64}, {"detector": "another"}), 1)
    said = other.open()
    assert said is not None and "detector was scripted, now another" in said and not kept.folder.exists()


def test_frames_that_differ_are_refused(tmp_path: Path, video: Video, kept: Checkpoints) -> None:
    found(video, Walking(), kept)
    for name, times in (("shorter", steady(50, RATE)), ("slower", steady(FRAMES, 10))):
        other = Video(write_clip(tmp_path / f"{name}.mp4", times, size=(160, 120)))
        with pytest.raises(ResumeError, match="--restart"):
            found(other, Walking(), kept)


def test_a_full_disk_does_not_stop_the_analysis(
    video: Video, kept: Checkpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: object, **arrays: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    same(found(video, Walking(), kept), found(video, Walking()))
    assert [path.name for path in kept.folder.iterdir()] == ["run.json"]


def test_a_detector_that_cannot_be_continued_gets_the_whole_video(video: Video, kept: Checkpoints) -> None:
    @dataclass
    class Whole:
        detector: Scripted
        skeleton: Any = COCO17
        calls: int = 0

        def detect(self, frames: Iterable[Frame]) -> Iterator[People]:
            self.calls += 1
            return self.detector.detect(frames)

    whole = Whole(Walking().detector)
    assert not is_resumable(whole) and not is_resumable(Strided(whole, 2)) and is_resumable(Strided(Walking(), 2))
    same(found(video, whole, kept), found(video, Walking()))
    assert whole.calls == 1 and not kept.folder.exists()


def test_the_type_of_the_numbers_is_kept(kept: Checkpoints) -> None:
    class Mixed(Walking):
        def detect(self, frames: Iterable[Frame]) -> Iterator[People]:
            for frame in frames:
                one = standing(30.1, frame=frame.index)
                kind = np.float64 if frame.index % 2 else np.float32
                values = (one.points, one.scores, one.boxes, one.confidence)
                yield People(frame.index, *(value.astype(kind) for value in values))

    frames = [Frame(k, Fraction(k, RATE), np.zeros((2, 2, 3), np.uint8)) for k in range(6)]
    first = list(kept.detect(Mixed(), frames))
    again = list(kept.detect(Mixed(stop=0), frames))
    for one, other in zip(first, again, strict=True):
        assert one.points.dtype == other.points.dtype and np.array_equal(one.points, other.points)
        assert one.scores.dtype == other.scores.dtype and one.frame == other.frame


def test_a_jump_in_time_is_not_a_gap_in_the_numbers(kept: Checkpoints) -> None:
    times = [Fraction(0), Fraction(1, 2), Fraction(1000), Fraction(1001)]
    frames = [Frame(k, time, np.zeros((2, 2, 3), np.uint8)) for k, time in enumerate(times)]
    assert len(list(kept.detect(Walking(), frames))) == 4
    assert sorted(path.name for path in kept.folder.glob("*.npz")) == ["000000.npz", "000001.npz", "000002.npz"]
    assert json.loads((kept.folder / "run.json").read_text())["settings"] == {"detector": "scripted"}
    assert len(list(kept.detect(Walking(stop=0), frames))) == 4
