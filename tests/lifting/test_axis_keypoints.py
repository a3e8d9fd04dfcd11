"""Lifters of data sets that mark joints on the body's axis take the keypoints of detectors."""

import numpy as np
import pytest
import torch

from kinelift.lifting.axis_keypoints import keypoints, lacking
from kinelift.lifting.lifter import Lifter
from kinelift.lifting.network import LifterNetwork
from kinelift.models.temporal import TemporalConfig, TemporalNet
from kinelift.poses import COCO17, H36M17, Track2D, skeleton
from kinelift.poses.camera import Camera

HUMANEVA15, OPENPOSE18 = skeleton("humaneva15"), skeleton("openpose18")


def track() -> Track2D:
    points = np.random.default_rng(0).uniform(50, 300, (40, 17, 2))
    points[7, COCO17.index("left_ear")] = np.nan
    return Track2D(points, np.ones((40, 17)), np.arange(40) / 60, np.zeros((40, 17), bool), 0, (640, 480))


def test_middles_of_hips_and_shoulders_and_the_top_of_the_head() -> None:
    one = track()
    found = {name: keypoints(one, HUMANEVA15)[:, HUMANEVA15.index(name)] for name in HUMANEVA15.joints}
    given = {name: one.points[:, k] for k, name in enumerate(COCO17.joints)}
    shoulders, ears = ((given[f"left_{part}"] + given[f"right_{part}"]) / 2 for part in ("shoulder", "ear"))
    np.testing.assert_array_equal(found["left_knee"], given["left_knee"])
    np.testing.assert_allclose(found["hip"], (given["left_hip"] + given["right_hip"]) / 2)
    np.testing.assert_allclose(found["thorax"], shoulders)
    np.testing.assert_allclose(found["head"], shoulders + 1.5 * (ears - shoulders))
    assert np.isnan(found["head"][7]).all() and np.isfinite(np.delete(found["head"], 7, 0)).all()


@pytest.mark.parametrize(
    ("wanted", "expected"), [(HUMANEVA15, ()), (COCO17, ()), (H36M17, ("spine", "neck"))], ids=lambda one: str(one)
)
def test_what_cannot_be_estimated_is_lacking(wanted: object, expected: tuple[str, ...]) -> None:
    assert isinstance(wanted, type(COCO17))
    assert lacking(COCO17, wanted) == expected


def test_a_lifter_of_humaneva_lifts_coco() -> None:
    net = TemporalNet(TemporalConfig(15, 2, 15, channels=16)).eval()
    lifter = Lifter(LifterNetwork(net, 60.0, "picture", HUMANEVA15, HUMANEVA15), torch.device("cpu"))
    one = track()
    poses = lifter.lift(one, Camera.from_field_of_view(55, one.size))
    assert poses.skeleton == HUMANEVA15 and np.isfinite(poses.points).all()
