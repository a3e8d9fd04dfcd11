"""A network for more joints predicts what the smaller one predicts."""

import numpy as np
import pytest
import torch

from kinelift.lifting.adapt import adapted
from kinelift.lifting.lifter import Lifter
from kinelift.lifting.network import LifterNetwork
from kinelift.poses import COCO17, COCO23, H36M17, H36M21
from kinelift.poses.errors import WeightsError
from tests.lifting.networks import CAMERA, NETS, temporal, track

SMALL = LifterNetwork(temporal(), 20.0, "frame", about={"data": "none"})


@pytest.mark.parametrize("up", [None, np.array([0.1, -0.9, -0.42])])
def test_joints_of_the_smaller_network_stay_where_they_are(up: np.ndarray | None) -> None:
    large = adapted(SMALL, "level", COCO23, H36M21)
    assert (large.source, large.target, large.normalisation, large.rate) == (COCO23, H36M21, "level", 20.0)
    one = track(40)
    before = Lifter(SMALL, torch.device("cpu")).lift(one, CAMERA).points
    after = Lifter(large, torch.device("cpu")).lift(one, CAMERA, up).points
    np.testing.assert_allclose(after[:, : len(H36M17)], before, atol=1e-6)
    for joint in range(len(H36M17), len(H36M21)):
        np.testing.assert_allclose(after[:, joint], after[:, H36M21.parents[joint]], atol=1e-6)


def test_feet_have_no_influence_yet() -> None:
    lifter = Lifter(adapted(SMALL, "level", COCO23, H36M21), torch.device("cpu"))
    without = track(20).converted(COCO23)
    points = np.where(np.isnan(without.points), 300.0, without.points)
    found = [lifter.lift(one, CAMERA).points for one in (without, type(without)(**{**vars(without), "points": points}))]
    np.testing.assert_allclose(*found, atol=1e-6)


def test_the_same_skeletons_give_the_same_network() -> None:
    again = adapted(SMALL, "frame", COCO17, H36M17)
    for name, tensor in SMALL.net.state_dict().items():
        torch.testing.assert_close(again.net.state_dict()[name], tensor)


def test_joints_must_not_be_lost_and_other_networks_cannot_be_adapted() -> None:
    large = adapted(SMALL, "level", COCO23, H36M21)
    with pytest.raises(WeightsError, match="coco23 to h36m21 cannot be turned into one from coco17 to h36m17"):
        adapted(large, "frame", COCO17, H36M17)
    with pytest.raises(WeightsError, match="Only temporal networks"):
        adapted(LifterNetwork(NETS["two-stream"](), 20.0), "level", COCO23, H36M21)
