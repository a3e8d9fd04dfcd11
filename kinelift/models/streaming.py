"""Frame-by-frame inference with a causal network. Layers cache their inputs, so each activation is computed once."""

from collections import deque
from copy import copy, deepcopy
from itertools import chain

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear
from torch.nn.utils.fusion import fuse_conv_bn_eval

from kinelift.models.temporal import TemporalNet


class CausalityError(ValueError):
    """The network needs future frames."""


class TemporalStream:
    """Poses frame by frame, equal to the network's output on the complete clip padded with its first frame.

    Args:
        net: The network whose weights are copied. Later changes to it have no effect.

    Raises:
        CausalityError: ``net`` is not causal.
    """

    def __init__(self, net: TemporalNet) -> None:
        if not net.config.causal:
            after = net.config.padding[1]
            raise CausalityError(f"This network looks {after} frames ahead. A stream needs one with causal=True.")
        self.config = net.config
        (_, stem), *blocks = net.config.kernels
        self._stem = _Layer(net.expand_conv, net.expand_bn, stem)
        self._blocks = [
            (
                _Layer(net.layers_conv[2 * i], net.layers_bn[2 * i], dilation),
                _Layer(net.layers_conv[2 * i + 1], net.layers_bn[2 * i + 1]),
            )
            for i, (_, dilation) in enumerate(blocks)
        ]
        self._shrink = deepcopy(net.shrink)

    @torch.no_grad()
    def push(self, frame: Float[Tensor, "B J F"]) -> Float[Tensor, "B K 3"]:
        """Process the next frame of B people. B must not change between resets."""
        x = self._stem(frame.flatten(1).clone())
        for wide, pointwise in self._blocks:
            x = x + pointwise(wide(x))
        poses: Tensor = self._shrink(x[:, :, None])[:, :, 0].unflatten(1, (self.config.joints_out, 3))
        return poses

    def fresh(self) -> "TemporalStream":
        """A stream without frames that shares the weights of this one."""
        other = copy(self)
        other._stem = self._stem.fresh()
        other._blocks = [(wide.fresh(), pointwise.fresh()) for wide, pointwise in self._blocks]
        return other

    def reset(self) -> None:
        """Clear all cached frames; the next one starts a new clip."""
        for layer in (self._stem, *chain.from_iterable(self._blocks)):
            layer.reset()


class _Layer:
    """Convolution, normalisation and ReLU of one frame, with a cache of the earlier inputs that it needs."""

    def __init__(self, conv: nn.Module, norm: nn.Module, dilation: int = 1) -> None:
        assert isinstance(conv, nn.Conv1d)
        assert isinstance(norm, nn.BatchNorm1d)
        fused = fuse_conv_bn_eval(deepcopy(conv).eval(), deepcopy(norm).eval())
        assert fused.bias is not None
        self.bias = fused.bias.detach()
        self.weight = fused.weight.detach().transpose(1, 2).flatten(1)  # (D, w·C), oldest tap first
        self.dilation = dilation
        self.past: deque[Tensor] = deque(maxlen=(conv.kernel_size[0] - 1) * dilation + 1)

    def __call__(self, x: Float[Tensor, "B C"]) -> Float[Tensor, "B D"]:
        length = self.past.maxlen or 1
        self.past.extend([x] if self.past else [x] * length)
        taps = [self.past[i] for i in range(0, length, self.dilation)]
        return torch.relu(linear(torch.cat(taps, 1), self.weight, self.bias))

    def fresh(self) -> "_Layer":
        other = copy(self)
        other.past = deque(maxlen=self.past.maxlen)
        return other

    def reset(self) -> None:
        self.past.clear()
