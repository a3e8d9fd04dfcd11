"""A cell of the ENAS micro space, built from the nodes of a genotype (Pham H. et al., ICML 2018)."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from kinelift.models.enas.genotype import Edge, Node, loose_ends
from kinelift.models.enas.operations import DropPath, operation, pointwise

Operate = Callable[[int, int, Edge], nn.Module]
"""(number of the node, slot in the node: 0 or 1, edge) → the module of the edge."""


class Cell(nn.Module):
    """Nodes that each add two operations on earlier states, starting from two inputs; loose ends are concatenated.

    Args:
        nodes: The nodes of the cell.
        inputs: Channels of the two inputs. A 1×1 convolution maps each to ``channels``.
        channels: Channels per node.
        stride: 2 for a reduction cell.
        rescale: 2 if the first input has twice the resolution of the second.
        drop_path: Probability with which training drops an edge.
        normalise: Apply batch normalisation to every node.

    Attributes:
        outputs: Output channels.
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
        self.align = nn.ModuleList([pointwise(inputs[0], channels, rescale), pointwise(inputs[1], channels)])
        self.operations = nn.ModuleList(
            operation(edge.operation, channels, stride if edge.state < 2 else 1)
            for node in nodes
            for edge in node.edges
        )
        self.norms = norms(len(nodes), channels, normalise)
        self.drop = DropPath(drop_path)

    def forward(
        self, earlier: Float[Tensor, "B C1 H1 W1"], previous: Float[Tensor, "B C2 H2 W2"]
    ) -> Float[Tensor, "B C H W"]:
        """Compute the output from those of the two cells before: the second last and the last."""
        inputs = [self.align[0](earlier), self.align[1](previous)]
        return apply_nodes(
            inputs, self.nodes, lambda node, slot, _: self.operations[2 * node + slot], self.norms, self.drop
        )


def norms(nodes: int, channels: int, normalise: bool) -> nn.ModuleList:
    """Build the modules after the sums of the nodes: batch norms, or identities."""
    return nn.ModuleList(nn.BatchNorm2d(channels) if normalise else nn.Identity() for _ in range(nodes))


def apply_nodes(
    inputs: list[Float[Tensor, "B C _ _"]],
    nodes: tuple[Node, ...],
    operate: Operate,
    norms: nn.ModuleList,
    drop: DropPath,
) -> Float[Tensor, "B D H W"]:
    """Compute the nodes of a cell from its two aligned inputs, and concatenate the loose ends.

    ``drop`` is not applied to identities.
    """
    states = list(inputs)
    for number, node in enumerate(nodes):
        paths = []
        for slot, edge in enumerate(node.edges):
            module = operate(number, slot, edge)
            path = module(states[edge.state])
            paths.append(path if isinstance(module, nn.Identity) else drop(path))
        states.append(norms[number](paths[0] + paths[1]))
    return torch.cat([states[end] for end in loose_ends(nodes)], dim=1)
