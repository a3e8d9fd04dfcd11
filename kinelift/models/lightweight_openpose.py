"""Lightweight OpenPose: keypoint heat maps and part affinity fields from an image (Osokin 2018).

A MobileNet with dilation instead of its last strides, a narrow bridge, and stages that each refine the output of the
previous one (Cao et al. 2017). Parameters have the names of the published checkpoint, so it loads unchanged.
"""

from dataclasses import dataclass
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor, nn

Fields: TypeAlias = tuple[Float[Tensor, "B M h w"], Float[Tensor, "B F h w"]]
"""Heat maps and part affinity fields of one stage."""

_BACKBONE = 512
_HIDDEN = 512


@dataclass(frozen=True)
class LightweightOpenPoseConfig:
    """Architecture of a ``LightweightOpenPose``.

    Attributes:
        refinements: Stages after the first.
        width: Channels of every stage.
        heatmaps: One per keypoint and one for the background.
        fields: An x and a y component per limb.
    """

    refinements: int = 1
    width: int = 128
    heatmaps: int = 19
    fields: int = 38

    @property
    def stride(self) -> int:
        """Input pixels per output cell, along each axis."""
        return 8


class LightweightOpenPose(nn.Module):
    """Network from images to the heat maps and fields of every stage; the last stage is the best."""

    def __init__(self, config: LightweightOpenPoseConfig) -> None:
        super().__init__()
        self.config = config
        outputs = config.heatmaps + config.fields
        self.model = _backbone()
        self.cpm = _Bridge(_BACKBONE, config.width)
        self.initial_stage = _InitialStage(config)
        self.refinement_stages = nn.ModuleList(
            _RefinementStage(config, config.width + outputs) for _ in range(config.refinements)
        )

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> list[Fields]:
        """Compute the maps of every stage.

        Args:
            images: BGR as (value - 128) / 256.

        Returns:
            Heat maps and fields per stage, with h = H / 8 and w = W / 8, rounded up.
        """
        features = self.cpm(self.model(images))
        stages = [self.initial_stage(features)]
        for stage in self.refinement_stages:
            stages.append(stage(torch.cat([features, *stages[-1]], dim=1)))
        return stages


class _Bridge(nn.Module):
    """Reduces the backbone's channels to those of the stages."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.align = _convolution(inputs, width, kernel=1, norm=False)
        self.trunk = nn.Sequential(*(_plain_separable(width) for _ in range(3)))
        self.conv = _convolution(width, width, norm=False)

    def forward(self, x: Float[Tensor, "B C h w"]) -> Float[Tensor, "B D h w"]:
        x = self.align(x)
        out: Tensor = self.conv(x + self.trunk(x))
        return out


class _Stage(nn.Module):
    """A trunk with one head for heat maps and one for fields."""

    def __init__(self, config: LightweightOpenPoseConfig, trunk: nn.Sequential, hidden: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.heatmaps = _head(config.width, hidden, config.heatmaps)
        self.pafs = _head(config.width, hidden, config.fields)

    def forward(self, x: Float[Tensor, "B C h w"]) -> Fields:
        x = self.trunk(x)
        return self.heatmaps(x), self.pafs(x)


class _InitialStage(_Stage):
    """The first stage, whose input is the features alone."""

    def __init__(self, config: LightweightOpenPoseConfig) -> None:
        trunk = (_convolution(config.width, config.width, norm=False) for _ in range(3))
        super().__init__(config, nn.Sequential(*trunk), _HIDDEN)


class _RefinementStage(_Stage):
    """A stage whose input is the features and the previous stage's output. A block replaces one 7 × 7 convolution."""

    def __init__(self, config: LightweightOpenPoseConfig, inputs: int) -> None:
        widths = [inputs, *[config.width] * 4]
        trunk = (_RefinementBlock(width, config.width) for width in widths)
        super().__init__(config, nn.Sequential(*trunk), config.width)


class _RefinementBlock(nn.Module):
    """Two 3 × 3 convolutions, the second dilated, with a residual connection."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.initial = _convolution(inputs, width, kernel=1, norm=False)
        self.trunk = nn.Sequential(_convolution(width, width), _convolution(width, width, dilation=2))

    def forward(self, x: Float[Tensor, "B C h w"]) -> Float[Tensor, "B D h w"]:
        x = self.initial(x)
        residual: Tensor = self.trunk(x)
        return x + residual


def _backbone() -> nn.Sequential:
    """Build MobileNet's first twelve layers: (B, 3, H, W) → (B, 512, H / 8, W / 8)."""
    return nn.Sequential(
        _convolution(3, 32, stride=2, bias=False),
        _separable(32, 64),
        _separable(64, 128, stride=2),
        _separable(128, 128),
        _separable(128, 256, stride=2),
        _separable(256, 256),
        _separable(256, _BACKBONE),
        _separable(_BACKBONE, _BACKBONE, dilation=2),
        *(_separable(_BACKBONE, _BACKBONE) for _ in range(4)),
    )


def _head(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        _convolution(inputs, hidden, kernel=1, norm=False), nn.Sequential(nn.Conv2d(hidden, outputs, 1))
    )


def _convolution(
    inputs: int,
    outputs: int,
    *,
    kernel: int = 3,
    stride: int = 1,
    dilation: int = 1,
    bias: bool = True,
    norm: bool = True,
) -> nn.Sequential:
    """Build a padded convolution, optional batch normalisation, and ReLU."""
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, dilation * (kernel // 2), dilation, bias=bias)
    norms = [nn.BatchNorm2d(outputs)] if norm else []
    return nn.Sequential(convolution, *norms, nn.ReLU(inplace=True))


def _separable(inputs: int, outputs: int, *, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    """Build a depthwise separable convolution with batch normalisation."""
    return nn.Sequential(
        _depthwise(inputs, stride, dilation),
        nn.BatchNorm2d(inputs),
        nn.ReLU(inplace=True),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def _plain_separable(width: int) -> nn.Sequential:
    """Build a depthwise separable convolution without normalisation, for the bridge."""
    pointwise = nn.Conv2d(width, width, 1, bias=False)
    return nn.Sequential(_depthwise(width), nn.ELU(inplace=True), pointwise, nn.ELU(inplace=True))


def _depthwise(channels: int, stride: int = 1, dilation: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels, channels, 3, stride, dilation, dilation, groups=channels, bias=False)
