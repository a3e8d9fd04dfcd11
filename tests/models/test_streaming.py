import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kinelift.models.streaming import CausalityError, TemporalStream
from kinelift.models.temporal import TemporalConfig, TemporalNet
from tests.models.test_temporal import FIELDS, LAYOUTS, small, with_statistics


def streamed(stream: TemporalStream, clip: torch.Tensor) -> torch.Tensor:
    return torch.stack([stream.push(frame) for frame in clip.unbind(1)], 1)


def full_clip(net: TemporalNet, clip: torch.Tensor) -> torch.Tensor:
    """Compute the pose of every frame from the complete clip, the first frame repeated to the left."""
    with torch.no_grad():
        return net(torch.cat([clip[:, :1].expand(-1, net.config.first_output, -1, -1), clip], 1))


@settings(max_examples=20)
@given(
    widths=st.sampled_from([*FIELDS, (5, 3), (1, 3, 3)]),
    layout=st.sampled_from(LAYOUTS),
    seed=st.integers(0, 999),
    frames=st.integers(1, 40),
    people=st.integers(1, 3),
)
def test_stream_equals_the_whole_clip(widths, layout, seed: int, frames: int, people: int) -> None:
    torch.manual_seed(seed)
    config = TemporalConfig(13, 3, 15, widths, channels=16, causal=True, layout=layout)
    net, clip = with_statistics(TemporalNet(config)), torch.randn(people, frames, 13, 3)
    torch.testing.assert_close(streamed(TemporalStream(net), clip), full_clip(net, clip), atol=1e-5, rtol=0)


@pytest.mark.parametrize("widths", FIELDS)
def test_stream_equals_the_whole_clip_beyond_the_receptive_field(widths: tuple[int, ...]) -> None:
    net = small(True, widths)
    clip = torch.randn(1, net.config.window + 20, 17, 2)
    torch.testing.assert_close(streamed(TemporalStream(net), clip), full_clip(net, clip), atol=1e-5, rtol=0)


def test_reset_forgets() -> None:
    net, clip = small(True), torch.randn(2, 12, 17, 2)
    stream = TemporalStream(net)
    streamed(stream, torch.randn(3, 30, 17, 2))
    stream.reset()
    assert torch.equal(streamed(stream, clip), streamed(TemporalStream(net), clip))


def test_a_frame_may_be_overwritten_once_pushed() -> None:
    net, clip = small(True), torch.randn(1, 12, 17, 2)
    stream, frame = TemporalStream(net), torch.empty(1, 17, 2)
    answers = torch.stack([stream.push(frame.copy_(each)) for each in clip.unbind(1)], 1)
    torch.testing.assert_close(answers, full_clip(net, clip), atol=1e-5, rtol=0)


def test_stream_keeps_the_weights_it_was_made_with() -> None:
    net, clip = small(True), torch.randn(1, 12, 17, 2)
    expected, stream = full_clip(net, clip), TemporalStream(net.train())
    assert net.training and net.expand_bn.training
    for parameter in net.parameters():
        torch.nn.init.zeros_(parameter)
    torch.testing.assert_close(streamed(stream, clip), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("widths", FIELDS)
def test_memory_is_bounded_by_the_receptive_field(widths: tuple[int, ...]) -> None:
    net = small(True, widths)
    stream = TemporalStream(net)
    streamed(stream, torch.randn(1, net.config.window + 20, 17, 2))
    layers = [stream._stem, *(wide for wide, _ in stream._blocks)]
    assert sum(len(layer.past) - 1 for layer in layers) == net.config.window - 1


def test_symmetric_net_is_refused() -> None:
    with pytest.raises(CausalityError, match="13 frames ahead"):
        TemporalStream(small())
