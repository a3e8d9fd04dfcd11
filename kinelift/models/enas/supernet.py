"""The supernet of the ENAS micro space: shared weights of which each genotype uses a part.

Each position of an operation (cell, node, slot) has weights for every operation, whichever earlier state it reads. In a
reduction cell, operations that halve the resolution and operations that do not have separate weights. Consumers of a
cell's output have weights for all its nodes and use those of the loose ends (Pham H. et al., ICML 2018, section 2.4).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from kinelift.models.enas.action_net import ActionNet, ActionNetConfig, CellPlan, Head, plan_cells, pooling, stem
from kinelift.models.enas.cell import Cell, apply_nodes, norms
from kinelift.models.enas.genotype import OPERATIONS, Edge, Genotype, Node, loose_ends
from kinelift.models.enas.operations import DropPath, operation


@dataclass(frozen=True, eq=False)
class CellOutput:
    """A cell's output: ``values`` of the loose ends, and their ``columns`` among the channels of all nodes."""

    values: Float[Tensor, "B C H W"]
    columns: Int[Tensor, " C"]


class Supernet(nn.Module):
    """Shared weights of all ``ActionNet``s whose cells have ``nodes`` nodes.

    ``config`` holds the sizes of the networks; its genotype is ignored.
    """

    def __init__(self, config: ActionNetConfig, nodes: int = 5) -> None:
        super().__init__()
        self.config, self.nodes = config, nodes
        self.stem, channels = stem(config)
        widths = [channels, channels]
        cells = []
        for plan in plan_cells(config):
            inputs = (widths[-2], widths[-1])
            cells.append(SharedCell(nodes, inputs, plan, config))
            widths.append(nodes * plan.channels)
        self.cells = nn.ModuleList(cells)
        self.head = SharedHead(widths[-1], config)
        self.middle = len(cells) // 2
        self.auxiliary = SharedHead(widths[2 + self.middle], config) if config.auxiliary else None

    def forward(self, images: Float[Tensor, "B 3 H W"], genotype: Genotype) -> Float[Tensor, "B K"]:
        """Compute the logits of the main classifier of ``genotype``."""
        logits: Tensor = self.head(self._cell_outputs(images, genotype)[-1])
        return logits

    def heads(self, images: Float[Tensor, "B 3 H W"], genotype: Genotype) -> tuple[Float[Tensor, "B K"], ...]:
        """Compute the logits of every classifier of ``genotype``, the main one first."""
        outputs = self._cell_outputs(images, genotype)
        main = self.head(outputs[-1])
        return (main,) if self.auxiliary is None else (main, self.auxiliary(outputs[self.middle]))

    def extract(self, genotype: Genotype) -> ActionNet:
        """Build a standalone network with a copy of the weights of ``genotype``; its output is the same."""
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

    def _cell_outputs(self, images: Tensor, genotype: Genotype) -> list[CellOutput]:
        values = self.stem(images)
        earlier = previous = CellOutput(values, torch.arange(values.shape[1]))
        outputs = []
        for cell in self.cells:
            earlier, previous = previous, cell(genotype, earlier, previous)
            outputs.append(previous)
        return outputs


class SharedCell(nn.Module):
    """Shared weights of all cells at one position of the network; ``inputs`` as for ``Cell``."""

    def __init__(self, nodes: int, inputs: tuple[int, int], plan: CellPlan, config: ActionNetConfig) -> None:
        super().__init__()
        self.channels, self.stride = plan.channels, plan.stride
        points = SharedPointwise(inputs[0], plan.channels, plan.rescale), SharedPointwise(inputs[1], plan.channels, 1)
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

    def forward(self, genotype: Genotype, earlier: CellOutput, previous: CellOutput) -> CellOutput:
        """Compute the cell of ``genotype`` from the outputs of the two cells before: the second last and the last."""
        nodes = genotype.normal if self.stride == 1 else genotype.reduction
        inputs = [self.align[0](earlier), self.align[1](previous)]
        values = apply_nodes(inputs, nodes, lambda *edge: self.operations[self._key(*edge)], self.norms, self.drop)
        return CellOutput(values, self.columns(nodes))

    def columns(self, nodes: tuple[Node, ...]) -> Int[Tensor, " C"]:
        """List the channels, among those of all nodes, that a cell outputs."""
        starts = torch.tensor(loose_ends(nodes)) - 2
        return (starts[:, None] * self.channels + torch.arange(self.channels)).flatten()

    def copy_to(self, cell: Cell, earlier: Int[Tensor, " C1"], previous: Int[Tensor, " C2"]) -> None:
        """Copy the weights of ``cell.nodes`` to ``cell``, given the columns of its two inputs."""
        aligns: Iterable[Any] = zip(self.align, cell.align, (earlier, previous), strict=True)
        for shared, align, columns in aligns:
            shared.copy_to(align, columns)
        cell.norms.load_state_dict(self.norms.state_dict())
        for number, node in enumerate(cell.nodes):
            for slot, edge in enumerate(node.edges):
                state = self.operations[self._key(number, slot, edge)].state_dict()
                cell.operations[2 * number + slot].load_state_dict(state)

    def _key(self, node: int, slot: int, edge: Edge) -> str:
        return f"{node}-{slot}-{'inner' if edge.state >= 2 and self.stride > 1 else 'outer'}-{edge.operation}"


class SharedPointwise(nn.Module):
    """``operations.pointwise`` with weights for all input channels, applied to those present."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, inputs: CellOutput) -> Float[Tensor, "B C H W"]:
        """Compute all output channels from the input channels present."""
        weight = self.convolution.weight[:, inputs.columns]
        convolved = functional.conv2d(functional.relu(inputs.values), weight, stride=self.convolution.stride)
        out: Tensor = self.norm(convolved)
        return out

    def copy_to(self, layers: nn.Module, columns: Int[Tensor, " C"]) -> None:
        """Copy the weights of the input channels ``columns``."""
        norm = {f"2.{name}": value for name, value in self.norm.state_dict().items()}
        layers.load_state_dict({"1.weight": self.convolution.weight[:, columns], **norm})


class SharedHead(nn.Module):
    """``action_net.Head`` with weights for all input channels, applied to those present."""

    def __init__(self, inputs: int, config: ActionNetConfig) -> None:
        super().__init__()
        self.parts = prod(config.grid)
        self.pool = nn.Sequential(*pooling(config.dropout, config.grid))
        self.linear = nn.Linear(inputs * self.parts, config.classes)

    def forward(self, inputs: CellOutput) -> Float[Tensor, "B K"]:
        """Compute the logits."""
        return functional.linear(self.pool(inputs.values), self._weight(inputs.columns), self.linear.bias)

    def copy_to(self, head: Head, columns: Int[Tensor, " C"]) -> None:
        """Copy the weights of the input channels ``columns``."""
        head.load_state_dict({"layers.4.weight": self._weight(columns), "layers.4.bias": self.linear.bias})

    def _weight(self, columns: Int[Tensor, " C"]) -> Float[Tensor, "K C1"]:
        parts = torch.arange(self.parts, device=columns.device)
        return self.linear.weight[:, (columns[:, None] * self.parts + parts).flatten()]
