"""A small convolutional classifier of motion images, built from a genotype."""

from dataclasses import dataclass
from math import prod

from jaxtyping import Float
from torch import Tensor, nn

from kinelift.models.enas.cell import Cell
from kinelift.models.enas.genotype import HAND_CHOSEN, Genotype


@dataclass(frozen=True)
class ActionNetConfig:
    """What an ``ActionNet`` is made of.

    ``stages`` resolutions with ``cells`` normal cells each and a reduction cell between two stages; ``channels`` per
    node in the first stage, doubled at each reduction; ``stem_stride`` 2 halves the picture before the first cell
    (four times faster). ``auxiliary`` adds a second classifier after the middle cell. In training, ``dropout`` acts
    before the classifiers and ``drop_path`` on the edges of the cells. The classifiers see the mean of the picture, or
    of each part of a ``grid`` of rows and columns: rows of a motion image are joints, columns are time. ``normalise``
    puts a batch norm behind every node: cells found by a search differ in scale.
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
    """Motion image (B, 3, H, W), values about −1…1 → one logit a class.

    H and W are multiples of stem_stride · 2^(stages − 1).
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
        """Logits of the main classifier."""
        return self.head(self._features(images)[-1])

    def heads(self, images: Float[Tensor, "B 3 H W"]) -> tuple[Float[Tensor, "B K"], ...]:
        """Logits of every classifier, the main one first: training adds up their losses."""
        features = self._features(images)
        main = self.head(features[-1])
        return (main,) if self.auxiliary is None else (main, self.auxiliary(features[self.middle]))

    def _features(self, images: Tensor) -> list[Tensor]:
        before = last = self.stem(images)
        features = []
        for cell in self.cells:
            before, last = last, cell(before, last)
            features.append(last)
        return features


class Head(nn.Module):
    """Features (B, C, H, W) → one logit a class."""

    def __init__(self, inputs: int, classes: int, dropout: float, grid: tuple[int, int]) -> None:
        super().__init__()
        self.layers = nn.Sequential(*pooling(dropout, grid), nn.Linear(inputs * prod(grid), classes))

    def forward(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B K"]:
        """Logits."""
        return self.layers(features)


def pooling(dropout: float, grid: tuple[int, int]) -> list[nn.Module]:
    """The layers of a head before its linear one: channel by channel, the means of the parts of the grid."""
    return [nn.ReLU(), nn.AdaptiveAvgPool2d(grid), nn.Flatten(), nn.Dropout(dropout)]


@dataclass(frozen=True)
class CellPlan:
    """One cell of a network: channels a node, stride, and how much finer its first input is than its second."""

    channels: int
    stride: int
    rescale: int


def layout(config: ActionNetConfig) -> list[CellPlan]:
    """Stages of normal cells (stride 1), joined by reduction cells (stride 2)."""
    plans, rescale = [], 1
    for stage in range(config.stages):
        for stride in [1] * config.cells if stage == 0 else [2, *[1] * config.cells]:
            plans.append(CellPlan(config.channels * 2**stage, stride, rescale))
            rescale = stride
    return plans


def stem(config: ActionNetConfig) -> tuple[nn.Sequential, int]:
    """The layers before the first cell, and how many channels come out of them."""
    channels = 3 * config.channels
    convolution = nn.Conv2d(3, channels, 3, config.stem_stride, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(channels)), channels


def _cells(config: ActionNetConfig, stem: int) -> list[Cell]:
    cells: list[Cell] = []
    inputs = (stem, stem)
    for plan in layout(config):
        nodes = config.genotype.normal if plan.stride == 1 else config.genotype.reduction
        cell = Cell(nodes, inputs, plan.channels, plan.stride, plan.rescale, config.drop_path, config.normalise)
        inputs = (inputs[1], cell.outputs)
        cells.append(cell)
    return cells
