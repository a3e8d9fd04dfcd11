"""From images to joints in pixels, with scripted, random and real networks."""

import sys
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from benchmarks.speed.rendered_fields import render, standing
from kinelift.detectors.letterbox import Letterbox
from kinelift.detectors.openpose.detector import OpenPose, open_openpose, people
from kinelift.detectors.openpose.field_network import Encoding, FieldNetwork
from kinelift.detectors.openpose.lightweight import LightweightFields
from kinelift.detectors.openpose.onnx_fields import OnnxFields
from kinelift.detectors.openpose.part_fields import GroupingSettings, PartFields
from kinelift.detectors.openpose.part_fields.fields import FIELDS, HEATMAPS, PARTS
from kinelift.models.lightweight_openpose import LightweightOpenPose, LightweightOpenPoseConfig
from kinelift.poses import Frame, People
from kinelift.poses.errors import DetectorError, SettingsError, WeightsError
from kinelift.poses.skeleton import OPENPOSE18
from tests.detectors.openpose.onnx_files import write_cells

STRIDE = 8
SINGLE = GroupingSettings(joints=1, person=0.0)


class Drawn:
    """A network that always sees the same people, given in cells; it records its input."""

    short_side, multiple, device = 256, 8, "cpu"

    def __init__(self, shown: np.ndarray, batch: int = 1, size: tuple[int, int] | None = None) -> None:
        self._shown, self.batch, self.size = shown, batch, size
        self.seen: list[tuple[int, ...]] = []

    def fields(self, pictures: np.ndarray) -> list[PartFields]:
        self.seen.append(pictures.shape)
        _, height, width, _ = pictures.shape
        return [render(self._shown, height // STRIDE, width // STRIDE)] * len(pictures)


@settings(max_examples=40)
@given(st.integers(64, 2000), st.integers(64, 2000), st.integers(0, 31), st.integers(0, 31))
def test_the_centre_of_a_cell_maps_to_its_pixels(width: int, height: int, column: int, row: int) -> None:
    box = Letterbox.fit(width, height, 256, 8)
    cells = box.padded[0] // STRIDE, box.padded[1] // STRIDE
    column, row = column % cells[0], row % cells[1]
    shown = np.full((1, len(PARTS), 2), np.nan)
    shown[0, 0] = column + 0.5, row + 0.5
    found = people(3, render(shown, cells[1], cells[0]), box, SINGLE)
    assert found.frame == 3
    place = (np.array([column, row]) + 0.5) * STRIDE * (np.array([width, height]) / box.content)
    np.testing.assert_allclose(found.points[0, 0], place, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(("width", "height"), [(656, 368), (1768, 994), (360, 640), (120, 90)])
def test_spots_in_an_image_are_detected_at_their_position(tmp_path: Path, width: int, height: int) -> None:
    """Through a network in onnxruntime that sees a nose where it is red, a neck where it is green."""
    weights = np.zeros((HEATMAPS + FIELDS, 3))
    weights[PARTS.index("nose"), 0] = weights[PARTS.index("neck"), 1] = 1 / 255
    network = OnnxFields(write_cells(tmp_path / "x.onnx", weights), threads=1, encoding=Encoding("rgb"))
    spots = np.array([[0.3 * width, 0.45 * height], [0.71 * width, 0.62 * height]])
    radius = STRIDE * min(width, height) / OnnxFields.short_side
    y, x = np.mgrid[:height, :width] + 0.5
    image = np.zeros((height, width, 3), np.uint8)
    for channel, (at_x, at_y) in enumerate(spots):
        image[..., channel] = 255 * np.exp(-((x - at_x) ** 2 + (y - at_y) ** 2) / (2 * radius**2))
    found = OpenPose(network, grouping=SINGLE).find(image)
    nose, neck = (next(p[j] for p in found.points if np.isfinite(p[j]).all()) for j in (0, 1))
    np.testing.assert_allclose([nose, neck], spots, atol=0.03 * radius + 0.05)


def test_people_are_in_pixels_with_boxes_around_their_joints() -> None:
    shown = np.array([standing(1.0, (12, 6)), standing(1.0, (24, 6))])
    shown[0, PARTS.index("left_ankle")] = np.nan
    found = OpenPose(Drawn(shown)).find(np.zeros((512, 1000, 3), np.uint8), 7)
    assert (found.frame, len(found)) == (7, 2)
    order = np.argsort(found.points[:, PARTS.index("neck"), 0])
    scale = STRIDE * np.array([1000 / 500, 512 / 256])
    np.testing.assert_allclose(found.points[order], shown * scale, atol=0.01)
    assert found.scores[order[0], PARTS.index("left_ankle")] == 0
    for points, box in zip(found.points, found.boxes, strict=True):
        assert (box[:2] < np.nanmin(points, axis=0)).all() and (box[2:] > np.nanmax(points, axis=0)).all()
        assert (box[2:] - box[:2] < 1.4 * np.ptp(points[~np.isnan(points[:, 0])], axis=0).max()).all()
    assert (found.confidence > 0.9).all()


def stream(count: int, sizes: Sequence[tuple[int, int]] = ((64, 96),)) -> list[Frame]:
    return [Frame(k, Fraction(k, 25), np.zeros((*sizes[k * len(sizes) // count], 3), np.uint8)) for k in range(count)]


def test_frames_of_one_size_go_through_the_network_together() -> None:
    network = Drawn(np.array([standing(1.0, (12, 6))]), batch=4)
    frames = stream(10, ((256, 512), (512, 256)))
    answers = list(OpenPose(network).detect(frames))
    assert [found.frame for found in answers] == list(range(10))
    assert [shape[0] for shape in network.seen] == [4, 1, 4, 1]
    assert [shape[1:3] for shape in network.seen] == [(256, 512)] * 2 + [(512, 256)] * 2
    for found, frame in zip(answers, frames, strict=True):
        alone = OpenPose(network).find(frame.image)
        np.testing.assert_array_equal(found.points, alone.points)


def test_the_input_has_the_size_that_was_asked_for() -> None:
    nobody, image = np.zeros((0, len(PARTS), 2)), np.zeros((100, 200, 3), np.uint8)
    for network, asked, given_size in [
        (Drawn(nobody), None, (256, 512)),
        (Drawn(nobody), 320, (160, 320)),
        (Drawn(nobody), 330, (168, 336)),
        (Drawn(nobody, size=(400, 400)), None, (400, 400)),
    ]:
        assert len(OpenPose(network, long_side=asked).find(image)) == 0
        assert network.seen == [(1, *given_size, 3)]
    strip = Drawn(nobody)
    OpenPose(strip).find(np.zeros((2, 3000, 3), np.uint8))
    assert strip.seen == [(1, 8, 768, 3)]
    with pytest.raises(SettingsError, match="long_side is 0"):
        OpenPose(Drawn(nobody), long_side=0)
    with pytest.raises(SettingsError, match="always 400 × 400"):
        OpenPose(Drawn(nobody, size=(400, 400)), long_side=320)


def same(fields: PartFields, others: PartFields) -> None:
    """Equal to a hundredth of each map's range: well above rounding, well below any mistake."""
    for maps, other in ((fields.heat, others.heat), (fields.limbs, others.limbs)):
        spread = other.std(axis=(1, 2)).min()
        assert spread > 1e-3
        np.testing.assert_allclose(maps, other, rtol=0, atol=0.01 * spread)


class TestLightweight:
    @staticmethod
    def state(stages: int = 1) -> dict[str, Tensor]:
        """Random weights, with normalisations fitted to their input and heads scaled up, so that outputs vary."""
        torch.manual_seed(0)
        net = LightweightOpenPose(LightweightOpenPoseConfig(refinements=stages))
        with torch.inference_mode():
            for stage in (net.initial_stage, *net.refinement_stages):
                stage.heatmaps[1][0].weight *= 4
                stage.pafs[1][0].weight *= 4
            for layer in net.modules():
                if isinstance(layer, torch.nn.BatchNorm2d):
                    layer.momentum = 1.0
            net(torch.rand(4, 3, 32, 48) - 0.5)
        return dict(net.state_dict())

    @staticmethod
    def write(path: Path, state: Mapping[str, Any]) -> Path:
        """In the format of its author's training."""
        weights = [torch.nn.Parameter(torch.ones(3))]
        adam = torch.optim.Adam(weights)
        schedule = torch.optim.lr_scheduler.MultiStepLR(adam, [100, 200, 260], 0.333)
        held = {"state_dict": state, "optimizer": adam.state_dict(), "scheduler": schedule.state_dict()}
        torch.save({**held, "iter": 370000, "current_epoch": 260}, path)
        return path

    @pytest.mark.parametrize(("stages", "wanted", "used"), [(1, 1, 1), (3, 1, 1), (3, 2, 2), (3, None, 3), (0, 1, 0)])
    def test_a_published_file_is_read(self, tmp_path: Path, stages: int, wanted: int | None, used: int) -> None:
        state = self.state(stages)
        network = LightweightFields.load(self.write(tmp_path / "x.pth", state), refinements=wanted)
        assert isinstance(network, FieldNetwork)
        picture = np.random.default_rng(0).integers(0, 256, (1, 32, 48, 3), dtype=np.uint8)
        net = LightweightOpenPose(LightweightOpenPoseConfig(refinements=stages)).eval()
        net.load_state_dict(state)
        values = (torch.from_numpy(picture[..., ::-1].copy()).permute(0, 3, 1, 2).float() - 128) / 256
        with torch.inference_mode():
            heat, limbs = net(values)[used]
        (fields,) = network.fields(picture)
        same(fields, PartFields(heat[0].numpy(), limbs[0].numpy()))

    def test_a_batch_gives_the_same_maps_as_its_images(self, tmp_path: Path) -> None:
        network = LightweightFields.load(self.write(tmp_path / "x.pth", self.state()))
        pictures = np.random.default_rng(0).integers(0, 256, (3, 32, 48, 3), dtype=np.uint8)
        for k, fields in enumerate(network.fields(pictures)):
            (alone,) = network.fields(pictures[k : k + 1])
            same(fields, alone)

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"model.0.0.weight": None}, r"Missing key.*model\.0\.0\.weight"),
            ({"head.weight": torch.zeros(3)}, r"Unexpected key.*head\.weight"),
            ({"initial_stage.heatmaps.1.0.bias": torch.zeros(26)}, r"size mismatch for initial_stage\.heatmaps\.1\.0"),
        ],
    )
    def test_tensors_that_do_not_fit_are_refused_by_name(
        self, tmp_path: Path, change: Mapping[str, Any], says: str
    ) -> None:
        state = {name: tensor for name, tensor in {**self.state(), **change}.items() if tensor is not None}
        with pytest.raises(WeightsError, match=rf"x\.pth does not hold Lightweight OpenPose.*{says}"):
            LightweightFields.load(self.write(tmp_path / "x.pth", state))


class TestOpening:
    def test_without_a_file_the_error_says_what_could_be_one(self, tmp_path: Path) -> None:
        with pytest.raises(
            DetectorError, match=r"no file .*none\.pth\. --detector-weights takes .*\.pth.* ONNX .*\.xml"
        ):
            open_openpose(tmp_path / "none.pth")

    def test_the_kind_of_file_is_recognised_by_its_content(self, tmp_path: Path) -> None:
        weights = TestLightweight.write(tmp_path / "x.onnx", TestLightweight.state())
        assert isinstance(open_openpose(weights, long_side=128), OpenPose)
        cells = write_cells(tmp_path / "x.pth", np.zeros((HEATMAPS + FIELDS, 3)))
        assert len(open_openpose(cells, threads=1).find(np.zeros((64, 64, 3), np.uint8))) == 0
        (tmp_path / "text").write_text("hello")
        with pytest.raises(DetectorError, match=r"Cannot open .*text as an ONNX network"):
            open_openpose(tmp_path / "text")
        torch.save({"model_pos": {}}, tmp_path / "other.bin")
        with pytest.raises(WeightsError, match="'state_dict'"):
            open_openpose(tmp_path / "other.bin")

    def test_a_checkpoint_needs_no_onnxruntime(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
        open_openpose(TestLightweight.write(tmp_path / "x.pth", TestLightweight.state()))
        with pytest.raises(DetectorError, match="pip install onnxruntime"):
            open_openpose(write_cells(tmp_path / "x.onnx", np.zeros((HEATMAPS + FIELDS, 3))))


@pytest.fixture(scope="module")
def detector(openpose_file: Path) -> OpenPose:
    return open_openpose(openpose_file, threads=1)


class TestRealNetwork:
    def test_man_and_woman_are_found_on_their_limbs(self, detector: OpenPose, clip: list[Frame]) -> None:
        found = detector.find(clip[10].image)
        assert len(found) == 2 and (found.confidence > 0.5).all()
        x = np.sort(found.points[:, OPENPOSE18.index("neck"), 0])
        assert 560 < x[0] < 700 < 1000 < x[1] < 1350
        for points in found.points:
            y = {joint: points[OPENPOSE18.index(joint), 1] for joint in OPENPOSE18.joints}
            assert y["nose"] < y["neck"] < y["left_hip"] < y["left_knee"] < y["left_ankle"]

    def test_it_was_trained_on_bgr(self, openpose_file: Path, clip: list[Frame]) -> None:
        def sureness(encoding: Encoding) -> float:
            found = open_openpose(openpose_file, threads=1, encoding=encoding).find(clip[0].image)
            return float(found.scores.sum())

        assert sureness(Encoding("bgr")) > 1.3 * sureness(Encoding("rgb"))

    def test_a_shifted_image_gives_shifted_people(self, detector: OpenPose, clip: list[Frame]) -> None:
        image, right, down = clip[0].image, 90, 50
        moved = cv2.copyMakeBorder(image[:-down, :-right], down, 0, right, 0, cv2.BORDER_REPLICATE)
        a, b = detector.find(image), detector.find(moved)
        assert np.nanmedian(_distances(a, b.points - [right, down])) < 0.02

    def test_a_mirror_image_gives_mirrored_people(self, detector: OpenPose, clip: list[Frame]) -> None:
        image = clip[0].image
        a, b = detector.find(image), detector.find(np.ascontiguousarray(image[:, ::-1]))
        back = (b.points * [-1, 1] + [image.shape[1], 0])[:, list(OPENPOSE18.mirror)]
        assert np.nanmedian(_distances(a, back)) < 0.02
        shift = np.nanmedian((a.points[0] - back[0])[:, 0]) / 2
        assert abs(shift) < 1.5, "pixels of the picture; half a cell would be 10.8"


def _distances(a: People, points: np.ndarray) -> np.ndarray:
    """The distance of the most confident person's joints, as a fraction of the box's diagonal."""
    size = np.linalg.norm(a.boxes[0, 2:] - a.boxes[0, :2])
    distances = np.linalg.norm(a.points[0] - points[0], axis=1) / size
    assert np.isfinite(distances).sum() >= 10
    return distances
