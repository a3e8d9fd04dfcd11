"""All networks of the ENAS micro space in one: shared weights from which a genotype picks its own.

Every place of an operation (cell, node, slot) has weights for each operation, whichever earlier state it reads; in a
reduction cell those that halve the picture and those that do not are apart. What reads a cell's output has weights for
all its nodes, and uses those of the loose ends (Pham H. et al., ICML 2018, section 2.4).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from kinelift.models.action_net import ActionNet, ActionNetConfig, CellPlan, Head, layout, pooling, stem
from kinelift.models.enas.cell import Cell, norms, wire
from kinelift.models.enas.genotype import OPERATIONS, Edge, Genotype, Node, loose_ends
from kinelift.models.enas.operations import DropPath, operation


@dataclass(frozen=True, eq=False)
class Part:
    """A cell's output: ``values`` of the loose ends only, and which ``columns`` of all nodes' channels they are."""

    values: Float[Tensor, "B C H W"]
    columns: Int[Tensor, " C"]


class Supernet(nn.Module):
    """Motion image (B, 3, H, W) and a genotype of ``nodes`` nodes a cell → logits, as ``ActionNet`` gives them.

    ``config`` says what the networks inside are made of; its own genotype plays no part.
    """

    def __init__(self, config: ActionNetConfig, nodes: int = 5) -> None:
        super().__init__()
        self.config, self.nodes = config, nodes
        self.stem, channels = stem(config)
        widths = [channels, channels]
        cells = []
        for plan in layout(config):
            inputs = (widths[-2], widths[-1])
            cells.append(SharedCell(nodes, inputs, plan, config))
            widths.append(nodes * plan.channels)
        self.cells = nn.ModuleList(cells)
        self.head = SharedHead(widths[-1], config)
        self.middle = len(cells) // 2
        self.auxiliary = SharedHead(widths[2 + self.middle], config) if config.auxiliary else None

    def forward(self, images: Float[Tensor, "B 3 H W"], genotype: Genotype) -> Float[Tensor, "B K"]:
        """Logits of the main classifier of ``genotype``."""
        return self.head(self._parts(images, genotype)[-1])

    def heads(self, images: Float[Tensor, "B 3 H W"], genotype: Genotype) -> tuple[Float[Tensor, "B K"], ...]:
        """Logits of every classifier of ``genotype``, the main one first."""
        parts = self._parts(images, genotype)
        main = self.head(parts[-1])
        return (main,) if self.auxiliary is None else (main, self.auxiliary(parts[self.middle]))

    def extract(self, genotype: Genotype) -> ActionNet:
        """A network of its own with a copy of the weights of ``genotype``: it computes the same."""
        net = ActionNet(replace(self.config, genotype=genotype)).to(self.head.linear.weight.device)
        net.stem.load_state_dict(self.stem.state_dict())
        columns = [torch.arange(3 * self.config.channels)] * 2
        pairs: Iterable[Any] = zip(self.cells, net.cells, strict=True)
        for shared, cell in pairs:
            shared.copy_to(cell, columns[-2], columns[-1])
            columns.append(shared.columns(cell.nodes))
        self.head.copy_to(net.head, columns[-1])
        if self.auxiliary is not None and net.auxiliary is not None:
            self.auxiliary.copy_to(net.auxiliary, columns[2 + self.middle])
        return net.train(self.training)

    def _parts(self, images: Tensor, genotype: Genotype) -> list[Part]:
        values = self.stem(images)
        before = last = Part(values, torch.arange(values.shape[1]))
        parts = []
        for cell in self.cells:
            before, last = last, cell(genotype, before, last)
            parts.append(last)
        return parts


class SharedCell(nn.Module):
    """The weights of every possible cell at one place of the network; ``inputs`` as for ``Cell``."""

    def __init__(self, nodes: int, inputs: tuple[int, int], plan: CellPlan, config: ActionNetConfig) -> None:
        super().__init__()
        self.channels, self.stride = plan.channels, plan.stride
        points = SharedPoint(inputs[0], plan.channels, plan.rescale), SharedPoint(inputs[1], plan.channels, 1)
        self.align = nn.ModuleList(points)
        self.operations = nn.ModuleDict(
            {
                self._key(node, slot, Edge(state, name)): operation(
                    name, plan.channels, plan.stride if state < 2 else 1
                )
                for node in range(nodes)
                for slot in range(2)
                for state in (0, 2)
                for name in OPERATIONS
            }
        )
        self.norms = norms(nodes, plan.channels, config.normalise)
        self.drop = DropPath(config.drop_path)

    def forward(self, genotype: Genotype, before: Part, last: Part) -> Part:
        """What the cell of ``genotype`` makes of the outputs of the two cells before it."""
        nodes = genotype.normal if self.stride == 1 else genotype.reduction
        inputs = [self.align[0](before), self.align[1](last)]
        values = wire(inputs, nodes, lambda *edge: self.operations[self._key(*edge)], self.norms, self.drop)
        return Part(values, self.columns(nodes))

    def columns(self, nodes: tuple[Node, ...]) -> Int[Tensor, " C"]:
        """Which channels of all nodes a cell gives out."""
        starts = torch.tensor(loose_ends(nodes)) - 2
        return (starts[:, None] * self.channels + torch.arange(self.channels)).flatten()

    def copy_to(self, cell: Cell, before: Int[Tensor, " C1"], last: Int[Tensor, " C2"]) -> None:
        """Copy the weights of ``cell.nodes`` to ``cell``; the columns are those that its inputs have."""
        aligns: Iterable[Any] = zip(self.align, cell.align, (before, last), strict=True)
        for shared, align, columns in aligns:
            shared.copy_to(align, columns)
        cell.norms.load_state_dict(self.norms.state_dict())
        for number, node in enumerate(cell.nodes):
            for slot, edge in enumerate(node.edges):
                state = self.operations[self._key(number, slot, edge)].state_dict()
                cell.operations[2 * number + slot].load_state_dict(state)

    def _key(self, node: int, slot: int, edge: Edge) -> str:
        return f"{node}-{slot}-{'inner' if edge.state >= 2 and self.stride > 1 else 'outer'}-{edge.operation}"


class SharedPoint(nn.Module):
    """``operations.point`` on those input channels that there are."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, part: Part) -> Float[Tensor, "B C H W"]:
        """All output channels."""
        weight = self.convolution.weight[:, part.columns]
        return self.norm(functional.conv2d(functional.relu(part.values), weight, stride=self.convolution.stride))

    def copy_to(self, layers: nn.Module, columns: Int[Tensor, " C"]) -> None:
        """Copy the weights of ``columns``."""
        norm = {f"2.{name}": value for name, value in self.norm.state_dict().items()}
        layers.load_state_dict({"1.weight": self.convolution.weight[:, columns], **norm})


class SharedHead(nn.Module):
    """``action_net.Head`` on those input channels that there are."""

    def __init__(self, inputs: int, config: ActionNetConfig) -> None:
        super().__init__()
        self.parts = prod(config.grid)
        self.pool = nn.Sequential(*pooling(config.dropout, config.grid))
        self.linear = nn.Linear(inputs * self.parts, config.classes)

    def forward(self, part: Part) -> Float[Tensor, "B K"]:
        """Logits."""
        return functional.linear(self.pool(part.values), self._weight(part.columns), self.linear.bias)

    def copy_to(self, head: Head, columns: Int[Tensor, " C"]) -> None:
        """Copy the weights of ``columns``."""
        head.load_state_dict({"layers.4.weight": self._weight(columns), "layers.4.bias": self.linear.bias})

    def _weight(self, columns: Int[Tensor, " C"]) -> Float[Tensor, "K C1"]:
        parts = torch.arange(self.parts, device=columns.device)
        return self.linear.weight[:, (columns[:, None] * self.parts + parts).flatten()]
