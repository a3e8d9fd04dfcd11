"""Genotypes of the ENAS micro space: the operations of a cell and the earlier states that they read."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

OPERATIONS = ("identity", "separable-3x3", "separable-5x5", "average-3x3", "maximum-3x3")
"""The operations that a node can choose from (ENAS micro space)."""


@dataclass(frozen=True)
class Edge:
    """An operation on an earlier state. States 0 and 1 are the cell's inputs, 2 is its first node, and so on."""

    state: int
    operation: str


@dataclass(frozen=True)
class Node:
    """The sum of two edges."""

    first: Edge
    second: Edge

    @property
    def edges(self) -> tuple[Edge, Edge]:
        """Both edges."""
        return self.first, self.second


@dataclass(frozen=True)
class Genotype:
    """A normal cell, which keeps the resolution, and a reduction cell, which halves it.

    Raises:
        ValueError: An operation is unknown, or an edge reads a state that does not exist yet.
    """

    normal: tuple[Node, ...]
    reduction: tuple[Node, ...]

    def __post_init__(self) -> None:
        for nodes in (self.normal, self.reduction):
            _check(nodes)

    def to_json(self) -> str:
        """Write the genotype as JSON; ``from_json`` is the inverse."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> "Genotype":
        """Read what ``to_json`` wrote."""
        return Genotype.from_mapping(json.loads(text))

    @staticmethod
    def from_mapping(cells: Mapping[str, Any]) -> "Genotype":
        """Rebuild a genotype from what ``dataclasses.asdict`` made of it."""
        return Genotype(*(tuple(_node(node) for node in cells[name]) for name in ("normal", "reduction")))


def loose_ends(nodes: tuple[Node, ...]) -> tuple[int, ...]:
    """List the states that no node reads, without the inputs. A cell concatenates them."""
    read = {edge.state for node in nodes for edge in node.edges}
    return tuple(state for state in range(2, 2 + len(nodes)) if state not in read)


def node(first: int, first_operation: str, second: int, second_operation: str) -> Node:
    """Make a node from two (state, operation) pairs."""
    return Node(Edge(first, first_operation), Edge(second, second_operation))


def _node(mapping: Mapping[str, Any]) -> Node:
    return Node(Edge(**mapping["first"]), Edge(**mapping["second"]))


def _check(nodes: tuple[Node, ...]) -> None:
    if not nodes:
        raise ValueError("A cell needs at least one node.")
    for index, each in enumerate(nodes):
        for edge in each.edges:
            if edge.operation not in OPERATIONS:
                raise ValueError(f"Unknown operation {edge.operation!r}. Known: {', '.join(OPERATIONS)}.")
            if not 0 <= edge.state < 2 + index:
                raise ValueError(f"Node {index} reads state {edge.state}; it can read 0 to {1 + index}.")


HAND_CHOSEN = Genotype(
    normal=(
        node(1, "separable-3x3", 0, "identity"),
        node(1, "separable-5x5", 0, "separable-3x3"),
        node(1, "average-3x3", 0, "identity"),
        node(2, "separable-3x3", 1, "identity"),
        node(3, "separable-3x3", 1, "maximum-3x3"),
    ),
    reduction=(
        node(1, "separable-5x5", 0, "separable-3x3"),
        node(1, "maximum-3x3", 0, "separable-5x5"),
        node(1, "average-3x3", 0, "separable-3x3"),
        node(2, "separable-3x3", 3, "identity"),
        node(3, "average-3x3", 1, "maximum-3x3"),
    ),
)
"""Designed by hand after the cells that searches tend to find: mostly separable convolutions, with shortcuts."""
