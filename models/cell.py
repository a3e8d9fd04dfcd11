"""A cell of the ENAS micro space, built from the nodes of a genotype (Pham H. et al., ICML 2018)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.genotype import Node, loose_ends
from models.operations import operation, point


class Cell(nn.Module):
    """Two inputs, then nodes that each add two operations on earlier states; loose ends are concatenated.

    ``inputs`` are the channels of the two inputs; each is brought to ``channels`` by a 1×1 convolution, and the first
    also to the resolution of the second if it is twice as fine (``rescale``). ``stride`` 2 makes a reduction cell.
    ``outputs`` says how many channels come out.
    """

    def __init__(
        self, nodes: tuple[Node, ...], inputs: tuple[int, int], channels: int, stride: int, rescale: int = 1
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

    def forward(
        self, before: Float[Tensor, "B C1 H1 W1"], last: Float[Tensor, "B C2 H2 W2"]
    ) -> Float[Tensor, "B C H W"]:
        """Outputs of the cell before the last and of the last → this cell's output."""
        states = [self.align[0](before), self.align[1](last)]
        operations = iter(self.operations)
        for node in self.nodes:
            first, second = (next(operations)(states[edge.state]) for edge in node.edges)
            states.append(first + second)
        return torch.cat([states[end] for end in self.ends], dim=1)
