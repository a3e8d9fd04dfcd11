"""``kinelift detect``, and keypoint files in place of a detector."""

import re
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kinelift.__main__ import main
from kinelift.app.detection import open_detector, resolve_auto
from kinelift.app.settings import Detection
from kinelift.detectors.keypoint_files.detector import KeypointFile
from kinelift.detectors.protocol import Opened
from kinelift.detectors.scripted import Scripted
from kinelift.detectors.strided import Strided
from kinelift.detectors.tracking import repair_side_flips
from kinelift.detectors.tracking.side_flips import VOTED
from kinelift.poses import COCO17, COCO23, H36M21, Recording, convert, keypoints
from kinelift.poses.errors import SettingsError
from kinelift.poses.recording import load
from kinelift.poses.skeleton import OPENPOSE18
from tests.app.stages import script
from tests.clips import NTSC, steady, write_clip

FORMATS = {"openpose-json": "keypoints", "coco-json": "keypoints.json", "npz": "keypoints.npz"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a video, and a detector that sees two people in it, the second from frame 3 on."""
    write_clip(tmp_path / "dance.mp4", steady(20, NTSC), size=(160, 120))
    monkeypatch.chdir(tmp_path)
    see(monkeypatch, script(20, lambda k: 30.0 + k, lambda k: 120.0 if k >= 3 else None))
    return tmp_path


def see(monkeypatch: pytest.MonkeyPatch, detector: Scripted) -> None:
    """Let the program have ``detector``, unless it asks for keypoints of a file."""

    def opened(choice: Detection, device: str) -> Opened:
        return open_detector(choice, device) if "keypoints" in choice.options else Opened(detector)

    monkeypatch.setattr("kinelift.app.detection.open_detector", opened)
    monkeypatch.setattr("kinelift.app.pipeline.open_detector", opened)


def detected(to: str, *more: str) -> Path:
    assert main(["detect", "dance.mp4", "--to", to, "-o", FORMATS[to], *more]) == 0
    return Path(FORMATS[to])


def same_tracks(found: Recording, expected: Recording) -> None:
    assert [(p.id, p.track.start, len(p.track)) for p in found.people] == [
        (p.id, p.track.start, len(p.track)) for p in expected.people
    ]
    for one, other in zip(found.people, expected.people, strict=True):
        np.testing.assert_allclose(one.track.points, other.track.points, atol=0.01)
        np.testing.assert_allclose(one.track.scores, other.track.scores, atol=1e-3)


@pytest.mark.parametrize("to", FORMATS)
def test_it_writes_where_joints_are(to: str, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert main(["detect", "dance.mp4", "--to", to]) == 0
    path = Path("out/dance") / FORMATS[to]
    assert capsys.readouterr().out == f"{path}: 2 people in 20 frames\n"
    found = keypoints.read(path)
    assert found.layout == (OPENPOSE18 if to == "openpose-json" else COCO17)
    assert [len(found.at(k)) for k in range(20)] == [1] * 3 + [2] * 17
    nose = found.layout.index("nose")
    np.testing.assert_allclose(found.at(7).points[:, nose, 0], [37, 120], atol=0.01)


def test_npz_is_a_recording_without_3d() -> None:
    recording = load(detected("npz"))
    assert [(p.id, p.poses, p.actions) for p in recording.people] == [(1, None, None), (2, None, None)]
    assert recording.made_with["spec"]["detection"]["refine"] == "full" and recording.camera is None


@pytest.mark.parametrize("to", FORMATS)
def test_round_trip_through_the_program(to: str) -> None:
    expected = load(detected("npz"))
    written = detected(to)
    assert main(["detect", "dance.mp4", "--keypoints", str(written), "-o", "again.npz"]) == 0
    found = load(Path("again.npz"))
    if to == "openpose-json":
        assert found.people[0].track.skeleton is OPENPOSE18
        for one, other in zip(found.people, expected.people, strict=True):
            back = convert(one.track.points, OPENPOSE18, COCO17)
            np.testing.assert_allclose(back, other.track.points, atol=0.01)
    else:
        same_tracks(found, expected)


def test_a_file_of_keypoints_is_lifted(capsys: pytest.CaptureFixture[str]) -> None:
    written = detected("openpose-json")
    assert main(["run", "dance.mp4", "--keypoints", str(written), "--device", "cpu"]) == 0
    recording = load(Path("out/dance/recording.npz"))
    assert [p.track.skeleton for p in recording.people] == [COCO23] * 2
    assert all(p.poses is not None and p.poses.skeleton == H36M21 for p in recording.people)
    told = f"{written}: openpose18 (OpenPose's JSON of 18 joints)"
    assert f"note: {told}" in capsys.readouterr().err and recording.made_with["notes"] == [told]


def test_only_the_selected_people_are_written() -> None:
    assert [p.id for p in load(detected("npz", "--people", "main")).people] == [1]


@pytest.mark.parametrize(("more", "message"), [
    (["--keypoints", "nothing.json"], "nothing.json does not exist"),
    (["--keypoints", "dance.mp4"], "not a known keypoint file"),
    (["--keypoints", "keypoints.json", "--keypoint-layout", "body25"], "keypoints.json"),
    (["--keypoints", "keypoints.json", "--keypoint-layout", "insect"], "insect"),
    (["--keypoints", "keypoints.json", "--refine", "full"], "cannot be refined"),
])  # fmt: skip
@pytest.mark.parametrize("command", ["run", "detect"])
def test_unusable_keypoints_are_reported_and_nothing_is_written(
    command: str, more: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    detected("coco-json")
    assert main([command, "dance.mp4", *more]) == 1
    error = capsys.readouterr().err
    assert "error: " in error and message in error
    assert not Path("out").exists()


def test_keypoints_are_of_one_video(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "dance.mp4", "dance.mp4", "--keypoints", "k.json"]) == 1
    assert "with its own keypoints" in capsys.readouterr().err


def test_a_folder_of_something_else_is_kept_before_any_work(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine").mkdir()
    Path("mine/letter.txt").write_text("Dear Ann")
    assert main(["detect", "dance.mp4", "--to", "openpose-json", "-o", "mine"]) == 1
    said = capsys.readouterr().err
    assert "letter.txt" in said and "finding people" not in said
    assert Path("mine/letter.txt").read_text() == "Dear Ann"


def test_the_source_is_not_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    content = Path("dance.mp4").read_bytes()
    assert main(["detect", "dance.mp4", "-o", "dance.mp4"]) == 1
    assert "is the source" in capsys.readouterr().err and Path("dance.mp4").read_bytes() == content


class TestChoice:
    def test_auto_is_detectron2_where_it_can_be(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("kinelift.detectors.detectron2.kind.installed", lambda: True)
        chosen = resolve_auto(Detection(), "cuda")
        assert (chosen.detector, chosen.refine) == ("detectron2", "none")
        assert resolve_auto(Detection(), "cpu").detector == "movenet"
        monkeypatch.setattr("kinelift.detectors.detectron2.kind.installed", lambda: False)
        assert resolve_auto(Detection(), "cuda").detector == "movenet"

    def test_movenet_has_a_second_stage(self) -> None:
        assert resolve_auto(Detection(), "cpu").refine == "full"
        assert resolve_auto(Detection(refine="heavy", detector="openpose"), "cpu").refine == "heavy"
        assert resolve_auto(Detection(refine="none"), "cpu").refine == "none"

    @pytest.mark.parametrize("detector", ["detectron2", "openpose"])
    def test_tracking_between_detections_gives_every_detector_a_second_stage(self, detector: str) -> None:
        chosen = resolve_auto(Detection(detector, redetect=3), "cpu")
        assert (chosen.refine, chosen.flips, chosen.redetect) == ("full", "mend", 3)
        assert resolve_auto(Detection(detector, refine="heavy", redetect=3), "cpu").refine == "heavy"

    def test_auto_takes_what_has_the_options(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("kinelift.detectors.detectron2.kind.installed", lambda: True)
        assert resolve_auto(Detection(options={"backbone": "R101-FPN"}), "cpu").detector == "detectron2"
        assert resolve_auto(Detection(options={"detector_weights": "x.pkl"}), "cuda:1").detector == "detectron2"
        assert resolve_auto(Detection(options={"long_side": 640}), "cpu").detector == "movenet"
        on_gpu = resolve_auto(Detection(redetect=3), "cuda")
        assert (on_gpu.detector, on_gpu.refine) == ("detectron2", "full")

    @pytest.mark.parametrize(
        ("choice", "says"),
        [
            (
                {"options": {"detector_weights": "x.onnx"}},
                "--detector-weights belongs to the detector detectron2 or openpose. "
                "Give --detector detectron2 or openpose, or leave --detector-weights out.",
            ),
            ({"options": {"keypoints": "k"}, "redetect": 2}, "of --keypoints cannot be refined. Leave out --redetect."),
            ({"options": {"keypoints": "k"}, "refine": "full"}, "--keypoints cannot be refined. Leave out --refine."),
            (
                {"options": {"keypoints": "k", "long_side": 64}},
                "--long-side belongs to the detector detectron2, movenet or openpose and does not go with --keypoints.",
            ),
            (
                {"detector": "movenet", "options": {"backbone": "R50-FPN"}},
                "--backbone belongs to the detector detectron2 and does not go with --detector movenet.",
            ),
            ({"refine": "none", "redetect": 2}, "Leave out --refine none."),
        ],
    )
    def test_messages_name_what_was_given_and_nothing_else(self, choice: dict[str, Any], says: str) -> None:
        with pytest.raises(SettingsError) as error:
            resolve_auto(Detection(**choice), "cpu")
        assert says in str(error.value)
        given = {"--detector"} | {f"--{name.replace('_', '-')}" for name in (*choice, *choice.get("options", {}))}
        assert set(re.findall(r"--[a-z-]+", str(error.value))) <= given

    @pytest.mark.parametrize("command", ["run", "detect"])
    def test_it_says_what_runs_where(self, command: str, capsys: pytest.CaptureFixture[str]) -> None:
        written = detected("coco-json")
        capsys.readouterr()
        assert main([command, "dance.mp4", "--keypoints", str(written), "--device", "cpu"]) == 0
        assert f"detector: keypoints of {written}\n" in capsys.readouterr().err

    def test_the_second_stage_is_named_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("kinelift.weights.store.locate", lambda name: Path(name))
        monkeypatch.setattr("kinelift.detectors.movenet.multi_scale.multi_scale_movenet", lambda *_, **__: script(1))
        monkeypatch.setattr("kinelift.app.detection.with_refinement", lambda base, size, **_: base)
        opened = open_detector(Detection("movenet", refine="heavy"), "cuda")
        assert opened.description == (
            "MoveNet on cpu (movenet-multipose), joints refined by BlazePose on cpu (blazepose-heavy)"
        )

    def test_sides_are_repaired(self) -> None:
        assert [resolve_auto(Detection(refine=r), "cpu").flips for r in ("none", "full")] == ["mend", "mend"]
        assert resolve_auto(Detection(flips="keep"), "cpu").flips == "keep"

    def test_the_sides_of_refined_joints_are_believed_more_firmly(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("kinelift.weights.store.locate", lambda name: Path(name))
        monkeypatch.setattr(
            "kinelift.detectors.movenet.multi_scale.multi_scale_movenet", lambda model, **chosen: script(1)
        )
        monkeypatch.setattr("kinelift.app.detection.with_refinement", lambda base, size, **_: base)
        repair = open_detector(Detection("movenet", refine="full"), "cpu").repair
        assert isinstance(repair, partial)
        assert (repair.func, repair.keywords) == (repair_side_flips, {"costs": VOTED})
        assert open_detector(Detection("movenet", refine="full", flips="keep"), "cpu").repair is None

    def test_sides_that_a_file_gives_stay_unless_asked(self) -> None:
        written = detected("coco-json")
        assert open_detector(Detection(options={"keypoints": written}), "cpu").repair is None
        assert open_detector(Detection(options={"keypoints": written}, flips="mend"), "cpu").repair is repair_side_flips

    def test_sizes_and_thresholds_reach_the_detector(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[dict[str, Any]] = []
        monkeypatch.setattr("kinelift.weights.store.locate", lambda name: Path(name))
        monkeypatch.setattr(
            "kinelift.detectors.movenet.multi_scale.multi_scale_movenet",
            lambda model, **chosen: asked.append(chosen) or script(1),
        )
        open_detector(Detection("movenet", {"long_side": 768, "person_threshold": 0.0}, refine="none"), "cpu")
        opened = open_detector(Detection(detector="movenet", refine="none"), "cpu")
        assert asked == [
            {"long_side": 768, "person_threshold": 0.0, "engine": "tflite"},
            {"long_side": 512, "person_threshold": 0.2, "engine": "tflite"},
        ]
        assert opened.repair is repair_side_flips

    def test_stride_is_a_layer_and_is_recorded(self) -> None:
        written = detected("coco-json")
        opened = open_detector(Detection(options={"keypoints": written}, stride=3), "cpu")
        assert isinstance(opened.detector, Strided)
        assert isinstance(open_detector(Detection(options={"keypoints": written}), "cpu").detector, KeypointFile)


def test_stride_fills_and_marks() -> None:
    written = detected("coco-json")
    assert main(["detect", "dance.mp4", "--keypoints", str(written), "--stride", "2", "-o", "half.npz"]) == 0
    first, second = load(Path("half.npz")).people
    assert len(first.track) == 20 and np.isfinite(first.track.points).all()
    assert first.track.filled.any(axis=1).tolist() == [bool(k % 2) for k in range(19)] + [False]
    assert second.track.start == 4


@pytest.mark.parametrize(("name", "price"), [("one-euro", "80 ms late, looks 0"), ("savgol", "0 ms late, looks 100")])
def test_smoothing_steadies_everybody_and_states_its_price(
    name: str, price: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two people who tremble by a pixel to either side, one of them while walking."""
    tremble = np.random.default_rng(0).uniform(-1, 1, (2, 20))
    see(monkeypatch, script(20, lambda k: 30.0 + k + tremble[0, k], lambda k: 120.0 + tremble[1, k]))
    plain, smooth = load(detected("npz")), load(detected("npz", "--smooth", name))
    assert price in capsys.readouterr().err and price in smooth.made_with["notes"][0]
    for before, after in zip(plain.people, smooth.people, strict=True):
        trembling, left = (np.abs(np.diff(who.track.points, 2, axis=0)).mean() for who in (before, after))
        assert left < 0.7 * trembling
        np.testing.assert_allclose(after.track.points, before.track.points, atol=4)


def test_the_keypoints_are_not_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["detect", "dance.mp4", "--to", "coco-json", "-o", "k.json"]) == 0
    before = Path("k.json").read_bytes()
    assert main(["detect", "dance.mp4", "--keypoints", "k.json", "--to", "coco-json", "-o", "./k.json"]) == 1
    assert main(["detect", "dance.mp4", "--to", "openpose-json", "-o", "folder"]) == 0
    assert main(["detect", "dance.mp4", "--keypoints", "folder", "--to", "openpose-json", "-o", "folder"]) == 1
    (file, *_) = sorted(Path("folder").iterdir())
    assert main(["detect", "dance.mp4", "--keypoints", "folder", "--to", "npz", "-o", str(file)]) == 1
    assert capsys.readouterr().err.count("would be overwritten") == 3
    assert Path("k.json").read_bytes() == before


def test_keypoints_of_another_video_of_that_name_stay(capsys: pytest.CaptureFixture[str]) -> None:
    Path("other").mkdir()
    write_clip(Path("other/dance.mp4"), steady(5), size=(160, 120))
    for _ in range(2):
        assert main(["detect", "dance.mp4", "--to", "coco-json"]) == 0
        assert main(["detect", "other/dance.mp4"]) == 0
    assert sorted(path.as_posix() for path in Path("out").rglob("k*")) == [
        "out/dance-2/keypoints.npz", "out/dance/keypoints.json"
    ]  # fmt: skip
    assert "those of other/dance.mp4 are written to out/dance-2" in capsys.readouterr().err


def test_a_name_of_dots_does_not_lead_out_of_the_folder() -> None:
    Path("dance.mp4").rename("...mp4")
    assert main(["detect", "...mp4"]) == 0
    assert Path("out/video/keypoints.npz").is_file() and not Path("keypoints.npz").exists()
