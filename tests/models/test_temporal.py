import pytest
import torch

from models.temporal import StridedTwin, TemporalConfig, TemporalNet

PUBLISHED = [((3, 3, 3), 27, 8_555_571), ((3, 3, 3, 3), 81, 12_753_971), ((3, 3, 3, 3, 3), 243, 16_952_371)]


def small(causal: bool = False, widths: tuple[int, ...] = (3, 3, 3)) -> TemporalNet:
    torch.manual_seed(0)
    net = TemporalNet(TemporalConfig(channels=24, widths=widths, causal=causal)).eval()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return net


@pytest.mark.parametrize(("widths", "frames", "parameters"), PUBLISHED)
def test_published_sizes(widths: tuple[int, ...], frames: int, parameters: int) -> None:
    config = TemporalConfig(widths=widths, channels=1024)
    assert config.receptive_field == frames
    with torch.device("meta"):
        assert sum(p.numel() for p in TemporalNet(config).parameters()) == parameters


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
@pytest.mark.parametrize("widths", [(3, 3, 3), (5, 3), (1, 3, 3)])
def test_strided_twin_equals_dilated_net(causal: bool, widths: tuple[int, ...]) -> None:
    net = small(causal, widths)
    windows = torch.randn(4, net.config.receptive_field, 17, 2)
    with torch.no_grad():
        torch.testing.assert_close(StridedTwin(net)(windows), net(windows)[:, 0], atol=1e-6, rtol=0)


def test_twin_trains_the_net_it_wraps() -> None:
    net = small()
    StridedTwin(net)(torch.randn(4, 27, 17, 2)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())


def test_twin_refuses_other_lengths() -> None:
    with pytest.raises(ValueError, match="expected 27"):
        StridedTwin(small())(torch.randn(1, 30, 17, 2))


@pytest.mark.parametrize("causal", [False, True])
def test_output_sees_its_receptive_field_and_nothing_else(causal: bool) -> None:
    net = small(causal)
    before, after = net.config.padding
    x = torch.randn(1, 80, 17, 2, requires_grad=True)
    frame = 40
    net(x)[0, frame - before].abs().sum().backward()
    assert x.grad is not None
    touched = x.grad[0].abs().sum((1, 2)).nonzero().flatten().tolist()
    assert touched == list(range(frame - before, frame + after + 1))
    assert after == (0 if causal else 13)


def test_padding_gives_an_output_for_every_frame() -> None:
    for causal in (False, True):
        net = small(causal)
        before, after = net.config.padding
        x = torch.nn.functional.pad(torch.randn(1, 34, 5), (before, after), mode="replicate")
        assert net(x.transpose(1, 2).unflatten(2, (17, 2))).shape == (1, 5, 17, 3)
