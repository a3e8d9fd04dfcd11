from typing import Literal

import pytest
import torch
from torch import nn

from kinelift.models.temporal import StridedTemporalNet, TemporalConfig, TemporalNet

PUBLISHED = [((3, 3, 3), 27, 8_555_571), ((3, 3, 3, 3), 81, 12_753_971), ((3, 3, 3, 3, 3), 243, 16_952_371)]
FIELDS = [(3, 3, 3), (3, 3, 3, 3), (3, 3, 3, 3, 3)]
LAYOUTS: list[Literal["dilated", "dense"]] = ["dilated", "dense"]


def small(
    causal: bool = False, widths: tuple[int, ...] = (3, 3, 3), layout: Literal["dilated", "dense"] = "dilated"
) -> TemporalNet:
    torch.manual_seed(0)
    return with_statistics(TemporalNet(TemporalConfig(channels=24, widths=widths, causal=causal, layout=layout)))


def with_statistics(net: TemporalNet) -> TemporalNet:
    """Give the batch norms statistics other than the initial ones."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            nn.init.normal_(module.weight, 1, 0.1)
            nn.init.normal_(module.bias, 0, 0.1)
    return net.eval()


def parameters(config: TemporalConfig) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in TemporalNet(config).parameters())


@pytest.mark.parametrize(("widths", "frames", "count"), PUBLISHED)
def test_published_sizes(widths: tuple[int, ...], frames: int, count: int) -> None:
    config = TemporalConfig(widths=widths, channels=1024)
    assert (config.window, config.outputs, config.first_output) == (frames, 1, frames // 2)
    assert parameters(config) == count


@pytest.mark.parametrize("channels", [64, 1024, 2048])
@pytest.mark.parametrize("widths", FIELDS)
def test_size_by_formula(widths: tuple[int, ...], channels: int) -> None:
    stem = 3 * 34 * channels + 2 * channels
    block = 3 * channels**2 + channels**2 + 2 * 2 * channels
    shrink = 51 * channels + 51
    config = TemporalConfig(widths=widths, channels=channels)
    assert parameters(config) == stem + (len(widths) - 1) * block + shrink


def test_joint_aware_net_has_2048_channels() -> None:
    assert parameters(TemporalConfig(widths=(3, 3, 3, 3, 3), channels=2048)) == 67_459_123


def test_dense_kernels_reach_as_far_with_more_parameters() -> None:
    dense, dilated = (TemporalConfig(channels=8, layout=layout) for layout in ("dense", "dilated"))
    assert dense.kernels == ((3, 1), (7, 1), (19, 1))
    assert dense.window == dilated.window == 27
    assert parameters(dense) - parameters(dilated) == (7 - 3 + 19 - 3) * 8 * 8


@pytest.mark.parametrize("causal", [False, True])
def test_dense_net_with_empty_gaps_is_the_dilated_net(causal: bool) -> None:
    dilated, dense = small(causal), small(causal, layout="dense")
    weights = dilated.state_dict()
    for name, wide in dense.state_dict().items():
        if wide.shape != weights[name].shape:
            step = (wide.shape[2] - 1) // (weights[name].shape[2] - 1)
            weights[name] = torch.zeros_like(wide).index_copy_(2, torch.arange(0, wide.shape[2], step), weights[name])
    dense.load_state_dict(weights)
    x = torch.randn(2, 40, 17, 2)
    torch.testing.assert_close(dense(x), dilated(x), atol=1e-6, rtol=0)


def test_dense_net_has_no_strided_form() -> None:
    with pytest.raises(ValueError, match="dense"):
        StridedTemporalNet(small(layout="dense"))


def test_trajectory_net_is_the_net_with_one_joint() -> None:
    torch.manual_seed(0)
    net = with_statistics(TemporalNet(TemporalConfig(joints_out=1, channels=24)))
    windows = torch.randn(4, net.config.window, 17, 2)
    assert net(windows).shape == (4, 1, 1, 3)
    torch.testing.assert_close(StridedTemporalNet(net)(windows), net(windows)[:, 0], atol=1e-6, rtol=0)
    assert parameters(TemporalConfig(joints_out=1)) == 8_555_571 - 16 * 3 * (1024 + 1)


def test_state_dict_names_are_the_published_ones() -> None:
    shapes = {name: tuple(t.shape) for name, t in TemporalNet(TemporalConfig(channels=8)).state_dict().items()}
    assert shapes["expand_conv.weight"] == (8, 34, 3)
    assert shapes["layers_conv.2.weight"] == (8, 8, 3)
    assert shapes["layers_conv.3.weight"] == (8, 8, 1)
    assert shapes["layers_bn.3.running_var"] == (8,)
    assert shapes["shrink.weight"] == (51, 8, 1)
    assert shapes["shrink.bias"] == (51,)
    assert {name.split(".")[0] for name in shapes} == {
        "expand_conv", "expand_bn", "layers_conv", "layers_bn", "shrink"
    }  # fmt: skip


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("widths", [*FIELDS, (5, 3), (1, 3, 3)])
def test_strided_net_equals_dilated_net(causal: bool, widths: tuple[int, ...]) -> None:
    net = small(causal, widths)
    windows = torch.randn(4, net.config.receptive_field, 17, 2)
    with torch.no_grad():
        torch.testing.assert_close(StridedTemporalNet(net)(windows), net(windows)[:, 0], atol=1e-6, rtol=0)


def test_training_the_strided_net_trains_the_net_it_wraps() -> None:
    net = small()
    StridedTemporalNet(net)(torch.randn(4, 27, 17, 2)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())


def test_strided_net_refuses_other_lengths() -> None:
    with pytest.raises(ValueError, match="expected 27"):
        StridedTemporalNet(small())(torch.randn(1, 30, 17, 2))


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("widths", [*FIELDS, (5, 3), (1, 3, 3)])
def test_output_sees_its_receptive_field_and_nothing_else(
    causal: bool, layout: Literal["dilated", "dense"], widths: tuple[int, ...]
) -> None:
    net = small(causal, widths, layout)
    before, after = net.config.padding
    x = torch.randn(1, net.config.window + 9, 17, 2, requires_grad=True)
    frame = before + 5
    net(x)[0, frame - before].abs().sum().backward()
    assert x.grad is not None
    touched = x.grad[0].abs().sum((1, 2)).nonzero().flatten().tolist()
    assert touched == list(range(frame - before, frame + after + 1))
    assert after == (0 if causal else net.config.window // 2)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_causal_net_ignores_the_future(layout: Literal["dilated", "dense"]) -> None:
    net, x = small(True, layout=layout), torch.randn(1, 60, 17, 2)
    now = 40
    changed = torch.cat([x[:, : now + 1], torch.randn(1, 19, 17, 2)], 1)
    answers = now + 1 - net.config.first_output
    assert torch.equal(net(x)[:, :answers], net(changed)[:, :answers])
    assert not torch.equal(net(x)[:, answers], net(changed)[:, answers])


def test_padding_gives_an_output_for_every_frame() -> None:
    for causal in (False, True):
        net = small(causal)
        before, after = net.config.padding
        x = torch.nn.functional.pad(torch.randn(1, 34, 5), (before, after), mode="replicate")
        assert net(x.transpose(1, 2).unflatten(2, (17, 2))).shape == (1, 5, 17, 3)
