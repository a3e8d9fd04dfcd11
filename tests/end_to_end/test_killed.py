"""kill -9 at random moments of a run on a two-second clip: no file is ever invalid, and no results are ever mixed."""

import json
import multiprocessing
import shutil
import time
from functools import partial
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
import pytest

from kinelift.__main__ import main
from kinelift.app import batch
from kinelift.app.checkpoints import Checkpoints
from kinelift.app.pipeline import Pipeline
from kinelift.app.results import RESULTS
from kinelift.app.video import Video
from kinelift.poses.recording import load
from tests.app.stages import pipeline, script
from tests.clips import Tone, steady, write_clip

KILLS, FRAMES, SEED = 50, 50, 17
OPTIONS = {2: ["--people", "all", "--layout", "side-by-side"], 1: ["--people", "main", "--layout", "overlay"]}
"""Two ways to run the program, by the number of people that the results then have."""
pytestmark = pytest.mark.slow


def run(folder: Path, people: int) -> None:
    """The program on the clip, with stages that need no weights, and a checkpoint every fifth of a second."""
    detector = script(FRAMES, lambda k: 30.0 + k, lambda k: 120.0)
    often = partial(Checkpoints, seconds=0.2)
    with (
        patch.object(Pipeline, "open", lambda spec: pipeline(detector, people=spec.settings.people)),
        patch.object(batch, "Checkpoints", often),
    ):
        assert main(["run", str(folder / "walk.mp4"), "-o", str(folder / "out"), "--quiet", *OPTIONS[people]]) == 0


def people_in(folder: Path) -> int | None:
    """How many people the results have, after every file was read to its end; None if there are no results."""
    names = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    if not names:
        return None
    assert names == sorted([".source.json", *RESULTS])
    people = len(load(folder / "recording.npz").people)
    assert len(json.loads((folder / "actions.json").read_text())["people"]) == people
    assert (folder / "poses3d.csv").read_text().count("\n") == 1 + people * FRAMES * 17
    assert cv2.imread(str(folder / "timeline.png")) is not None
    video = Video(folder / "overlay.mp4")
    assert len(list(video.frames())) == FRAMES and video.damage is None and video.audio is not None
    assert (video.width == 160) == (people == 1), "the video is of other results than the recording"
    return people


def contents(folder: Path) -> list[np.ndarray]:
    """All arrays of the recording and all frames of the video."""
    recording = load(folder / "recording.npz")
    arrays = [array for one in recording.people for array in (one.track.points, one.track.scores, one.poses.points)]
    return [*arrays, *(frame.image for frame in Video(folder / "overlay.mp4").frames())]


def test_killed_at_random_moments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_clip(tmp_path / "walk.mp4", steady(FRAMES), size=(160, 120), sound=Tone())
    random, fork = np.random.default_rng(SEED), multiprocessing.get_context("fork")
    out = tmp_path / "out"
    run(tmp_path, 2)  # imports what it needs
    begun = time.monotonic()
    run(tmp_path, 2)
    duration, expected = time.monotonic() - begun, contents(out / "walk")
    summary = {"earlier results": 0, "new results": 0, "no results": 0, "ended before": 0}
    before: int | None = 2
    for kill in range(KILLS):
        if kill % 10 == 9:  # from time to time a first run
            shutil.rmtree(out / "walk", ignore_errors=True)
            before = None
        people = int(random.integers(1, 3))
        process = fork.Process(target=run, args=(tmp_path, people))
        process.start()
        process.join(duration * random.uniform(0, 1.1))
        summary["ended before"] += not process.is_alive()
        process.kill()
        process.join()
        after = people_in(out / "walk")
        assert after in (before, people)
        summary["no results" if after is None else "earlier results" if after == before else "new results"] += 1
        before = after
        assert {path.name for path in out.iterdir()} <= {"walk", ".walk.part"}
    run(tmp_path, 2)
    assert people_in(out / "walk") == 2 and [path.name for path in out.iterdir()] == ["walk"]
    for one, other in zip(contents(out / "walk"), expected, strict=True):
        np.testing.assert_array_equal(one, other)
    with capsys.disabled():
        print(f"\n{KILLS} kills in runs of {duration:.1f} s (seed {SEED}): 0 invalid files; {summary}")  # noqa: T201
