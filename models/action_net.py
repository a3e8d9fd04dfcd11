"""A small convolutional classifier of motion images, built from a genotype."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from models.cell import Cell
from models.genotype import HAND_CHOSEN, Genotype


@dataclass(frozen=True)
class ActionNetConfig:
    """What an ``ActionNet`` is made of.

    ``stages`` resolutions with ``cells`` normal cells each and a reduction cell between two stages; ``channels`` per
    node in the first stage, doubled at each reduction; ``stem_stride`` 2 halves the picture before the first cell
    (four times faster). ``auxiliary`` adds a second classifier after the middle cell.
    """

    classes: int
    genotype: Genotype = HAND_CHOSEN
    channels: int = 16
    stages: int = 3
    cells: int = 1
    stem_stride: int = 2
    dropout: float = 0.3
    auxiliary: bool = False


class ActionNet(nn.Module):
    """Motion image (B, 3, H, W), values about −1…1 → one logit a class.

    H and W are multiples of stem_stride · 2^(stages − 1).
    """

    def __init__(self, config: ActionNetConfig) -> None:
        super().__init__()
        self.config = config
        stem = 3 * config.channels
        self.stem = nn.Sequential(nn.Conv2d(3, stem, 3, config.stem_stride, 1, bias=False), nn.BatchNorm2d(stem))
        self.cells = nn.ModuleList(_cells(config, stem))
        widths = [cell.outputs for cell in self.cells if isinstance(cell, Cell)]
        self.head = _Head(widths[-1], config.classes, config.dropout)
        self.middle = len(widths) // 2
        self.auxiliary = _Head(widths[self.middle], config.classes, config.dropout) if config.auxiliary else None

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


class _Head(nn.Module):
    def __init__(self, inputs: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(inputs, classes)
        )

    def forward(self, features: Tensor) -> Tensor:
        return self.layers(features)


def _cells(config: ActionNetConfig, stem: int) -> list[Cell]:
    """Stages of normal cells, joined by reduction cells."""
    cells: list[Cell] = []
    inputs, rescale, channels = (stem, stem), 1, config.channels
    for stage in range(config.stages):
        kinds = [1] * config.cells if stage == 0 else [2, *[1] * config.cells]
        channels = config.channels * 2**stage
        for stride in kinds:
            nodes = config.genotype.normal if stride == 1 else config.genotype.reduction
            cell = Cell(nodes, inputs, channels, stride, rescale)
            inputs, rescale = (inputs[1], cell.outputs), stride
            cells.append(cell)
    return cells
