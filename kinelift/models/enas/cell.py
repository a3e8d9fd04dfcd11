"""A cell of the ENAS micro space, built from the nodes of a genotype (Pham H. et al., ICML 2018)."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from kinelift.models.enas.genotype import Edge, Node, loose_ends
from kinelift.models.enas.operations import DropPath, operation, point

Operate = Callable[[int, int, Edge], nn.Module]
"""The module of an edge, by the number of its node, its slot in the node (0 or 1), and itself."""


class Cell(nn.Module):
    """Two inputs, then nodes that each add two operations on earlier states; loose ends are concatenated.

    ``inputs`` are the channels of the two inputs; each is brought to ``channels`` by a 1×1 convolution, and the first
    also to the resolution of the second if it is twice as fine (``rescale``). ``stride`` 2 makes a reduction cell.
    ``normalise`` puts a batch norm behind every node.
    ``outputs`` says how many channels come out.
    """

    def __init__(
        self,
        nodes: tuple[Node, ...],
        inputs: tuple[int, int],
        channels: int,
        stride: int,
        rescale: int = 1,
        drop_path: float = 0.0,
        normalise: bool = False,
    ) -> None:
        super().__init__()
        self.nodes = nodes
        self.ends = loose_ends(nodes)
        self.outputs = channels * len(self.ends)
        self.align = nn.ModuleList([point(inputs[0], channels, rescale), point(inputs[1], channels)])
        self.operations = nn.ModuleList(
            operation(edge.operation, channels, stride if edge.state < 2 else 1)
            for node in nodes
            for edge in node.edges
        )
        self.norms = norms(len(nodes), channels, normalise)
        self.drop = DropPath(drop_path)

    def forward(
        self, before: Float[Tensor, "B C1 H1 W1"], last: Float[Tensor, "B C2 H2 W2"]
    ) -> Float[Tensor, "B C H W"]:
        """Outputs of the cell before the last and of the last → this cell's output."""
        inputs = [self.align[0](before), self.align[1](last)]
        return wire(inputs, self.nodes, lambda node, slot, _: self.operations[2 * node + slot], self.norms, self.drop)


def norms(nodes: int, channels: int, normalise: bool) -> nn.ModuleList:
    """What comes behind the sum of every node: a batch norm, or nothing."""
    return nn.ModuleList(nn.BatchNorm2d(channels) if normalise else nn.Identity() for _ in range(nodes))


def wire(
    inputs: list[Float[Tensor, "B C _ _"]],
    nodes: tuple[Node, ...],
    operate: Operate,
    norms: nn.ModuleList,
    drop: DropPath,
) -> Float[Tensor, "B D H W"]:
    """The two aligned inputs of a cell → its loose ends, concatenated. ``drop`` spares the bare short cuts."""
    states = list(inputs)
    for number, node in enumerate(nodes):
        paths = []
        for slot, edge in enumerate(node.edges):
            module = operate(number, slot, edge)
            path = module(states[edge.state])
            paths.append(path if isinstance(module, nn.Identity) else drop(path))
        states.append(norms[number](paths[0] + paths[1]))
    return torch.cat([states[end] for end in loose_ends(nodes)], dim=1)
