"""The ENAS macro space: a chain of layers with skip connections (Pham H. et al., ICML 2018, section 2.3)."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from kinelift.models.enas.action_net import Head, Limited
from kinelift.models.enas.operations import DropPath, operation, pointwise

OPERATIONS = (
    "convolution-3x3",
    "convolution-5x5",
    "separable-3x3",
    "separable-5x5",
    "average-3x3",
    "maximum-3x3",
)
"""The operations that a layer can choose from."""


@dataclass(frozen=True)
class Layer:
    """An operation on the previous state. Layer n reads state n (0 is the stem) and adds the states in ``skips``."""

    operation: str
    skips: tuple[int, ...] = ()


@dataclass(frozen=True)
class MacroGenotype:
    """A network, layer by layer.

    Raises:
        ValueError: There is no layer, an operation is unknown, or a layer adds a state not before its input.
    """

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        if not self.layers:
            raise ValueError("A network needs at least one layer.")
        for number, layer in enumerate(self.layers):
            if layer.operation not in OPERATIONS:
                raise ValueError(f"Unknown operation {layer.operation!r}. Known: {', '.join(OPERATIONS)}.")
            if not set(layer.skips) <= set(range(number)) or len(set(layer.skips)) < len(layer.skips):
                raise ValueError(f"Layer {number} adds states {layer.skips}; it can add each one below {number} once.")

    def to_json(self) -> str:
        """Write the genotype as JSON; ``from_json`` is the inverse."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> "MacroGenotype":
        """Read what ``to_json`` wrote."""
        return MacroGenotype.from_mapping(json.loads(text))

    @staticmethod
    def from_mapping(values: Mapping[str, Any]) -> "MacroGenotype":
        """Rebuild a genotype from what ``dataclasses.asdict`` made of it."""
        return MacroGenotype(tuple(Layer(each["operation"], tuple(each["skips"])) for each in values["layers"]))


PLAIN = MacroGenotype((Layer("separable-3x3"),) * 6)
"""Six separable convolutions in a row, without skip connections."""


@dataclass(frozen=True)
class MacroNetConfig(Limited):
    """Architecture of a ``MacroNet``.

    The layers are spread evenly over ``stages`` resolutions, and channels double where the resolution halves. The other
    fields are those of ``ActionNetConfig``; the auxiliary classifier comes after the middle layer.
    """

    classes: int
    genotype: MacroGenotype = PLAIN
    channels: int = 16
    stages: int = 3
    stem_stride: int = 2
    dropout: float = 0.3
    auxiliary: bool = False
    drop_path: float = 0.0
    grid: tuple[int, int] = (1, 1)


class _LayerChain(nn.Module):
    """Common base of the standalone network and the supernet: modules by name, and how to run a genotype.

    ``operations`` are (layer, operation) pairs. ``reductions`` are (layer, state) pairs, the state being one that is
    reduced before that layer.
    """

    def __init__(
        self, config: MacroNetConfig, layers: int, operations: set[tuple[int, str]], reductions: set[tuple[int, int]]
    ) -> None:
        super().__init__()
        self.config, self.layers, self.middle = config, layers, layers // 2
        widths = [config.channels * 2 ** _stage(config, layers, layer) for layer in range(layers)]
        stem = nn.Conv2d(3, widths[0], 3, config.stem_stride, 1, bias=False)
        self.stem = nn.Sequential(stem, nn.BatchNorm2d(widths[0]))
        self.operations = nn.ModuleDict(
            {f"{k}-{name}": operation(name, widths[k], 1) for k, name in sorted(operations)}
        )
        self.reductions = nn.ModuleDict(
            {f"{k}-{state}": pointwise(widths[k - 1], widths[k], 2) for k, state in sorted(reductions)}
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in widths)
        self.drop = DropPath(config.drop_path)
        self.head = Head(widths[-1], config.classes, config.dropout, config.grid)
        self.auxiliary = None
        if config.auxiliary:
            self.auxiliary = Head(widths[self.middle], config.classes, config.dropout, config.grid)

    def run(self, images: Float[Tensor, "B 3 H W"], genotype: MacroGenotype) -> tuple[Float[Tensor, "B K"], ...]:
        """Compute the logits of every classifier of ``genotype``, the main one first."""
        states, outputs = [self.stem(images)], []
        reductions = _reductions(self.config, genotype)
        for number, layer in enumerate(genotype.layers):
            states = [
                self.reductions[f"{number}-{state}"](values) if (number, state) in reductions else values
                for state, values in enumerate(states)
            ]
            path = self.drop(self.operations[f"{number}-{layer.operation}"](states[number]))
            states.append(self.norms[number](path + sum(states[skip] for skip in layer.skips)))
            outputs.append(states[-1])
        main = self.head(outputs[-1])
        return (main,) if self.auxiliary is None else (main, self.auxiliary(outputs[self.middle]))


class MacroNet(_LayerChain):
    """Classifier of motion images (B, 3, H, W) with values of about −1 to 1.

    H and W must be multiples of stem_stride · 2^(stages − 1).
    """

    def __init__(self, config: MacroNetConfig) -> None:
        layers = config.genotype.layers
        operations = {(number, layer.operation) for number, layer in enumerate(layers)}
        super().__init__(config, len(layers), operations, _reductions(config, config.genotype))

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B K"]:
        """Compute the logits of the main classifier."""
        return self.heads(images)[0]

    def heads(self, images: Float[Tensor, "B 3 H W"]) -> tuple[Float[Tensor, "B K"], ...]:
        """Compute the logits of every classifier, the main one first. Training sums their losses."""
        return self.run(images, self.config.genotype)


class MacroSupernet(_LayerChain):
    """Shared weights of all networks of ``layers`` layers: every operation at every layer.

    ``config`` holds the sizes of the networks; its genotype is ignored.
    """

    def __init__(self, config: MacroNetConfig, layers: int) -> None:
        operations = {(number, name) for number in range(layers) for name in OPERATIONS}
        super().__init__(config, layers, operations, _all_reductions(config, layers))

    def forward(self, images: Float[Tensor, "B 3 H W"], genotype: MacroGenotype) -> Float[Tensor, "B K"]:
        """Compute the logits of the main classifier of ``genotype``."""
        return self.run(images, genotype)[0]

    def heads(self, images: Float[Tensor, "B 3 H W"], genotype: MacroGenotype) -> tuple[Float[Tensor, "B K"], ...]:
        """Compute the logits of every classifier of ``genotype``, the main one first."""
        return self.run(images, genotype)

    def extract(self, genotype: MacroGenotype) -> MacroNet:
        """Build a standalone network with a copy of the weights of ``genotype``; its output is the same."""
        net = MacroNet(replace(self.config, genotype=genotype)).to(next(self.parameters()).device)
        shared = self.state_dict()
        net.load_state_dict({name: shared[name] for name in net.state_dict()})
        return net.train(self.training)


def _stage(config: MacroNetConfig, layers: int, layer: int) -> int:
    return layer * config.stages // layers


def _all_reductions(config: MacroNetConfig, layers: int) -> set[tuple[int, int]]:
    """List (layer, state) for every state before a layer that starts a new stage."""
    stages = [_stage(config, layers, layer) for layer in range(layers)]
    return {(k, state) for k in range(1, layers) if stages[k] > stages[k - 1] for state in range(k + 1)}


def _reductions(config: MacroNetConfig, genotype: MacroGenotype) -> set[tuple[int, int]]:
    """List the reductions of states that a later layer still reads."""
    layers = genotype.layers
    return {
        (k, state)
        for k, state in _all_reductions(config, len(layers))
        if any(state == later or state in layers[later].skips for later in range(k, len(layers)))
    }
