import pytest
import torch

from kinelift.models.fused_temporal import FusedTemporalNet
from kinelift.models.temporal import TemporalConfig, TemporalNet
from tests.models.test_temporal import FIELDS, small, with_statistics


def all_outputs(net: TemporalNet, x: torch.Tensor) -> torch.Tensor:
    return torch.arange(x.shape[1] - net.config.window + 1)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("widths", [*FIELDS, (5, 3), (1, 3, 3), (3, 5, 3), (3,)])
@pytest.mark.parametrize("more", [0, 1, 40])
def test_fused_net_is_the_net(causal: bool, widths: tuple[int, ...], more: int) -> None:
    net = small(causal, widths)
    x = torch.randn(2, net.config.window + more, 17, 2)
    with torch.no_grad():
        torch.testing.assert_close(FusedTemporalNet(net)(x, all_outputs(net, x)), net(x), atol=2e-6, rtol=0)


def test_trajectory_net_too() -> None:
    net = with_statistics(TemporalNet(TemporalConfig(joints_out=1, channels=24)))
    x = torch.randn(1, 50, 17, 2)
    torch.testing.assert_close(FusedTemporalNet(net)(x, all_outputs(net, x)), net(x).detach(), atol=2e-6, rtol=0)


def test_computes_only_the_requested_frames() -> None:
    net, indices = small(), torch.tensor([0, 3, 4, 20])
    x = torch.randn(2, 60, 17, 2)
    torch.testing.assert_close(FusedTemporalNet(net)(x, indices), net(x).detach()[:, indices], atol=2e-6, rtol=0)


def test_copies_the_weights_and_does_not_change_the_net() -> None:
    net = small().train()
    fused, x = FusedTemporalNet(net), torch.randn(1, 40, 17, 2)
    before = fused(x, all_outputs(net, x))
    assert net.training and all(module.training for module in net.modules())
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
    assert torch.equal(fused(x, all_outputs(net, x)), before)


def test_in_double_precision_it_is_the_net_to_double_precision() -> None:
    net, x = small().double(), torch.randn(1, 80, 17, 2, dtype=torch.float64)
    torch.testing.assert_close(FusedTemporalNet(net)(x, all_outputs(net, x)), net(x).detach(), atol=1e-13, rtol=0)


def test_refuses_the_dense_layout() -> None:
    with pytest.raises(ValueError, match="dense"):
        FusedTemporalNet(small(layout="dense"))
