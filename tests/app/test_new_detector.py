"""A detector is added by listing it: no other file changes, and the command line has its name and its options."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from kinelift.__main__ import main
from kinelift.app.detection import open_detector, resolve_auto
from kinelift.app.settings import Detection
from kinelift.app.spec import PipelineSpec
from kinelift.detectors import kinds
from kinelift.detectors.options import check_pixels, option, person_threshold_option
from kinelift.detectors.protocol import DetectorKind, Opened
from kinelift.poses.errors import SettingsError
from kinelift.poses.recording import load
from tests.app.stages import script
from tests.clips import NTSC, steady, write_clip


@dataclass(frozen=True)
class ScriptedOptions:
    walkers: int = option(1, about="How many people walk through the picture.", metavar="COUNT")
    spacing: int = option(60, about="How far apart they walk.", metavar="PIXELS")
    person_threshold: float = person_threshold_option(0.5)

    def __post_init__(self) -> None:
        check_pixels("spacing", self.spacing)


def _open(options: ScriptedOptions, device: str) -> Opened:
    people = [lambda k, first=30.0 + options.spacing * n: first + k for n in range(options.walkers)]
    return Opened(script(20, *people))


SCRIPTED = DetectorKind("scripted-test", ScriptedOptions, _open)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a video, and a program whose list of detectors has one more."""
    write_clip(tmp_path / "dance.mp4", steady(20, NTSC), size=(160, 120))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(kinds, "KINDS", (*kinds.KINDS, SCRIPTED))
    return tmp_path


def test_it_runs_from_the_command_line() -> None:
    command = ["run", "dance.mp4", "--detector", "scripted-test", "--walkers", "2", "--stride", "2", "--device", "cpu"]
    assert main(command) == 0
    recording = load(Path("out/dance/recording.npz"))
    assert [person.track.start for person in recording.people] == [0, 0]
    assert all(person.poses is not None for person in recording.people)
    spec = PipelineSpec.of(recording)
    assert spec.device == "cpu"
    assert spec.detection == Detection("scripted-test", {"walkers": 2}, refine="none", flips="mend", stride=2)


def test_its_options_are_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["detect", "--help"]) == 0
    said = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert f"{{auto,{','.join(kind.name for kind in kinds.KINDS)}}}" in said
    assert "--walkers COUNT How many people walk through the picture. (scripted-test: 1)" in said
    assert "(detectron2: 0.5, movenet: 0.2, openpose: 0.1, scripted-test: 0.5)" in said


@pytest.mark.parametrize(("flags", "message"), [
    (["--detector", "scripted-test", "--long-side", "512"], "--long-side belongs to"),
    (["--walkers", "2"], "--walkers belongs to the detector scripted-test. Give --detector scripted-test, or"),
    (["--detector", "scripted-test", "--spacing", "0"], "--spacing is 0; give a positive number of pixels"),
    (["--detector", "scripted-test", "--keypoints", "k.json"], "does not go with --detector scripted-test. Leave out"),
])  # fmt: skip
def test_options_are_checked_before_any_work(
    flags: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "dance.mp4", *flags]) == 1
    assert message in " ".join(capsys.readouterr().err.split())
    assert not Path("out").exists()


def test_auto_never_takes_it_unless_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve_auto(Detection(), "cpu").detector == "movenet"
    eager = DetectorKind("eager", ScriptedOptions, _open, automatic_on=lambda device: device == "cpu")
    monkeypatch.setattr(kinds, "KINDS", (eager, *kinds.KINDS))
    assert resolve_auto(Detection(), "cpu").detector == "eager"
    assert resolve_auto(Detection(options={"walkers": 3}), "cpu").detector == "eager"
    with pytest.raises(SettingsError, match=r"belongs to the detector eager or scripted-test. Give"):
        resolve_auto(Detection(options={"walkers": 3}), "cuda")


def test_what_it_says_about_its_tracks_is_kept() -> None:
    def repair(track):
        return track

    kind = DetectorKind("own-repair", ScriptedOptions, lambda options, device: Opened(script(1), repair=repair))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(kinds, "KINDS", (kind,))
        assert open_detector(Detection("own-repair", flips="keep"), "cpu").repair is repair
