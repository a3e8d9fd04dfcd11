"""The real program with its real weights on a piece of the sample clip: two people outdoors, with sound."""

import csv
import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe

from kinelift.app.spec import PipelineSpec
from kinelift.app.video import Video
from kinelift.poses import H36M17, Recording
from kinelift.poses.errors import WeightsError
from kinelift.poses.recording import load
from kinelift.weights.store import fetch
from tests.clips import contents, steady, write_clip
from tests.end_to_end.programs import run

FRAMES = 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which ``dance.mp4`` and ``empty-street.mp4``, where nobody is, have been analysed."""
    try:
        fetch("movenet-multipose")
        fetch("blazepose-full")
        whole = fetch("sample-clip")
    except WeightsError as error:
        pytest.skip(f"the detector's weights and the sample clip cannot be had: {error}")
    path = tmp_path_factory.mktemp("sample")
    cut = ["-ss", "2", "-i", str(whole), "-frames:v", str(FRAMES), "-t", "1.4", "-vf", "scale=iw/2:-2", "-c:a", "aac"]
    subprocess.run([get_ffmpeg_exe(), "-loglevel", "error", *cut, str(path / "dance.mp4")], check=True)
    write_clip(path / "empty-street.mp4", steady(8), size=(160, 120))
    done = run("run", "dance.mp4", "empty-street.mp4", folder=path)
    assert done.returncode == 0, done.stderr
    (path / "said").write_text(done.stdout + done.stderr)
    return path


@pytest.fixture(scope="module")
def recording(folder: Path) -> Recording:
    return load(folder / "out" / "dance" / "recording.npz")


def test_all_results_are_there_and_nothing_else(folder: Path) -> None:
    results = sorted(str(p.relative_to(folder / "out")) for p in (folder / "out").rglob("*.*"))
    files = (".source.json", "actions.json", "overlay.mp4", "poses3d.csv", "recording.npz", "timeline.png",
             "viewer.html")  # fmt: skip
    assert results == [f"{name}/{file}" for name in ("dance", "empty-street") for file in files]


def test_every_line_said_is_our_own(folder: Path) -> None:
    for line in (folder / "said").read_text().splitlines():
        assert re.match(r"(out/)?(dance|empty-street)(\.mp4)?: |note: |detector: ", line), line


def test_both_people_keep_their_ids(recording: Recording) -> None:
    assert [person.id for person in recording.people] == [1, 2]
    for person in recording.people:
        assert len(person.track) >= 0.9 * FRAMES
        assert np.isfinite(person.track.points).all(axis=-1).mean() > 0.7
        centres = np.nanmean(person.track.points, axis=1)
        steps = np.linalg.norm(np.diff(centres, axis=0), axis=1)
        assert steps.max() < 0.1 * recording.video.width, "somebody jumped to where somebody else is"


def test_the_skeletons_stand_upright(recording: Recording) -> None:
    head, ankles = H36M17.index("head"), [H36M17.index("left_ankle"), H36M17.index("right_ankle")]
    for person in recording.people:
        assert person.poses is not None
        height = np.nanmean(person.poses.points[:, ankles, 1].mean(axis=1) - person.poses.points[:, head, 1])
        assert 1.2 < height < 2.0, "y points down, and grown-ups are metres tall"


def test_the_mp4_keeps_times_and_sound(folder: Path, recording: Recording) -> None:
    made, source = contents(folder / "out" / "dance" / "overlay.mp4"), contents(folder / "dance.mp4")
    assert len(made.times) == len(source.times) == len(recording.video.times)
    shift = float(source.times[0])
    np.testing.assert_allclose([float(t) for t in made.times], [float(t) - shift for t in source.times], atol=1e-4)
    frame = (source.times[-1] - source.times[0]) / (len(source.times) - 1)
    assert abs((made.picture_end - made.times[0]) - (source.picture_end - source.times[0])) <= frame
    assert made.pixels == "yuv420p" and made.sound_codec == source.sound_codec == "aac"
    assert made.sound_end == pytest.approx(source.sound_end - shift, abs=0.05)


def test_the_data_agree(folder: Path, recording: Recording) -> None:
    result = folder / "out" / "dance"
    people = json.loads((result / "actions.json").read_text())["people"]
    assert [entry["id"] for entry in people] == [1, 2]
    for entry in people:
        assert entry["actions"] and all(0 <= action["probability"] <= 1 for action in entry["actions"])
        assert entry["actions"][0]["start"] == pytest.approx(entry["start"], abs=1e-5)
    with (result / "poses3d.csv").open(newline="") as file:
        assert sum(1 for _ in csv.DictReader(file)) == sum(21 * len(person.track) for person in recording.people)
    spec = PipelineSpec.of(recording)
    assert spec.detection.detector == "movenet" and spec.lifter == "default"


def test_nobody_is_a_note_and_still_a_video(folder: Path) -> None:
    result = folder / "out" / "empty-street"
    assert json.loads((result / "actions.json").read_text())["people"] == []
    assert load(result / "recording.npz").people == ()
    assert len(contents(result / "overlay.mp4").times) == 8
    assert "note: Nobody was found in empty-street.mp4" in (folder / "said").read_text()


def test_drawing_again_gives_the_same_video(folder: Path) -> None:
    again = folder / "again.mp4"
    done = run("render", "out/dance/recording.npz", "dance.mp4", "-o", "again.mp4", folder=folder)
    assert done.returncode == 0, done.stderr
    first, second = Video(folder / "out" / "dance" / "overlay.mp4"), Video(again)
    for a, b in zip(first.frames(), second.frames(), strict=True):
        assert np.abs(a.image.astype(int) - b.image.astype(int)).mean() < 1
