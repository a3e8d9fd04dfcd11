"""Random architectures of both search spaces, for property tests."""

from hypothesis import strategies as st

from kinelift.models.enas.genotype import OPERATIONS, Edge, Genotype, Node
from kinelift.models.enas.space import MacroSpace, MicroSpace


@st.composite
def cells(draw, smallest=1, largest=5):
    """The nodes of a cell."""
    return tuple(
        Node(*(Edge(draw(st.integers(0, 1 + i)), draw(st.sampled_from(OPERATIONS))) for _ in range(2)))
        for i in range(draw(st.integers(smallest, largest)))
    )


def genotypes(smallest=1, largest=5):
    """Pairs of cells."""
    return st.builds(Genotype, cells(smallest, largest), cells(smallest, largest))


@st.composite
def members(draw, space: MicroSpace | MacroSpace):
    """Architectures of a space, made from their choices."""
    return space.decode([draw(st.integers(0, decision.choices - 1)) for decision in space.decisions])
