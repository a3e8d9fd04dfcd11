import pytest
import torch
from torch import nn

from kinelift.models.two_stream import TwoStreamConfig, TwoStreamNet


def small(dropout: float = 0.5) -> TwoStreamNet:
    torch.manual_seed(0)
    return TwoStreamNet(TwoStreamConfig(features_in=3, width=32, dropout=dropout))


def test_one_pose_per_frame() -> None:
    net = TwoStreamNet(TwoStreamConfig(joints_in=15, joints_out=16, width=8)).eval()
    config = net.config
    assert net(torch.randn(5, config.window, 15, 2)).shape == (5, config.outputs, 16, 3)
    assert config.first_output == 0


@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_size_by_formula(blocks: int) -> None:
    with torch.device("meta"):
        net = TwoStreamNet(TwoStreamConfig(blocks=blocks))
    stem = 34 * 1024 + 2 * 1024
    block = 2 * (1024 * 1024 + 2 * 1024)
    assert sum(p.numel() for p in net.parameters()) == 2 * (stem + blocks * block + 1024 * 51 + 51)


def test_no_convolutions() -> None:
    kinds = {type(module) for module in small().modules()}
    assert {nn.Linear, nn.BatchNorm1d, nn.Dropout, nn.SELU} < kinds
    assert not any("Conv" in kind.__name__ for kind in kinds)


def test_only_the_first_stream_sees_the_clean_keypoints() -> None:
    net = small(dropout=0)
    windows, clean = (torch.randn(8, 1, 17, 3, requires_grad=True) for _ in range(2))
    first, second = (net.clean(clean.flatten(1)), net.detected(windows.flatten(1)))
    torch.testing.assert_close(net(windows, clean).flatten(1), (first + second) / 2)


def test_without_clean_keypoints_both_streams_see_the_same() -> None:
    net, windows = small().eval(), torch.randn(4, 1, 17, 3)
    assert torch.equal(net(windows), net(windows, windows))
    assert not torch.equal(net(windows), net(windows, windows + 1))


def test_frames_are_independent() -> None:
    net, windows = small().eval(), torch.randn(6, 1, 17, 3)
    torch.testing.assert_close(net(windows)[2:4], net(windows[2:4]))


def test_residual_connections_carry_the_input_past_zeroed_layers() -> None:
    net, x = small().eval(), torch.randn(4, 32)
    blocks = [block for stream in (net.clean, net.detected) for block in stream if hasattr(block, "layers")]
    assert len(blocks) == 2 * net.config.blocks
    for block in blocks:
        assert not torch.equal(block(x), x)
        nn.init.zeros_(block.layers[-3].weight)
        assert torch.equal(block(x), x)


def test_every_parameter_learns() -> None:
    net = small()
    net(torch.randn(16, 1, 17, 3), torch.randn(16, 1, 17, 3)).square().sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_one_stream_is_the_one_of_detected_keypoints() -> None:
    net = TwoStreamNet(TwoStreamConfig(width=8, streams=1)).eval()
    windows = torch.randn(4, 1, 17, 2)
    assert {name.split(".")[0] for name in net.state_dict()} == {"detected"}
    assert torch.equal(net(windows).flatten(1), net.detected(windows.flatten(1)))
    assert torch.equal(net(windows, windows + 1), net(windows))
