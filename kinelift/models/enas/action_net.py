"""A small convolutional classifier of motion images, built from a genotype."""

from dataclasses import dataclass
from math import prod

from jaxtyping import Float
from torch import Tensor, nn

from kinelift.models.enas.cell import Cell
from kinelift.models.enas.genotype import HAND_CHOSEN, Genotype

_LIMITS = {
    "classes": (1, 65_536), "channels": (1, 65_536), "stages": (1, 16), "cells": (0, 64), "stem_stride": (1, 8),
    "dropout": (0, 1), "drop_path": (0, 1), "grid": (1, 64),
}  # fmt: skip
"""The least and the most of each size in a config, so that a damaged one is not built without end."""


class Limited:
    """Base of the configs of both search spaces: refuses sizes that no network of this kind has.

    Raises:
        ValueError: A size is out of range.
    """

    def __post_init__(self) -> None:
        for name, (least, most) in _LIMITS.items():
            value = getattr(self, name, least)
            if not all(least <= size <= most for size in (value if isinstance(value, tuple) else (value,))):
                raise ValueError(f"{name} is {value}, expected {least} to {most}")


@dataclass(frozen=True)
class ActionNetConfig(Limited):
    """Architecture of an ``ActionNet``.

    Attributes:
        classes: Number of classes.
        genotype: The normal cell and the reduction cell.
        channels: Channels per node in the first stage; they double at each reduction.
        stages: Number of resolutions, with a reduction cell between two stages.
        cells: Normal cells per stage.
        stem_stride: 2 halves the image before the first cell, which is four times faster.
        dropout: Dropout probability before the classifiers.
        auxiliary: Add a second classifier after the middle cell.
        drop_path: Probability with which training drops an edge of a cell.
        grid: Rows and columns of the average pooling before the classifiers. Rows of a motion image are joints, columns
            are time.
        normalise: Apply batch normalisation to every node, because cells found by a search differ in scale.
    """

    classes: int
    genotype: Genotype = HAND_CHOSEN
    channels: int = 16
    stages: int = 3
    cells: int = 1
    stem_stride: int = 2
    dropout: float = 0.3
    auxiliary: bool = False
    drop_path: float = 0.0
    grid: tuple[int, int] = (1, 1)
    normalise: bool = False


class ActionNet(nn.Module):
    """Classifier of motion images (B, 3, H, W) with values of about −1 to 1.

    H and W must be multiples of stem_stride · 2^(stages − 1).
    """

    def __init__(self, config: ActionNetConfig) -> None:
        super().__init__()
        self.config = config
        self.stem, inputs = stem(config)
        self.cells = nn.ModuleList(_cells(config, inputs))
        widths = [cell.outputs for cell in self.cells if isinstance(cell, Cell)]
        self.head = Head(widths[-1], config.classes, config.dropout, config.grid)
        self.middle = len(widths) // 2
        self.auxiliary = None
        if config.auxiliary:
            self.auxiliary = Head(widths[self.middle], config.classes, config.dropout, config.grid)

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B K"]:
        """Compute the logits of the main classifier."""
        logits: Tensor = self.head(self._features(images)[-1])
        return logits

    def heads(self, images: Float[Tensor, "B 3 H W"]) -> tuple[Float[Tensor, "B K"], ...]:
        """Compute the logits of every classifier, the main one first. Training sums their losses."""
        features = self._features(images)
        main = self.head(features[-1])
        return (main,) if self.auxiliary is None else (main, self.auxiliary(features[self.middle]))

    def _features(self, images: Tensor) -> list[Tensor]:
        """Compute the output of every cell."""
        earlier = previous = self.stem(images)
        features = []
        for cell in self.cells:
            earlier, previous = previous, cell(earlier, previous)
            features.append(previous)
        return features


class Head(nn.Module):
    """Classifier head: features (B, C, H, W) → one logit per class."""

    def __init__(self, inputs: int, classes: int, dropout: float, grid: tuple[int, int]) -> None:
        super().__init__()
        self.layers = nn.Sequential(*pooling(dropout, grid), nn.Linear(inputs * prod(grid), classes))

    def forward(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B K"]:
        """Compute the logits."""
        logits: Tensor = self.layers(features)
        return logits


def pooling(dropout: float, grid: tuple[int, int]) -> list[nn.Module]:
    """Build the layers of a head before its linear one, which average each channel over the cells of the grid."""
    return [nn.ReLU(), nn.AdaptiveAvgPool2d(grid), nn.Flatten(), nn.Dropout(dropout)]


@dataclass(frozen=True)
class CellPlan:
    """One cell of a network: channels per node, stride, and how much finer its first input is than its second."""

    channels: int
    stride: int
    rescale: int


def plan_cells(config: ActionNetConfig) -> list[CellPlan]:
    """List the cells of a network: stages of normal cells (stride 1) joined by reduction cells (stride 2)."""
    plans, rescale = [], 1
    for stage in range(config.stages):
        for stride in [1] * config.cells if stage == 0 else [2, *[1] * config.cells]:
            plans.append(CellPlan(config.channels * 2**stage, stride, rescale))
            rescale = stride
    return plans


def stem(config: ActionNetConfig) -> tuple[nn.Sequential, int]:
    """Build the layers before the first cell, and return them with their number of output channels."""
    channels = 3 * config.channels
    convolution = nn.Conv2d(3, channels, 3, config.stem_stride, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(channels)), channels


def _cells(config: ActionNetConfig, stem: int) -> list[Cell]:
    cells: list[Cell] = []
    inputs = (stem, stem)
    for plan in plan_cells(config):
        nodes = config.genotype.normal if plan.stride == 1 else config.genotype.reduction
        cell = Cell(nodes, inputs, plan.channels, plan.stride, plan.rescale, config.drop_path, config.normalise)
        inputs = (inputs[1], cell.outputs)
        cells.append(cell)
    return cells
