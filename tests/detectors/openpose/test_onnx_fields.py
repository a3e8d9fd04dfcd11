"""Every form of ONNX file gives the same maps; other files are refused."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kinelift.detectors.openpose.field_network import LIGHTWEIGHT, Encoding, FieldNetwork
from kinelift.detectors.openpose.onnx_fields import OnnxFields
from kinelift.detectors.openpose.part_fields.fields import FIELDS, HEATMAPS
from kinelift.poses.errors import DetectorError
from tests.detectors.openpose.onnx_files import INT64, STRIDE, UINT8, write_cells

WEIGHTS = np.random.default_rng(0).normal(0, 0.01, (HEATMAPS + FIELDS, 3))
HEAT, LIMBS = slice(HEATMAPS), slice(HEATMAPS, None)
PICTURE = np.random.default_rng(1).integers(0, 256, (1, 32, 48, 3), dtype=np.uint8)


def expected(picture: np.ndarray, encoding: Encoding = Encoding()) -> np.ndarray:  # noqa: B008
    values = picture[..., ::-1] if encoding.colours == "bgr" else picture
    cells = ((values[0] - encoding.offset) * encoding.scale).reshape(4, STRIDE, 6, STRIDE, 3).mean((1, 3))
    return np.einsum("hwk,ck->chw", cells, WEIGHTS)


def maps(network: OnnxFields, picture: np.ndarray = PICTURE) -> np.ndarray:
    (fields,) = network.fields(picture)
    return np.concatenate([fields.heat, fields.limbs])


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"first": (False, True)},
        {"first": (True, False)},
        {"first": (False, False)},
        {"dtype": UINT8},
        {"size": (32, 48)},
        {"names": ("heat", "limbs"), "splits": (HEAT, LIMBS)},
        {"names": ("limbs", "heat"), "splits": (LIMBS, HEAT), "first": (False, False)},
        {"names": ("early", "late"), "splits": (slice(1, None), slice(None))},
    ],
)
def test_every_form_gives_the_same_maps(tmp_path: Path, form: dict[str, Any]) -> None:
    network = OnnxFields(write_cells(tmp_path / "x.onnx", WEIGHTS, **form), threads=1)
    assert isinstance(network, FieldNetwork)
    np.testing.assert_allclose(maps(network), expected(PICTURE), rtol=1e-4, atol=1e-4)
    assert network.size == ((48, 32) if "size" in form else None)


def test_the_last_of_several_stages_is_used(tmp_path: Path) -> None:
    doubled = np.concatenate([WEIGHTS * 9, WEIGHTS])
    names = ("heat0", "limbs0", "heat1", "limbs1")
    splits = (HEAT, slice(HEATMAPS, HEATMAPS + FIELDS), slice(57, 57 + HEATMAPS), slice(57 + HEATMAPS, None))
    network = OnnxFields(write_cells(tmp_path / "x.onnx", doubled, names=names, splits=splits), threads=1)
    np.testing.assert_allclose(maps(network), expected(PICTURE), rtol=1e-4, atol=1e-4)


def test_maps_as_wide_as_they_are_many_are_not_mixed_up(tmp_path: Path) -> None:
    names, splits = ("heat", "limbs"), (HEAT, LIMBS)
    for first in (True, False):
        path = write_cells(
            tmp_path / "x.onnx", WEIGHTS, names=names, splits=splits, first=(first, first),
            size=(STRIDE * HEATMAPS, STRIDE * FIELDS),
        )  # fmt: skip
        (fields,) = OnnxFields(path, threads=1).fields(np.zeros((1, STRIDE * HEATMAPS, STRIDE * FIELDS, 3), np.uint8))
        assert fields.heat.shape == (HEATMAPS, HEATMAPS, FIELDS) and fields.limbs.shape == (FIELDS, HEATMAPS, FIELDS)


@pytest.mark.parametrize("encoding", [Encoding("rgb"), Encoding("bgr", 127.5, 1 / 127.5), LIGHTWEIGHT])
def test_colours_are_encoded_as_asked(tmp_path: Path, encoding: Encoding) -> None:
    network = OnnxFields(write_cells(tmp_path / "x.onnx", WEIGHTS), threads=1, encoding=encoding)
    np.testing.assert_allclose(maps(network), expected(PICTURE, encoding), rtol=1e-4, atol=1e-4)


def test_an_export_of_lightweight_openpose_is_known_by_its_outputs(tmp_path: Path) -> None:
    names = ("stage_1_output_1_heatmaps", "stage_1_output_0_pafs")
    network = OnnxFields(write_cells(tmp_path / "x.onnx", WEIGHTS, names=names, splits=(HEAT, LIMBS)), threads=1)
    np.testing.assert_allclose(maps(network), expected(PICTURE, LIGHTWEIGHT), rtol=1e-4, atol=1e-4)


def test_each_image_of_a_batch_gets_its_maps(tmp_path: Path) -> None:
    network = OnnxFields(write_cells(tmp_path / "x.onnx", WEIGHTS), threads=1)
    one, other = network.fields(np.concatenate([PICTURE, 255 - PICTURE]))
    np.testing.assert_allclose(one.heat, expected(PICTURE)[HEAT], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(other.heat, expected(255 - PICTURE)[HEAT], rtol=1e-4, atol=1e-4)


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("not a network")
    with pytest.raises(DetectorError, match=r"Cannot open .*text\.onnx as an ONNX network"):
        OnnxFields(tmp_path / "text.onnx")
    body25 = write_cells(tmp_path / "body25.onnx", np.zeros((26 + 52, 3)))
    with pytest.raises(DetectorError, match=r"19 heat maps and 38 fields: its outputs are \(1, 78, 12, 20\)"):
        OnnxFields(body25)
    with pytest.raises(DetectorError, match=r"does not take one image.*tensor\(int64\)"):
        OnnxFields(write_cells(tmp_path / "x.onnx", WEIGHTS, dtype=INT64))


def test_missing_runtime_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(DetectorError, match="pip install onnxruntime"):
        OnnxFields(Path("x.onnx"))
