"""A person detected at several sizes is one person; with test doubles, and with the real network on a portrait."""

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib import cbook
from matplotlib.image import imread

from kinelift.detectors.movenet.detector import MoveNet
from kinelift.detectors.movenet.multi_scale import MultiScaleDetector, multi_scale_movenet, pyramid_sizes
from kinelift.detectors.movenet.second_look import ImageDetector
from kinelift.detectors.refining.blazepose import BlazePose
from kinelift.detectors.refining.refined import Refined
from kinelift.poses import COCO17, COCO23, Frame, People, Skeleton

PICTURE = np.zeros((100, 200, 3), np.uint8)


@dataclass
class Told:
    """Finds boxes (x1, y1, x2, y2, confidence)."""

    boxes: tuple[tuple[float, ...], ...]
    skeleton: Skeleton = COCO17

    def find(self, image: np.ndarray, frame: int = 0) -> People:
        rows = np.array(self.boxes, dtype=float).reshape(-1, 5)
        points = np.linspace(rows[:, :2], rows[:, 2:4], 17, axis=1)
        return People(frame, points, np.ones((len(rows), 17)), rows[:, :4], rows[:, 4])


def found(*detectors: ImageDetector) -> list[tuple[float, ...]]:
    people = MultiScaleDetector(*detectors).find(PICTURE, 3)
    assert people.frame == 3
    return [(*box, confidence) for box, confidence in zip(people.boxes.tolist(), people.confidence, strict=True)]


MAN, CHILD = (0.0, 0.0, 40.0, 80.0), (60.0, 40.0, 70.0, 60.0)


def test_a_single_detector_is_not_changed() -> None:
    twins = Told(((*MAN, 0.9), (*MAN, 0.8), (*CHILD, 0.3)))
    assert found(twins) == list(twins.boxes)
    assert found(Told(())) == []


def test_the_more_confident_of_two_detections_of_a_person_stays() -> None:
    near = (2.0, 1.0, 43.0, 79.0)
    assert found(Told(((*MAN, 0.4),)), Told(((*near, 0.6),))) == [(*near, 0.6)]
    assert found(Told(((*MAN, 0.7),)), Told(((*near, 0.6),))) == [(*MAN, 0.7)]
    assert found(Told(((*MAN, 0.5),)), Told(((*near, 0.6),))) == [(*MAN, 0.5)], "the larger input is believed"


def test_a_person_whom_only_one_detector_finds_is_kept() -> None:
    assert found(Told(((*CHILD, 0.4),)), Told(((*MAN, 0.6),))) == [(*MAN, 0.6), (*CHILD, 0.4)]


def test_legs_are_not_a_person_of_their_own() -> None:
    legs = (5.0, 45.0, 35.0, 82.0)
    assert found(Told(((*legs, 0.3),)), Told(((*MAN, 0.6),))) == [(*MAN, 0.6)]


def test_two_people_do_not_become_one() -> None:
    left, right, both = (0.0, 0.0, 40.0, 80.0), (25.0, 5.0, 60.0, 80.0), (0.0, 0.0, 60.0, 80.0)
    assert len(found(Told(((*left, 0.48), (*right, 0.32))), Told(((*both, 0.53),)))) == 2


def test_people_who_cross_are_both_kept() -> None:
    other = (20.0, 0.0, 60.0, 80.0)
    assert len(found(Told(((*MAN, 0.5), (*other, 0.4))), Told(((*MAN, 0.6),)))) == 2


@pytest.mark.parametrize("long_side", [64, 256, 288, 512, 1024, 2048])
def test_no_size_of_people_falls_between_two_inputs(long_side: int) -> None:
    sides = pyramid_sizes(long_side)
    assert sides[0] == long_side and sides[-1] <= 256 and all(side % 32 == 0 for side in sides)
    for larger, smaller in pairwise(sides):
        assert 60 / smaller <= 280 / larger


def test_the_default_has_two_sizes() -> None:
    assert pyramid_sizes(512) == [512, 192]


def sample(name: str) -> np.ndarray:
    picture = imread(cbook.get_sample_data(name, asfileobj=False))[..., :3]
    return picture if picture.dtype == np.uint8 else np.round(255 * picture).astype(np.uint8)


def test_a_portrait_is_found(movenet_file: Path, blazepose_file: Path) -> None:
    """Head and shoulders that fill the image are too large for the network at its usual size."""
    portrait = np.ascontiguousarray(sample("grace_hopper.jpg"))
    assert len(MoveNet(movenet_file, threads=1).find(portrait)) == 0
    both = Refined(multi_scale_movenet(movenet_file, threads=1), BlazePose(blazepose_file, threads=1))
    (people,) = both.detect([Frame(0, Fraction(0), portrait)])
    assert len(people) == 1 and people.confidence[0] > 0.4
    x, y = dict(zip(COCO23.joints, people.points[0], strict=True)), people.points[0, :, 1]
    assert x["right_shoulder"][0] < x["nose"][0] < x["left_shoulder"][0]
    assert y[COCO17.index("left_eye")] < y[COCO17.index("nose")] < y[COCO17.index("left_shoulder")]
    assert np.linalg.norm(x["nose"] - [265, 225]) < 40


@pytest.mark.parametrize("name", ["logo2.png", "Minduka_Present_Blue_Pack.png"])
def test_images_without_people_have_no_detections(movenet_file: Path, name: str) -> None:
    assert (
        len(multi_scale_movenet(movenet_file, threads=1).detect_frame(Frame(0, Fraction(0), sample(name)), NOBODY)) == 0
    )


NOBODY = People.nobody(0, 17)
