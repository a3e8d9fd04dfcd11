from pathlib import Path

import numpy as np
import pytest
import torch

from kinelift.lifting.lifter import Lifter
from kinelift.lifting.network import LifterNetwork, windowed
from kinelift.poses import COCO17, H36M17
from kinelift.poses.errors import WeightsError
from kinelift.weights.checkpoint import Checkpoint, save
from tests.lifting.networks import CAMERA, NETS, network, temporal, track


@pytest.mark.parametrize("kind", NETS)
def test_windowed_agrees_with_the_net(kind: str) -> None:
    net = NETS[kind]()
    window_net, config = windowed(net), net.config
    windows = torch.randn(3, config.window, 17, 3)
    assert window_net(windows).shape == (3, config.outputs, 17, 3)
    torch.testing.assert_close(window_net(windows), net(windows), atol=1e-5, rtol=1e-5)
    assert {id(p) for p in window_net.parameters()} == {id(p) for p in net.parameters()}


@pytest.mark.parametrize("kind", NETS)
def test_checkpoints_of_every_kind_round_trip(tmp_path: Path, kind: str) -> None:
    one = LifterNetwork(NETS[kind](2), 25.0, "picture", about={"data": "none"}, trajectory=temporal(2, joints_out=1))
    one.save(tmp_path / "x.safetensors")
    again = LifterNetwork.load(tmp_path / "x.safetensors")
    assert (type(again.net), again.net.config) == (type(one.net), one.net.config)
    assert (again.rate, again.normalisation, again.source, again.target) == (25.0, "picture", COCO17, H36M17)
    lifted, expected = (Lifter(n, torch.device("cpu")).lift(track(40), CAMERA) for n in (again, one))
    np.testing.assert_allclose(lifted.points, expected.points, atol=0.02)
    assert lifted.root is not None and expected.root is not None
    np.testing.assert_allclose(lifted.root, expected.root, atol=0.02)


def test_checkpoint_round_trip(tmp_path: Path) -> None:
    path, one = tmp_path / "lifter.safetensors", network()
    one.save(path)
    loaded = Lifter.load(path)
    assert loaded.network.net.config == one.net.config
    assert (loaded.network.rate, loaded.network.normalisation) == (20.0, "facing")
    assert loaded.network.about == {"data": "none"}
    expected = Lifter(one, torch.device("cpu")).lift(track(30), CAMERA).points
    np.testing.assert_allclose(loaded.lift(track(30), CAMERA).points, expected, atol=0.01)


def test_networks_that_do_not_match_their_description_are_rejected() -> None:
    with pytest.raises(WeightsError, match="17 joints of 2 features"):
        LifterNetwork(temporal(2), 20.0)
    with pytest.raises(WeightsError, match="trajectory network"):
        LifterNetwork(temporal(), 20.0, trajectory=temporal())
    with pytest.raises(WeightsError, match="predicts 15"):
        LifterNetwork(temporal(joints_out=15), 20.0)


@pytest.mark.parametrize("damage", ["kind", "tensor", "normalisation", "text"])
def test_damaged_checkpoints_are_rejected(tmp_path: Path, damage: str) -> None:
    path, one = tmp_path / "x.safetensors", network()
    description = {
        "config": {**vars(one.net.config)}, "rate": 20.0, "normalisation": "facing",
        "skeleton_in": "coco17", "skeleton_out": "h36m17", "about": {},
    }  # fmt: skip
    tensors = dict(one.net.state_dict())
    if damage == "text":
        path.write_text("hello")
    else:
        if damage == "tensor":
            tensors["shrink.bias"] = torch.zeros(3)
        if damage == "normalisation":
            description["normalisation"] = "astrology"
        save(path, Checkpoint("action-net" if damage == "kind" else "temporal-lifter", description, tensors))
    with pytest.raises(WeightsError):
        Lifter.load(path)
