"""Imported published weights give the same output as the original network."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from kinelift.__main__ import main
from kinelift.lifting.lifter import Lifter
from kinelift.lifting.network import LifterNetwork
from kinelift.models.temporal import TemporalConfig, TemporalNet
from kinelift.poses import COCO17, H36M17, Track2D
from kinelift.poses.camera import Camera
from kinelift.poses.errors import SettingsError, WeightsError
from tests.weights.bins import write

SIZE = (640, 360)
CAMERA = Camera.from_field_of_view(55, SIZE)


def trained(**config: Any) -> TemporalNet:
    """A network with non-trivial batch normalisation."""
    net = TemporalNet(TemporalConfig(channels=16, **config))
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            for tensor in (module.weight.data, module.bias.data, module.running_mean, module.running_var):
                assert tensor is not None
                tensor.uniform_(0.5, 1.5)
    return net.eval()


def imported(
    folder: Path, net: TemporalNet, roots: TemporalNet | None = None, *arguments: str, zipped: bool = True
) -> Path:
    states = net.state_dict(), None if roots is None else roots.state_dict()
    path, out = write(folder / "x.bin", *states, zipped=zipped), folder / "x.safetensors"
    assert main(["weights", "import", str(path), "-o", str(out), *arguments]) == 0
    return out


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(
    "shape", [{}, {"widths": (3, 3, 3, 3)}, {"widths": (5, 3)}, {"layout": "dense"}, {"causal": True}]
)
def test_outputs_agree_with_the_original(tmp_path: Path, shape: dict[str, Any], zipped: bool) -> None:
    net, roots = trained(**shape), trained(joints_out=1, **shape)
    arguments = ["--causal"] if shape.get("causal") else []
    again = LifterNetwork.load(imported(tmp_path, net, roots, *arguments, zipped=zipped))
    assert (again.net.config, again.normalisation, again.rate) == (net.config, "picture", 50.0)
    assert again.trajectory is not None
    keypoints = torch.randn(2, net.config.window + 9, 17, 2)
    torch.testing.assert_close(again.net(keypoints), net(keypoints), rtol=0, atol=0)
    torch.testing.assert_close(again.trajectory(keypoints), roots(keypoints), rtol=0, atol=0)


@pytest.mark.parametrize("causal", [False, True])
def test_tracks_are_lifted_as_published(tmp_path: Path, causal: bool) -> None:
    """Whole sequences with repeated edges in screen coordinates, averaged with their mirror image, at 50 Hz."""
    net, roots = trained(causal=causal), trained(causal=causal, joints_out=1)
    points = np.random.default_rng(0).uniform(50, 300, (70, 17, 2))
    track = Track2D(points, np.ones((70, 17)), np.arange(70) / 50, np.zeros((70, 17), bool), 0, SIZE)
    poses = Lifter.load(imported(tmp_path, net, roots, *["--causal"] * causal)).lift(track, CAMERA)
    x, y = points[..., 0] / SIZE[0] * 2 - 1, points[..., 1] / SIZE[0] * 2 - SIZE[1] / SIZE[0]
    screen = torch.from_numpy(np.stack([x, y], -1)).float()
    expected = averaged(net, screen)
    np.testing.assert_allclose(poses.points, expected - expected[:, :1], atol=1e-5)
    assert poses.root is not None
    np.testing.assert_allclose(poses.root, averaged(roots, screen)[:, 0], atol=1e-5)


@torch.no_grad()
def averaged(net: TemporalNet, screen: Tensor) -> np.ndarray:
    mirrored = screen[:, list(COCO17.mirror)] * torch.tensor([-1.0, 1.0])
    before, after = net.config.padding
    straight, back = (
        net(torch.cat([x[:1].expand(before, -1, -1), x, x[-1:].expand(after, -1, -1)])[None])[0].numpy()
        for x in (screen, mirrored)
    )
    swap = list(H36M17.mirror) if straight.shape[1] == 17 else [0]
    return (straight + back[:, swap] * [-1, 1, 1]) / 2


def test_keypoints_of_another_layout_are_rejected(tmp_path: Path) -> None:
    lifter = Lifter.load(imported(tmp_path, trained(), None, "--skeleton-in", "h36m17"))
    one = Track2D(np.ones((5, 17, 2)), np.ones((5, 17)), np.arange(5) / 50, np.zeros((5, 17), bool), 0, SIZE)
    with pytest.raises(SettingsError, match="h36m17 keypoints; the track has coco17"):
        lifter.lift(one, CAMERA)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_published_file_is_told_how_to_be_imported(tmp_path: Path, zipped: bool) -> None:
    path = write(tmp_path / "x.bin", trained().state_dict(), zipped=zipped)
    with pytest.raises(WeightsError, match=rf"kinelift weights import {path} -o {tmp_path / 'x.safetensors'}"):
        Lifter.load(path)
