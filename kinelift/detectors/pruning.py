"""Networks without what nobody reads: the operations of a TensorFlow Lite file that only unused outputs need."""

import struct
from collections.abc import Sequence
from typing import Any

_OUTPUTS, _OPERATORS = 8, 10
"""Where a subgraph's table of fields has these two vectors (``SubGraph`` in TensorFlow Lite's ``schema.fbs``)."""


def keep_outputs(content: bytes, outputs: Sequence[int]) -> bytes:
    """A TensorFlow Lite file that computes some of its outputs and nothing else; their values stay the same.

    The operations that are left out are taken off the list of operations. Weights and tensors stay where they are.

    Args:
        content: The file.
        outputs: The outputs to keep, as indices in the order of the file. They keep that order.
    """
    from ai_edge_litert.schema_py_generated import Model

    file = bytearray(content)
    graph: Any = Model.GetRootAs(file, 0).Subgraphs(0)
    kept = sorted(outputs)
    tensors = [graph.Outputs(k) for k in kept]
    operators = _needed(graph, set(tensors))
    _rewrite(file, _vector(graph, _OUTPUTS), tensors)
    start = _vector(graph, _OPERATORS)
    tables = [graph.Operators(k)._tab.Pos for k in operators]
    _rewrite(file, start, [table - (start + 4 * k) for k, table in enumerate(tables)])  # relative to themselves
    return bytes(file)


def _needed(graph: Any, tensors: set[int]) -> list[int]:
    """The operations that lead to ``tensors``, in the order of the file, in which they run."""
    operators = []
    for k in reversed(range(graph.OperatorsLength())):
        operator = graph.Operators(k)
        if tensors & set(operator.OutputsAsNumpy().tolist()):
            tensors = tensors | set(operator.InputsAsNumpy().tolist())
            operators.append(k)
    return operators[::-1]


def _vector(graph: Any, field: int) -> int:
    """The position of the first element of a vector."""
    position: int = graph._tab.Vector(graph._tab.Offset(field))
    return position


def _rewrite(file: bytearray, start: int, values: Sequence[int]) -> None:
    """Replace a vector of 32-bit numbers by a shorter one; its length stands before it."""
    struct.pack_into(f"<i{len(values)}i", file, start - 4, len(values), *values)
