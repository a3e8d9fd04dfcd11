import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kinelift.app.settings import Detection, Settings
from kinelift.app.spec import PipelineSpec, made_with
from kinelift.poses import Recording
from kinelift.poses.errors import DataError, KineliftError, SettingsError
from kinelift.poses.recording import load
from tests.poses.scenes import video

CHOSEN = PipelineSpec(
    Detection(detector="openpose", stride=2),
    lifter="live",
    classifier="mine.safetensors",
    device="cpu",
    settings=Settings(people="2", smooth="savgol", focal=900.0, fit="off", unknown=0.4),
)


@pytest.mark.parametrize("spec", [PipelineSpec(), CHOSEN])
def test_comes_back_from_json_text(spec: PipelineSpec, tmp_path: Path) -> None:
    spec.save(tmp_path / "spec.json")
    assert PipelineSpec.load(tmp_path / "spec.json") == spec
    assert json.loads((tmp_path / "spec.json").read_text())["format"] == 1


def test_it_names_files_also_of_one_video_among_several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("k.json", "runs/left_1.json", "runs/labels/left_1.txt", "R50-FPN.pkl", "unrelated"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()

    def paths(keypoints: str) -> set[str]:
        return {str(path) for path in PipelineSpec(Detection(options={"keypoints": keypoints})).paths()}

    assert paths("k.json") == paths("k.json/left") == paths("k.json/left/cam.mp4") == {"k.json"}
    assert paths("runs") == paths("runs/left") == {"runs", "runs/left_1.json", "runs/labels/left_1.txt"}
    assert paths("none.json") == paths("none/left") == set()


def test_what_is_left_out_has_its_default() -> None:
    assert PipelineSpec.from_json({}) == PipelineSpec()
    found = PipelineSpec.from_json({"lifter": "live", "settings": {"focal": 900, "people": "2"}})
    assert found == PipelineSpec(lifter="live", settings=Settings(focal=900.0, people="2"))
    assert type(found.settings.focal) is float


@pytest.mark.parametrize(("wrong", "message"), [
    ({"lifters": "live"}, "lifters is not a known field. Known: detection, lifter"),
    ({"settings": {"fitt": "off"}}, "settings.fitt is not a known field. Known: people, smooth"),
    ({"lifter": 3}, "lifter is 3, expected text"),
    ({"lifter": None}, "lifter is None, expected text"),
    ({"settings": {"fov": True}}, "settings.fov is True, expected a number"),
    ({"settings": {"fov": "55"}}, "settings.fov is '55', expected a number"),
    ({"settings": {"fit": "of"}}, "settings.fit is 'of', expected 'body' or 'off'"),
    ({"detection": {"stride": 1.5}}, "detection.stride is 1.5, expected a whole number"),
    ({"detection": []}, r"detection is \[\], expected an object"),
    ({"format": 2}, "format is 2, but this version reads 1"),
    ([], r"it is \[\], expected an object"),
])  # fmt: skip
def test_fields_that_are_unknown_or_wrong_are_named(wrong: Any, message: str, tmp_path: Path) -> None:
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(wrong))
    with pytest.raises(DataError, match=rf"spec\.json is not a pipeline specification: {message}"):
        PipelineSpec.load(path)


@pytest.mark.parametrize(("wrong", "message"), [
    ({"device": "tpu"}, "Unknown device 'tpu'"),
    ({"detection": {"stride": 0}}, "detection: --stride is 0"),
    ({"settings": {"fov": 50.0, "focal": 900.0}}, "settings: --fov and --focal"),
])  # fmt: skip
def test_values_out_of_range_are_refused_as_on_the_command_line(wrong: Any, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        PipelineSpec.from_json(wrong)


@pytest.mark.parametrize("text", ["", "{", '{"settings": {"fov": NaN}}', '{"settings": {"fov": 1e999}}', "\xff"])
def test_what_is_not_json_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_bytes(text.encode("latin1"))
    with pytest.raises(DataError, match=r"spec\.json is not a pipeline specification: it is not JSON"):
        PipelineSpec.load(tmp_path / "spec.json")
    with pytest.raises(KineliftError, match="Cannot read"):
        PipelineSpec.load(tmp_path)


def test_the_specification_in_a_stored_recording_is_still_read() -> None:
    found = load(Path(__file__).parents[1] / "poses" / "recording-format-2.npz")
    settings = Settings(people="2", focal=900.0)
    assert PipelineSpec.of(found) == PipelineSpec(lifter="live", device="cpu", settings=settings)


def test_a_recording_tells_its_specification() -> None:
    recording = Recording(video(), (), made_with(CHOSEN.to_json()))
    assert PipelineSpec.of(recording) == CHOSEN
    detected = replace(recording, made_with=made_with({"detection": CHOSEN.detection, "device": "cpu"}))
    assert PipelineSpec.of(detected) == PipelineSpec(CHOSEN.detection, device="cpu")
    with pytest.raises(DataError, match="stores no pipeline specification"):
        PipelineSpec.of(replace(recording, made_with={"focal": "61.5 px"}))
