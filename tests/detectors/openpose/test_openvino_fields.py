"""The network that ``--detector openpose`` uses by default: its INT8 edition, the same network, and its ONNX form."""

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from kinelift.detectors import openvino
from kinelift.detectors.letterbox import Letterbox
from kinelift.detectors.openpose import detector as module
from kinelift.detectors.openpose import openvino_fields
from kinelift.detectors.openpose.detector import DEFAULT, open_openpose
from kinelift.detectors.openpose.field_network import FieldNetwork
from kinelift.detectors.openpose.onnx_fields import OnnxFields
from kinelift.detectors.openpose.openvino_fields import OpenVinoFields
from kinelift.poses import Frame
from kinelift.poses.errors import DetectorError, WeightsError
from kinelift.weights import registry


@pytest.fixture(scope="module")
def model(shared: Path) -> Path:
    """The network's .xml file, if a developer has it."""
    file = shared / "models" / "human-pose-estimation-0001.xml"
    if not file.is_file():
        pytest.skip(f"no network at {file}")
    return file


@pytest.fixture(scope="module")
def network(model: Path) -> OpenVinoFields:
    if find_spec("openvino") is None:  # to import it here would load its telemetry
        pytest.skip("the optional extra openvino is not installed")
    return OpenVinoFields(model, threads=1)


def test_both_people_of_the_sample_clip_are_found(network: OpenVinoFields, model: Path, clip: list[Frame]) -> None:
    found = open_openpose(model, threads=1).find(clip[10].image)
    seen = np.isfinite(found.points).all(axis=-1).sum(axis=1)
    assert (found.confidence > 0.4).sum() == 2 and (seen[:2] >= 16).all()
    centres = np.nanmedian(found.points[:2, :, 0], axis=1)
    assert abs(centres[0] - centres[1]) > 100


def test_its_onnx_form_has_the_same_maps(network: OpenVinoFields, model: Path, clip: list[Frame]) -> None:
    picture = Letterbox.fit(1768, 994, 448, multiple=16).apply(clip[10].image)[None]
    (ours,), (theirs,) = network.fields(picture), OnnxFields(model.with_suffix(".onnx"), threads=1).fields(picture)
    assert isinstance(network, FieldNetwork)
    assert ours.heat.shape == (19, 32, 56) and ours.limbs.shape == (38, 32, 56)
    for one, other in ((ours.heat, theirs.heat), (ours.limbs, theirs.limbs)):
        assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.99


def test_openvino_is_imported_without_its_telemetry(network: OpenVinoFields) -> None:
    assert "openvino" in sys.modules and not [name for name in sys.modules if name.startswith("openvino_telemetry")]


def test_other_files_are_refused(network: OpenVinoFields, tmp_path: Path) -> None:
    (tmp_path / "text.xml").write_text("<not a network>")
    with pytest.raises(DetectorError, match=r"Cannot open .*text\.xml as an OpenVINO network"):
        open_openpose(tmp_path / "text.xml")


def test_without_openvino_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    (tmp_path / "x.xml").touch()
    with pytest.raises(DetectorError, match="pip install openvino"):
        open_openpose(tmp_path / "x.xml")
    assert openvino._TELEMETRY not in sys.modules


def test_the_default_is_fetched_by_two_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KINELIFT_CACHE", str(tmp_path))
    with pytest.raises(WeightsError, match=f"Fetch them with: kinelift weights fetch {' '.join(DEFAULT)}$"):
        open_openpose(None)


def test_the_default_lies_where_openvino_looks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It looks for the numbers in a .bin of the same name beside the .xml."""
    xml, numbers = (Path(registry.entry(name).file) for name in DEFAULT)
    assert xml.suffix == ".xml" and numbers == xml.with_suffix(".bin")
    (tmp_path / xml).touch()
    opened: list[Path] = []
    monkeypatch.setattr(module, "locate_all", lambda names: [tmp_path / registry.entry(name).file for name in names])
    monkeypatch.setattr(openvino_fields, "_compiled", lambda model, threads: opened.append(model))
    monkeypatch.setattr(OpenVinoFields, "_run", lambda self, values: [np.zeros((1, 57, 8, 8), np.float32)])
    assert open_openpose(None).device == "cpu"
    assert opened == [tmp_path / xml]
