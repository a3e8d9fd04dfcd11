"""MoveNet and BlazePose run by OpenVINO, beside TensorFlow Lite."""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kinelift.app.detection import open_detector
from kinelift.app.settings import Detection
from kinelift.detectors.movenet.detector import MoveNet
from kinelift.detectors.openvino import OpenVinoInterpreter
from kinelift.detectors.refining.blazepose import BlazePose
from kinelift.detectors.refining.crop import fresh_crop
from kinelift.detectors.tflite import Engine, open_network
from kinelift.poses import COCO17, Frame
from kinelift.poses.errors import DetectorError, SettingsError

pytestmark = pytest.mark.skipif(find_spec("openvino") is None, reason="needs openvino")
ENGINES: tuple[Engine, ...] = ("tflite", "openvino")


def test_outputs_are_the_same_in_single_precision(movenet_file: Path, blazepose_file: Path) -> None:
    random = np.random.default_rng(3)
    pixels, shares = random.integers(0, 255, (1, 128, 192, 3), np.uint8), random.random((1, 256, 256, 3), np.float32)
    for file, values, kept in ((movenet_file, pixels, ()), (blazepose_file, shares, (0, 1, 3))):
        answers = [_answers(open_network(file, 1, kept, engine), values) for engine in ENGINES]
        for one, other in zip(*answers, strict=True):
            assert one.shape == other.shape
            np.testing.assert_allclose(other, one, atol=1e-4 * max(np.abs(one).max(), 1))


def _answers(network: Any, values: np.ndarray) -> list[np.ndarray]:
    (entry,) = network.get_input_details()
    network.resize_tensor_input(entry["index"], values.shape)
    network.allocate_tensors()
    network.set_tensor(entry["index"], values)
    network.invoke()
    return [network.get_tensor(one["index"]) for one in network.get_output_details()]


def test_people_and_joints_are_where_tensorflow_lite_puts_them(
    movenet_file: Path, blazepose_file: Path, clip: list[Frame]
) -> None:
    """To about the precision of bfloat16, where the processor has it: 8 bits."""
    image = clip[0].image
    one, other = (MoveNet(movenet_file, threads=1, engine=engine).find(image) for engine in ENGINES)
    assert len(one) == len(other)
    body = float(np.linalg.norm(one.boxes[0, 2:] - one.boxes[0, :2]))
    assert np.median(np.linalg.norm(one.points[0] - other.points[0], axis=-1)) < 0.01 * body
    crop = fresh_crop(one.points[0], one.boxes[0], COCO17)
    seen, again = (BlazePose(blazepose_file, threads=1, engine=one).landmarks(image, crop) for one in ENGINES)
    assert np.nanmedian(np.linalg.norm(seen.points - again.points, axis=-1)) < 0.01 * body
    assert again.person == pytest.approx(seen.person, abs=0.05)


def test_the_engine_runs_both_stages(monkeypatch: pytest.MonkeyPatch, movenet_file: Path, blazepose_file: Path) -> None:
    opened: list[str] = []
    begin = OpenVinoInterpreter.__init__

    def noted(self: OpenVinoInterpreter, model: Path, *arguments: Any) -> None:
        opened.append(model.name)
        begin(self, model, *arguments)

    monkeypatch.setattr(OpenVinoInterpreter, "__init__", noted)
    found = open_detector(Detection("movenet", {"engine": "openvino"}), "cpu")
    assert {movenet_file.name, blazepose_file.name} == set(opened)
    assert found.description.startswith("MoveNet on cpu by OpenVINO")


def test_other_engines_and_detectors_are_refused() -> None:
    with pytest.raises(SettingsError, match="--engine is 'onnx'; it must be tflite, openvino"):
        Detection("movenet", {"engine": "onnx"})
    with pytest.raises(SettingsError, match="--engine"):
        Detection("detectron2", {"engine": "openvino"})


def test_what_cannot_be_opened_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "text.tflite").write_text("not a network")
    with pytest.raises(DetectorError, match=r"Cannot open .*text\.tflite as a TensorFlow Lite network"):
        open_network(tmp_path / "text.tflite", 1, engine="openvino")
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(DetectorError, match="pip install openvino"):
        open_network(tmp_path / "x.tflite", 1, engine="openvino")
