"""Decoding against a scripted network; geometry against the real one, if it was fetched."""

import sys
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from kinelift.detectors.movenet import detector as movenet
from kinelift.detectors.movenet.detector import MoveNet
from kinelift.poses import COCO17, Frame, People
from kinelift.poses.errors import DetectorError, SettingsError


class Network:
    """Returns fixed rows, as the interpreter would."""

    def __init__(self, rows: np.ndarray) -> None:
        self.rows, self.shapes, self.seen = rows.astype(np.float32), [], np.empty(0)

    def get_input_details(self) -> list[dict[str, int]]:
        return [{"index": 0}]

    def get_output_details(self) -> list[dict[str, int]]:
        return [{"index": 1}]

    def resize_tensor_input(self, index: int, shape: tuple[int, ...]) -> None:
        self.shapes.append(shape)

    def allocate_tensors(self) -> None:
        pass

    def set_tensor(self, index: int, value: np.ndarray) -> None:
        self.seen = value

    def invoke(self) -> None:
        pass

    def get_tensor(self, index: int) -> np.ndarray:
        return self.rows[None]


def row(x: float, y: float, score: float) -> np.ndarray:
    joints = np.tile([y, x, 0.01], (17, 1))
    return np.concatenate([joints.ravel(), [y - 0.1, x - 0.2, y + 0.1, x + 0.2, score]])


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    rows = np.stack([row(0.5, 0.5, s) for s in (0.3, 0.1, 0.9, 0.19, 0.0, 0.2)])
    network = Network(rows)
    monkeypatch.setattr(movenet, "_open", lambda model, threads, engine: network)
    return network


def test_rows_become_people_in_pixels(network: Network) -> None:
    people = MoveNet(Path("x"), long_side=512).find(np.zeros((300, 1024, 3), np.uint8), 7)
    assert people.frame == 7
    np.testing.assert_allclose(people.confidence, [0.9, 0.3, 0.2], atol=1e-6)
    # 1024 × 300 becomes 512 × 150, padded to 512 × 160: half of that is (256, 80), twice as large in the picture.
    np.testing.assert_allclose(people.points, np.broadcast_to([512.7, 160.7], (3, 17, 2)), atol=1e-3)
    np.testing.assert_allclose(people.boxes[0], [512.7 - 204.8, 160.7 - 32, 512.7 + 204.8, 160.7 + 32], atol=1e-3)
    np.testing.assert_allclose(people.scores, 0.01)
    assert network.seen.shape == (1, 160, 512, 3)


def test_input_is_resized_only_when_the_picture_changes_shape(network: Network) -> None:
    detector = MoveNet(Path("x"), long_side=64)
    for shape in [(100, 100, 3), (100, 100, 3), (200, 200, 3), (50, 100, 3)]:
        detector.find(np.zeros(shape, np.uint8))
    assert network.shapes == [(1, 64, 64, 3), (1, 32, 64, 3)]


@pytest.mark.parametrize("long_side", [0, -32, 500])
def test_long_side_must_fit_the_network(network: Network, long_side: int) -> None:
    with pytest.raises(SettingsError, match="positive multiple of 32"):
        MoveNet(Path("x"), long_side=long_side)


def test_missing_runtime_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(DetectorError, match="pip install ai-edge-litert"):
        MoveNet(Path("x"))


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.tflite").write_text("not a network")
    for name in ("text.tflite", "missing.tflite"):
        with pytest.raises(DetectorError, match=f"Cannot open .*{name}"):
            MoveNet(tmp_path / name)


@pytest.fixture(scope="module")
def detector(movenet_file: Path) -> MoveNet:
    return MoveNet(movenet_file, threads=1)


def distances(a: People, b: People) -> np.ndarray:
    """The distance of the most confident person's confident joints, as a fraction of the box's diagonal."""
    sure = np.minimum(a.scores[0], b.scores[0]) > 0.4
    assert sure.sum() >= 8
    size = np.linalg.norm(a.boxes[0, 2:] - a.boxes[0, :2])
    return np.linalg.norm(a.points[0] - b.points[0], axis=1)[sure] / size


def test_man_and_woman_are_found_on_their_limbs(detector: MoveNet, clip: list[Frame]) -> None:
    people = detector.find(clip[10].image)
    assert len(people) == 2
    for points, box in zip(people.points, people.boxes, strict=True):
        y = {joint: points[COCO17.index(joint), 1] for joint in COCO17.joints}
        assert y["nose"] < y["left_shoulder"] < y["left_hip"] < y["left_knee"] < y["left_ankle"]
        assert (points >= box[:2] - 20).all() and (points <= box[2:] + 20).all()
    x = np.sort(people.points[:, 0, 0])
    assert 560 < x[0] < 700 < 1000 < x[1] < 1350


def test_a_scaled_image_gives_scaled_people(detector: MoveNet, clip: list[Frame]) -> None:
    image = clip[0].image
    half = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    whole, small = detector.find(image), detector.find(half)
    doubled = People(0, small.points * 2, small.scores, small.boxes * 2, small.confidence)
    assert np.median(distances(whole, doubled)) < 0.01


def test_a_shifted_image_gives_shifted_people(detector: MoveNet, clip: list[Frame]) -> None:
    image = clip[0].image
    right, down = 96, 64
    moved = cv2.copyMakeBorder(image, down, 0, right, 0, cv2.BORDER_REPLICATE)
    a, b = detector.find(image), detector.find(moved)
    back = People(0, b.points - [right, down], b.scores, b.boxes - [right, down, right, down], b.confidence)
    assert np.median(distances(a, back)) < 0.02


def test_mirror_image_gives_mirrored_people_without_a_shift(detector: MoveNet, clip: list[Frame]) -> None:
    shifts: list[float] = []
    for frame in clip[:9:4]:
        a, b = detector.find(frame.image), detector.find(np.ascontiguousarray(frame.image[:, ::-1]))
        mirrored = (frame.image.shape[1] - b.points[0, :, 0])[list(COCO17.mirror)]
        close = np.abs(a.points[0, :, 0] - mirrored) < 20
        shifts += list((a.points[0, :, 0] - mirrored)[close])
    assert len(shifts) > 25
    assert abs(np.median(shifts)) < 1.0, "pixels of the picture; 2.6 without the offset"


def test_portrait_and_tiny_pictures(detector: MoveNet, clip: list[Frame]) -> None:
    portrait = np.ascontiguousarray(clip[0].image[:, 400:960])
    assert len(detector.find(portrait)) == 1
    assert len(detector.find(np.zeros((1, 1, 3), np.uint8))) == 0
    assert len(detector.find(np.full((7, 300, 3), 255, np.uint8))) == 0


def test_a_stream_equals_single_images(detector: MoveNet, clip: list[Frame]) -> None:
    frames = [clip[0], Frame(1, Fraction(1), clip[10].image), Frame(2, Fraction(2), clip[0].image)]
    for people, frame in zip(detector.detect(frames), frames, strict=True):
        np.testing.assert_array_equal(people.points, detector.find(frame.image).points)
