"""Dilated temporal convolutions over keypoints (Pavllo et al. 2019, section 3).

Parameters have the names of the published checkpoints, so those load unchanged.
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
    """Architecture of a ``TemporalNet``.

    Attributes:
        joints_in: Joints of the input.
        features_in: Numbers per input joint.
        joints_out: Joints of the output; 1 for a trajectory network.
        widths: Kernel sizes, stem first. Each one multiplies the dilation of the next layer.
        channels: Channels of the hidden layers.
        dropout: Dropout probability.
        causal: Put the predicted frame at the end of the receptive field instead of its centre.
        layout: ``"dense"`` is the paper's ablation: it fills the gaps between the taps of every dilated kernel, which
            keeps the receptive field and adds many parameters.
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
        """Input frames that one output frame depends on."""
        return prod(self.widths)

    @property
    def dilations(self) -> tuple[int, ...]:
        """Dilation of the stem (1) and of each block."""
        return tuple(accumulate(self.widths[:-1], mul, initial=1))

    @property
    def kernels(self) -> tuple[tuple[int, int], ...]:
        """Width and dilation of each layer's kernel, stem first."""
        dilated = tuple(zip(self.widths, self.dilations, strict=True))
        dense = tuple(((width - 1) * dilation + 1, 1) for width, dilation in dilated)
        return {"dilated": dilated, "dense": dense}[self.layout]

    @property
    def padding(self) -> tuple[int, int]:
        """Frames to pad before and after a sequence so that every frame gets an output."""
        before = self.receptive_field - 1 if self.causal else self.receptive_field // 2
        return before, self.receptive_field - 1 - before

    @property
    def window(self) -> int:
        """Frames in one input window."""
        return self.receptive_field

    @property
    def outputs(self) -> int:
        """Consecutive output frames per window."""
        return 1

    @property
    def first_output(self) -> int:
        """Index in the window of the first output frame."""
        return self.padding[0]

    def residual_tap(self, width: int) -> int:
        """Index, among the ``width`` taps of a kernel, of the frame that the residual connection carries."""
        return width - 1 if self.causal else width // 2


class TemporalNet(nn.Module):
    """Network from keypoint sequences to pose sequences, one output per full receptive field in the input."""

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
        """Compute S = T − receptive field + 1 output frames; the convolutions are unpadded."""
        x = self._activate(self.expand_bn, self.expand_conv(keypoints.flatten(2).transpose(1, 2)))
        for i, (width, dilation) in enumerate(self.config.kernels[1:]):
            offset = self.config.residual_tap(width) * dilation
            residual = x[:, :, offset : x.shape[2] - (width - 1) * dilation + offset]
            x = self._activate(self.layers_bn[2 * i], self.layers_conv[2 * i](x))
            x = residual + self._activate(self.layers_bn[2 * i + 1], self.layers_conv[2 * i + 1](x))
        poses: Tensor = self.shrink(x).transpose(1, 2).unflatten(2, (self.config.joints_out, 3))
        return poses

    def _activate(self, norm: nn.Module, x: Tensor) -> Tensor:
        activated: Tensor = self.drop(torch.relu(norm(x)))
        return activated


class StridedTemporalNet(nn.Module):
    """A view of a ``TemporalNet``, sharing its parameters, for windows of exactly one receptive field.

    Strides replace dilations: only activations that reach the single output are computed, and every convolution becomes
    a plain matrix product, as in ``TemporalModelOptimized1f`` of the published code.

    Raises:
        ValueError: ``net`` has the dense layout, in which every activation reaches the output.
    """

    def __init__(self, net: TemporalNet) -> None:
        super().__init__()
        if net.config.layout != "dilated":
            raise ValueError(f"A {net.config.layout} network has no strided form. Run the network itself.")
        self.net = net

    def forward(self, windows: Float[Tensor, "B R J F"]) -> Float[Tensor, "B K 3"]:
        """Compute one pose per window.

        Raises:
            ValueError: R is not the receptive field.
        """
        net, config = self.net, self.net.config
        if windows.shape[1] != config.receptive_field:
            raise ValueError(f"The windows have {windows.shape[1]} frames, expected {config.receptive_field}.")
        x = net._activate(net.expand_bn, _strided(net.expand_conv, windows.flatten(2).flatten(0, 1)))
        for i, width in enumerate(config.widths[1:]):
            residual = x.unflatten(0, (-1, width))[:, config.residual_tap(width)]
            x = net._activate(net.layers_bn[2 * i], _strided(net.layers_conv[2 * i], x))
            x = residual + net._activate(net.layers_bn[2 * i + 1], _strided(net.layers_conv[2 * i + 1], x))
        coordinates = nn.functional.linear(x, net.shrink.weight.squeeze(2), net.shrink.bias)
        poses: Tensor = coordinates.unflatten(1, (-1, 3))
        return poses


def _strided(conv: nn.Module, x: Float[Tensor, "N C"]) -> Float[Tensor, "M D"]:
    """Convolve rows of frames with a stride equal to the kernel size: M = N / kernel size."""
    weight = conv.weight  # (D, C, w)
    assert isinstance(weight, Tensor)
    # Reordering the frames to match the weights is cheaper than the reverse, most of all for a single window.
    rows = x.unflatten(0, (-1, weight.shape[2])).transpose(1, 2).flatten(1)
    return nn.functional.linear(rows, weight.flatten(1))
