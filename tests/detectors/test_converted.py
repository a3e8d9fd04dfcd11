import numpy as np

from kinelift.detectors.converted import Converted, as_skeleton
from kinelift.detectors.scripted import Scripted
from kinelift.poses import COCO17, People
from kinelift.poses.skeleton import BODY25
from tests.detectors.conftest import blank


def found(joints: int, people: int = 2) -> People:
    random = np.random.default_rng(1)
    boxes = np.tile([0.0, 0, 50, 50], (people, 1))
    return People(
        0, random.uniform(0, 50, (people, joints, 2)), random.random((people, joints)), boxes, np.ones(people)
    )


def test_joints_are_matched_by_name() -> None:
    people = found(len(BODY25))
    (converted,) = Converted(Scripted([people], BODY25), COCO17).detect(blank(1))
    for joint, name in enumerate(COCO17.joints):
        np.testing.assert_array_equal(converted.points[:, joint], people.points[:, BODY25.index(name)])
        np.testing.assert_array_equal(converted.scores[:, joint], people.scores[:, BODY25.index(name)])


def test_joints_that_the_detector_lacks_are_not_seen() -> None:
    (converted,) = Converted(Scripted([found(17)], COCO17), BODY25).detect(blank(1))
    toes = [BODY25.index(f"{side}_big_toe") for side in ("left", "right")]
    assert np.isnan(converted.points[:, toes]).all() and (converted.scores[:, toes] == 0).all()


def test_a_detector_with_the_same_skeleton_is_not_wrapped() -> None:
    detector = Scripted([found(17)], COCO17)
    assert as_skeleton(detector, COCO17) is detector
    assert as_skeleton(detector, BODY25).skeleton is BODY25
