"""Dilated temporal convolutions over keypoints (Pavllo et al. 2019, section 3).

The parameters carry the names of the published checkpoints, so that their tensors fit as they are.
"""

from dataclasses import dataclass
from itertools import accumulate
from math import prod
from operator import mul
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn


@dataclass(frozen=True)
class TemporalConfig:
    """Shape of the network.

    ``widths`` are the kernel sizes, stem first; dilation grows by each of them. ``causal`` puts the predicted frame at
    the end of the receptive field instead of its centre. ``layout`` "dense" is the ablation that fills the gaps between
    the taps of every dilated kernel: the same receptive field and many more parameters. With ``joints_out`` 1 the same
    network gives a trajectory.
    """

    joints_in: int = 17
    features_in: int = 2
    joints_out: int = 17
    widths: tuple[int, ...] = (3, 3, 3)
    channels: int = 1024
    dropout: float = 0.25
    causal: bool = False
    layout: Literal["dilated", "dense"] = "dilated"

    @property
    def receptive_field(self) -> int:
        """Frames that one output frame sees."""
        return prod(self.widths)

    @property
    def dilations(self) -> tuple[int, ...]:
        """Dilation of the stem (1) and of every block."""
        return tuple(accumulate(self.widths[:-1], mul, initial=1))

    @property
    def kernels(self) -> tuple[tuple[int, int], ...]:
        """Width and dilation of the kernel that every layer has, stem first."""
        dilated = tuple(zip(self.widths, self.dilations, strict=True))
        dense = tuple(((width - 1) * dilation + 1, 1) for width, dilation in dilated)
        return {"dilated": dilated, "dense": dense}[self.layout]

    @property
    def padding(self) -> tuple[int, int]:
        """Frames to repeat before and after a sequence so that every frame gets an output."""
        before = self.receptive_field - 1 if self.causal else self.receptive_field // 2
        return before, self.receptive_field - 1 - before

    @property
    def window(self) -> int:
        """Frames that the network takes at a time."""
        return self.receptive_field

    @property
    def outputs(self) -> int:
        """Consecutive frames of a window that it answers."""
        return 1

    @property
    def first(self) -> int:
        """Index in the window of the first frame that it answers."""
        return self.padding[0]

    def tap(self, width: int) -> int:
        """Which of a kernel's ``width`` inputs is the frame that the residual path carries on."""
        return width - 1 if self.causal else width // 2


class TemporalNet(nn.Module):
    """Keypoint sequences to pose sequences: one output for each full receptive field in the input."""

    def __init__(self, config: TemporalConfig) -> None:
        super().__init__()
        self.config = config
        c = config.channels
        (stem, _), *blocks = config.kernels
        self.expand_conv = nn.Conv1d(config.joints_in * config.features_in, c, stem, bias=False)
        self.expand_bn = nn.BatchNorm1d(c)
        self.layers_conv = nn.ModuleList()
        self.layers_bn = nn.ModuleList(nn.BatchNorm1d(c) for _ in range(2 * len(blocks)))
        for width, dilation in blocks:
            self.layers_conv.append(nn.Conv1d(c, c, width, dilation=dilation, bias=False))
            self.layers_conv.append(nn.Conv1d(c, c, 1, bias=False))
        self.shrink = nn.Conv1d(c, 3 * config.joints_out, 1)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, keypoints: Float[Tensor, "B T J F"]) -> Float[Tensor, "B S K 3"]:
        """S = T − receptive field + 1 output frames; the valid convolutions consume the rest."""
        x = self._activate(self.expand_bn, self.expand_conv(keypoints.flatten(2).transpose(1, 2)))
        for i, (width, dilation) in enumerate(self.config.kernels[1:]):
            before = self.config.tap(width) * dilation
            carried = x[:, :, before : x.shape[2] - (width - 1) * dilation + before]
            x = self._activate(self.layers_bn[2 * i], self.layers_conv[2 * i](x))
            x = carried + self._activate(self.layers_bn[2 * i + 1], self.layers_conv[2 * i + 1](x))
        return self.shrink(x).transpose(1, 2).unflatten(2, (self.config.joints_out, 3))

    def _activate(self, norm: nn.Module, x: Tensor) -> Tensor:
        return self.drop(torch.relu(norm(x)))


class StridedTwin(nn.Module):
    """The same network, parameters shared, for windows of exactly one receptive field.

    Strides replace dilations, so only the activations that reach the one output are computed, and every convolution
    becomes a plain matrix product. Raises ``ValueError`` for a dense net, whose every activation reaches the output.
    """

    def __init__(self, net: TemporalNet) -> None:
        super().__init__()
        if net.config.layout != "dilated":
            raise ValueError(f"A {net.config.layout} net has no strided twin; run it as it is.")
        self.net = net

    def forward(self, windows: Float[Tensor, "B R J F"]) -> Float[Tensor, "B K 3"]:
        """One pose a window. R must be the receptive field."""
        net, config = self.net, self.net.config
        if windows.shape[1] != config.receptive_field:
            raise ValueError(f"Windows of {windows.shape[1]} frames, expected {config.receptive_field}.")
        x = net._activate(net.expand_bn, _strided(net.expand_conv, windows.flatten(2).flatten(0, 1)))
        for i, width in enumerate(config.widths[1:]):
            carried = x.unflatten(0, (-1, width))[:, config.tap(width)]
            x = net._activate(net.layers_bn[2 * i], _strided(net.layers_conv[2 * i], x))
            x = carried + net._activate(net.layers_bn[2 * i + 1], _strided(net.layers_conv[2 * i + 1], x))
        return nn.functional.linear(x, net.shrink.weight[:, :, 0], net.shrink.bias).unflatten(1, (-1, 3))


def _strided(conv: nn.Module, x: Float[Tensor, "N C"]) -> Float[Tensor, "M D"]:
    """A convolution whose stride is its kernel size, frames in rows: M = N / kernel size."""
    weight = conv.weight  # (D, C, w)
    assert isinstance(weight, Tensor)
    # The frames take the order of the weights: turning the weights costs more, most of all in a single window.
    rows = x.unflatten(0, (-1, weight.shape[2])).transpose(1, 2).flatten(1)
    return nn.functional.linear(rows, weight.flatten(1))
