"""Decoding against a scripted network; geometry against the real one, if it was fetched."""

import sys
from pathlib import Path

import numpy as np
import pytest

from kinelift.detectors.movenet.detector import MoveNet
from kinelift.detectors.refining import blazepose
from kinelift.detectors.refining.blazepose import BlazePose
from kinelift.detectors.refining.crop import Crop, fresh_crop
from kinelift.detectors.refining.landmarks import Landmarks
from kinelift.detectors.tflite import open_network
from kinelift.poses import COCO17, COCO23, Frame
from kinelift.poses.errors import DetectorError
from tests.detectors.conftest import fetched


class Network:
    """Returns fixed rows, as the interpreter would."""

    def __init__(self, rows: np.ndarray, person: float, heatmaps: np.ndarray | None = None) -> None:
        dim = np.full((64, 64, 39), -9.0)
        self.answers = {
            1: rows.reshape(1, -1).astype(np.float32),
            2: np.array([[person]], np.float32),
            3: np.zeros((1, 256, 256, 1), np.float32),
            4: (dim if heatmaps is None else heatmaps)[None].astype(np.float32),
        }
        self.seen = np.zeros(0)

    def allocate_tensors(self) -> None:
        pass

    def get_input_details(self) -> list[dict[str, int]]:
        return [{"index": 0}]

    def get_output_details(self) -> list[dict[str, object]]:
        return [{"index": k, "shape": np.array(a.shape)} for k, a in self.answers.items()]

    def set_tensor(self, index: int, value: np.ndarray) -> None:
        self.seen = value

    def invoke(self) -> None:
        pass

    def get_tensor(self, index: int) -> np.ndarray:
        return self.answers[index]


def scripted(monkeypatch: pytest.MonkeyPatch, network: Network) -> None:
    """Let ``network`` stand for the file. Opened with some of its outputs, it has no others."""

    def opened(model: Path, threads: int, outputs: tuple[int, ...] = (), engine: str = "tflite") -> Network:
        network.answers = {k: a for k, a in network.answers.items() if not outputs or k - 1 in outputs}
        return network

    monkeypatch.setattr(blazepose, "open_network", opened)


def test_rows_become_landmarks_in_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.zeros((39, 5))
    rows[:, 0] = np.arange(39)
    rows[33, :2], rows[34, :2] = [128, 128], [128, 64]
    rows[15, 3] = np.log(3.0)  # the left wrist
    network = Network(rows, 0.8)
    scripted(monkeypatch, network)
    image = np.full((200, 300, 3), 255, np.uint8)
    seen = BlazePose(Path("x")).landmarks(image, Crop((100.0, 50.0), 512.0))
    assert network.seen.shape == (1, 256, 256, 3) and network.seen.dtype == np.float32
    assert network.seen.max() == 1.0 and network.seen.min() == 0.0
    nan = np.nan  # small toes
    places = [0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28, 31, nan, 29, 32, nan, 30]
    np.testing.assert_allclose(seen.points[:, 0], 2 * np.array(places) + 100 - 256)
    assert [COCO23.joints[j] for j in np.flatnonzero(seen.scores == 0)] == ["left_small_toe", "right_small_toe"]
    assert seen.scores[COCO17.index("left_wrist")] == pytest.approx(0.75)
    assert seen.scores[COCO17.index("right_wrist")] == pytest.approx(0.5)
    assert seen.person == pytest.approx(0.8)
    assert seen.crop == Crop((100.0, 50.0), 2 * 128 * 1.25)


def test_a_clear_heatmap_moves_a_landmark_halfway_to_its_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, heatmaps = np.full((39, 5), 120.0), np.full((64, 64, 39), -20.0)
    heatmaps[31, 32, 0] = 20.0  # the nose: row 31, column 32, which begin at pixel (128, 124)
    heatmaps[31, 32, 15] = -0.1  # the left wrist: dim
    heatmaps[40, 30, 16] = 20.0  # the right wrist: out of reach
    heatmaps[31, 32, 33:] = 20.0  # where to look next is no joint
    scripted(monkeypatch, Network(rows, 1.0, heatmaps))
    seen = BlazePose(Path("x")).landmarks(np.zeros((256, 256, 3), np.uint8), Crop((128.0, 128.0), 256.0))
    np.testing.assert_allclose(seen.points[0], [124, 122], atol=1e-6)
    np.testing.assert_allclose(seen.points[1:17], 120)
    assert seen.crop.centre == (120.0, 120.0)


def test_landmarks_outside_the_heatmap_keep_their_position(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.full((39, 5), 120.0)
    rows[0, :2], rows[2, :2] = [-40.0, 300.0], [-2.0, 257.0]
    scripted(monkeypatch, Network(rows, 1.0, np.full((64, 64, 39), 9.0)))
    seen = BlazePose(Path("x")).landmarks(np.zeros((256, 256, 3), np.uint8), Crop((128.0, 128.0), 256.0))
    np.testing.assert_allclose(seen.points[0], [-40, 300])
    assert np.isfinite(seen.points[seen.scores > 0]).all() and np.abs(seen.points[1] - [-2.0, 257.0]).max() < 8


def test_missing_runtime_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(DetectorError, match="pip install ai-edge-litert"):
        BlazePose(Path("x"))


def test_other_files_are_refused(tmp_path: Path, movenet_file: Path) -> None:
    (tmp_path / "text.tflite").write_text("not a network")
    with pytest.raises(DetectorError, match=r"Cannot open .*text.tflite"):
        BlazePose(tmp_path / "text.tflite")
    with pytest.raises(DetectorError, match="not a BlazePose landmark model"):
        BlazePose(movenet_file)


@pytest.fixture(scope="module")
def found(movenet_file: Path, clip: list[Frame]) -> Crop:
    people = MoveNet(movenet_file, threads=1).find(clip[0].image)
    return fresh_crop(people.points[0], people.boxes[0], COCO17)


@pytest.fixture(scope="module")
def model(blazepose_file: Path) -> BlazePose:
    return BlazePose(blazepose_file, threads=1)


@pytest.mark.parametrize("size", ["full", "heavy"])
def test_what_nobody_reads_is_left_out_and_the_rest_is_the_same_to_the_bit(
    size: str, found: Crop, clip: list[Frame]
) -> None:
    file = fetched(f"blazepose-{size}")
    whole, some = (open_network(file, 1, outputs) for outputs in ((), (0, 1, 3)))
    assert len(some._get_ops_details()) == len(whole._get_ops_details()) - 50
    answers = []
    for network, read in ((whole, (0, 1, 3)), (some, (0, 1, 2))):
        network.allocate_tensors()
        for picture in (found.view(clip[0].image, 256), found.view(clip[-1].image, 256)):
            network.set_tensor(network.get_input_details()[0]["index"], picture[None] / np.float32(255))
            network.invoke()
            answers.append([network.get_tensor(network.get_output_details()[k]["index"]) for k in read])
    for expected, seen in zip(answers[:2], answers[2:], strict=True):
        for one, other in zip(expected, seen, strict=True):
            np.testing.assert_array_equal(other, one)
    assert not np.array_equal(answers[0][0], answers[1][0])


def apart(a: Landmarks, points: np.ndarray) -> float:
    """Median distance in body sizes."""
    distance = np.nanmedian(np.linalg.norm(a.points - points, axis=1))
    return float(distance / np.linalg.norm(np.ptp(a.points[:17], axis=0)))


def test_the_crop_shows_a_man_upright_and_the_next_crop_is_similar(
    model: BlazePose, found: Crop, clip: list[Frame]
) -> None:
    seen = model.landmarks(clip[0].image, found)
    y = dict(zip(COCO23.joints, seen.points[:, 1], strict=True))
    assert y["nose"] < y["left_shoulder"] < y["left_hip"] < y["left_knee"] < y["left_ankle"] < y["left_big_toe"]
    assert seen.person > 0.9 and (seen.scores > 0.5).sum() >= 12
    assert seen.crop.side == pytest.approx(found.side, rel=0.15)
    assert np.linalg.norm(np.subtract(seen.crop.centre, found.centre)) < 0.05 * found.side


def test_a_rotated_image_gives_rotated_landmarks(model: BlazePose, found: Crop, clip: list[Frame]) -> None:
    upright, image = model.landmarks(clip[0].image, found), clip[0].image
    turned = np.ascontiguousarray(np.rot90(image))  # (x, y) goes to (y, width - x)
    crop = Crop((found.centre[1], image.shape[1] - found.centre[0]), found.side, found.angle - np.pi / 2)
    again = model.landmarks(turned, crop)
    back = np.stack([image.shape[1] - again.points[:, 1], again.points[:, 0]], axis=-1)
    assert apart(upright, back) < 0.001


def test_an_empty_crop_gets_a_low_probability(model: BlazePose, found: Crop, clip: list[Frame]) -> None:
    assert model.landmarks(np.zeros_like(clip[0].image), found).person < 0.5
    sky = Crop((clip[0].image.shape[1] - 200.0, 150.0), 300.0)
    assert model.landmarks(clip[0].image, sky).person < 0.5
