"""Search spaces as sequences of decisions, so that one controller serves all of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kinelift.models.enas import macro
from kinelift.models.enas.genotype import OPERATIONS, Edge, Genotype, Node
from kinelift.models.enas.macro import Layer, MacroGenotype


@dataclass(frozen=True)
class Decision:
    """A choice among ``choices`` numbers (0, 1, …). In decisions of one ``kind`` the same number means the same."""

    kind: str
    choices: int


@dataclass(frozen=True)
class MicroSpace:
    """A normal and a reduction cell of ``nodes`` nodes. Each node chooses two earlier states, then their operations."""

    nodes: int = 5

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """Four decisions per node; the normal cell comes first."""
        operations = [Decision("operation", len(OPERATIONS))] * 2
        cell = [d for node in range(self.nodes) for d in [*[Decision("state", 2 + node)] * 2, *operations]]
        return tuple(cell * 2)

    def decode(self, choices: Sequence[int]) -> Genotype:
        """Build the genotype of these choices."""
        nodes = [
            Node(Edge(first, OPERATIONS[a]), Edge(second, OPERATIONS[b]))
            for first, second, a, b in zip(*(choices[k::4] for k in range(4)), strict=True)
        ]
        return Genotype(tuple(nodes[: self.nodes]), tuple(nodes[self.nodes :]))

    def encode(self, genotype: Genotype) -> list[int]:
        """List the choices of a genotype, the inverse of ``decode``."""
        return [
            choice
            for node in (*genotype.normal, *genotype.reduction)
            for choice in (*(e.state for e in node.edges), *(OPERATIONS.index(e.operation) for e in node.edges))
        ]


@dataclass(frozen=True)
class MacroSpace:
    """A chain of ``layers`` layers. Each chooses an operation, then whether to add each state before its input."""

    layers: int = 6

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """1 + n decisions for layer n, which is 0, 1 and so on."""
        operation, skip = Decision("operation", len(macro.OPERATIONS)), Decision("skip", 2)
        return tuple(d for layer in range(self.layers) for d in (operation, *[skip] * layer))

    def decode(self, choices: Sequence[int]) -> MacroGenotype:
        """Build the genotype of these choices."""
        return MacroGenotype(tuple(self._layers(iter(choices))))

    def encode(self, genotype: MacroGenotype) -> list[int]:
        """List the choices of a genotype, the inverse of ``decode``."""
        return [
            choice
            for number, layer in enumerate(genotype.layers)
            for choice in (
                macro.OPERATIONS.index(layer.operation),
                *(int(state in layer.skips) for state in range(number)),
            )
        ]

    def _layers(self, choices: Iterator[int]) -> Iterator[Layer]:
        for number in range(self.layers):
            operation = macro.OPERATIONS[next(choices)]
            yield Layer(operation, tuple(state for state in range(number) if next(choices)))


Space = MicroSpace | MacroSpace
"""A search space: its ``decisions``, and ``encode`` and ``decode`` between genotypes and choices."""
