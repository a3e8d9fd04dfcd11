"""A video in one call from Python."""

from pathlib import Path

import pytest

import kinelift
from kinelift.app.pipeline import Pipeline
from kinelift.app.settings import Detection, Settings
from kinelift.app.spec import PipelineSpec
from kinelift.poses.errors import DataError, SettingsError, VideoError
from tests.app.stages import pipeline, script
from tests.clips import steady, write_clip

OPENED: list[PipelineSpec] = []


@pytest.fixture(autouse=True)
def video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A video in the current folder, and a pipeline that sees two people in it."""

    def opened(spec: PipelineSpec) -> Pipeline:
        OPENED.append(spec)
        return pipeline(script(12, lambda k: 30.0 + k, lambda k: 120.0), people=spec.settings.people)

    OPENED.clear()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Pipeline, "open", opened)
    return write_clip(tmp_path / "dance.mp4", steady(12), size=(160, 120))


def test_a_video_becomes_a_recording_and_no_file(tmp_path: Path) -> None:
    recording = kinelift.run("dance.mp4")
    assert isinstance(recording, kinelift.Recording)
    assert [person.id for person in recording.people] == [1, 2]
    assert [p.name for p in tmp_path.iterdir()] == ["dance.mp4"]
    assert [PipelineSpec()] == OPENED


def test_with_a_folder_the_command_s_files_are_written(tmp_path: Path) -> None:
    recording = kinelift.run(Path("dance.mp4"), "results", people="main", stride=2, layout="overlay", device="cpu")
    assert len(recording.people) == 1
    assert [PipelineSpec(Detection(stride=2), device="cpu", settings=Settings(people="main"))] == OPENED
    made = sorted(p.name for p in (tmp_path / "results" / "dance").iterdir())
    assert made == [
        ".source.json",
        "actions.json",
        "overlay.mp4",
        "poses3d.csv",
        "recording.npz",
        "timeline.png",
        "viewer.html",
    ]
    again = kinelift.load("results/dance/recording.npz")
    assert [person.id for person in again.people] == [person.id for person in recording.people]


def test_what_is_wrong_is_an_error_of_ours() -> None:
    with pytest.raises(TypeError, match="no option peoples"):
        kinelift.run("dance.mp4", peoples="main")
    with pytest.raises(SettingsError):
        kinelift.run("dance.mp4", fov=200)
    with pytest.raises(SettingsError, match="--unknown"):
        kinelift.run("dance.mp4", unknown=2)
    with pytest.raises(VideoError):
        kinelift.run("none.mp4")
    with pytest.raises(DataError):
        kinelift.load("dance.mp4")
    assert OPENED == []
