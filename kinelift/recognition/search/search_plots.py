"""Figures of an architecture search: its course, and the architecture."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path as MplPath

from kinelift.models.enas.architecture import AnyGenotype
from kinelift.models.enas.genotype import Edge, Genotype, Node, loose_ends
from kinelift.models.enas.macro import MacroGenotype
from kinelift.recognition.figures import write_png

Position = tuple[float, float]

_COLOURS = {
    "identity": "#8a8f98",
    "separable-3x3": "#2f6db5",
    "separable-5x5": "#173f7a",
    "convolution-3x3": "#7b4fb3",
    "convolution-5x5": "#4a2a7d",
    "average-3x3": "#d9822b",
    "maximum-3x3": "#b8322a",
}
_SHORT = {
    "identity": "identity",
    "separable-3x3": "sep 3×3",
    "separable-5x5": "sep 5×5",
    "convolution-3x3": "conv 3×3",
    "convolution-5x5": "conv 5×5",
    "average-3x3": "avg 3×3",
    "maximum-3x3": "max 3×3",
}
_INK, _PAPER = "#20242c", "#f2f4f7"
_COLUMN, _ROW = 2.7, 2.1


def course(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Write loss, reward, baseline, validation accuracies and entropy over the epochs as a PNG."""
    figure = Figure(figsize=(8, 7.2), layout="constrained")
    upper, middle, lower = figure.subplots(3, 1, sharex=True, height_ratios=[3, 1.4, 1.4])
    _line(upper, history, "reward", "sampled from the controller: mean reward", color="#2f6db5", lw=2)
    _line(upper, history, "baseline", "baseline", color="#2f6db5", lw=1, ls="--")
    _line(upper, history, "random", "uniformly random: mean", color="#8a8f98", lw=2)
    _line(upper, history, "likeliest", "the controller's most probable", color="#d9822b", lw=1)
    upper.set_ylabel("accuracy on validation\nimages, shared weights")
    upper.set_ylim(bottom=0)
    upper.legend(frameon=False, loc="lower right")
    _line(middle, history, "entropy", "", color="#173f7a", lw=2)
    middle.set_ylabel("entropy (share\nof the largest)")
    middle.set_ylim(0, 1.05)
    _line(lower, history, "loss", "", color="#b8322a", lw=2)
    lower.set_ylabel("training loss\n(shared weights)")
    lower.set_xlabel("epoch")
    for axes in (upper, middle, lower):
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    write_png(figure, path)


def architecture(genotype: AnyGenotype, path: Path) -> None:
    """Write a micro or macro architecture as a PNG."""
    if isinstance(genotype, MacroGenotype):
        chain(genotype, path)
    else:
        cells(genotype, path)


def cells(genotype: Genotype, path: Path) -> None:
    """Write the normal and the reduction cell side by side as a PNG.

    Data flow from top to bottom; + adds two operations.
    """
    pair = ("Normal cell", genotype.normal), ("Reduction cell", genotype.reduction)
    depth = max(max(_rows(nodes)) for _, nodes in pair)
    width = sum(len(nodes) for _, nodes in pair)
    figure = Figure(figsize=(2 + 1.45 * width, 2.4 + 1.35 * depth), layout="constrained")
    for axes, (title, nodes) in zip(figure.subplots(1, 2), pair, strict=True):
        _cell(axes, nodes, -_ROW * (depth + 0.75))
        axes.set_title(title, fontsize=15, color=_INK)
    write_png(figure, path)


def chain(genotype: MacroGenotype, path: Path) -> None:
    """Write the layers of a macro architecture from left to right as a PNG, with skip connections as arcs."""
    count = len(genotype.layers)
    longest = max((number - skip for number, layer in enumerate(genotype.layers, 1) for skip in layer.skips), default=1)
    figure = Figure(figsize=(1.7 * (count + 2), 1.2 + 0.45 * longest), layout="constrained")
    axes = figure.add_subplot()
    names = ["stem", *(layer.operation for layer in genotype.layers), "classes"]
    for number, name in enumerate(names):
        _box(axes, (1.7 * number, 0), _SHORT.get(name, name), _COLOURS.get(name, _INK))
        if number:
            _arrow(axes, [(1.7 * (number - 1) + 0.6, 0), (1.7 * number - 0.6, 0)], _INK)
    for number, layer in enumerate(genotype.layers, 1):
        for skip in layer.skips:
            start, end, height = 1.7 * skip + 0.25, 1.7 * number - 0.25, 0.3 + 0.45 * (number - skip)
            _arrow(axes, [(start, 0.25), (start, height), (end, height), (end, 0.25)], _INK)
    _frame(axes, (-0.8, 1.7 * (count + 1) + 0.8), (-0.4, 0.4 + 0.36 * longest))
    write_png(figure, path)


def _cell(axes: Axes, nodes: tuple[Node, ...], bottom: float) -> None:
    columns, rows = _columns(nodes), _rows(nodes)
    middle = _COLUMN * (len(nodes) - 1) / 2
    positions = [(middle - 1.6, 0.0), (middle + 1.6, 0.0)]
    positions += [(_COLUMN * column, -_ROW * row) for column, row in zip(columns, rows[2:], strict=True)]
    for position, node in zip(positions[2:], nodes, strict=True):
        for edge, side in zip(node.edges, _sides(node, positions), strict=True):
            _edge(axes, positions[edge.state], position, edge, side)
    for end in loose_ends(nodes):
        x, y = positions[end]
        _arrow(axes, [(x, y - 0.22), (x, bottom + 0.25)], _INK, "--")
    for state, position in enumerate(positions):
        _box(axes, position, ("cell before last", "last cell")[state] if state < 2 else f"+ {state - 1}")
    _box(axes, (middle, bottom), "concatenation of the loose ends", width=_COLUMN * len(nodes) - 0.4)
    _frame(axes, (-1.5, _COLUMN * (len(nodes) - 1) + 1.5), (bottom - 0.4, 0.4))


def _edge(axes: Axes, start: Position, end: Position, edge: Edge, side: float) -> None:
    """From a state through a box with the operation, left or right above the node, into the node.

    The arrow reaches the column of its box before the next row and then goes straight down, past other nodes.
    """
    colour, x, y = _COLOURS[edge.operation], end[0] + 0.66 * side, end[1] + 0.78
    source = start[0] + 0.2 * (x - start[0]) / max(abs(x - start[0]), 1)
    below, knee = start[1] - 0.25, start[1] + y + 0.2 - (end[1] + _ROW)
    half = (below + knee) / 2
    _arrow(axes, [(source, below), (source, half), (x, half), (x, knee), (x, y + 0.2)], colour)
    _arrow(axes, [(x, y - 0.2), (end[0] + 0.22 * side, end[1] + 0.2)], colour)
    _box(axes, (x, y), _SHORT[edge.operation], colour)


def _sides(node: Node, positions: Sequence[Position]) -> Position:
    """Sides of a node's two edges: -1 = left, for the edge that comes from further left."""
    return (-1, 1) if positions[node.first.state][0] <= positions[node.second.state][0] else (1, -1)


def _rows(nodes: tuple[Node, ...]) -> list[int]:
    """Row of every state: 0 for the inputs, and one below the lowest state that it reads for a node."""
    rows = [0, 0]
    for node in nodes:
        rows.append(1 + max(rows[edge.state] for edge in node.edges))
    return rows


def _columns(nodes: tuple[Node, ...]) -> list[int]:
    """Column of every node, next to the last of the nodes that it reads, so that no edge crosses a node."""
    order: list[int] = []
    for number, node in enumerate(nodes):
        source = max(edge.state for edge in node.edges) - 2
        order.insert(order.index(source) + 1 if source >= 0 else len(order), number)
    return [order.index(number) for number in range(len(nodes))]


def _arrow(axes: Axes, points: Sequence[Position], colour: str, style: str = "-") -> None:
    """A straight line through two points; a Bézier curve through four, with a straight line after it for five."""
    curve = [MplPath.CURVE4] * 3 if len(points) > 2 else []
    codes = [MplPath.MOVETO, *curve, *[MplPath.LINETO] * (len(points) - 1 - len(curve))]
    path = MplPath(points, codes)
    arrow = FancyArrowPatch(path=path, arrowstyle="-|>", mutation_scale=11, color=colour, lw=1.6, ls=style, zorder=1)
    axes.add_patch(arrow)


def _box(axes: Axes, position: Position, text: str, colour: str = _INK, width: float = 0.0) -> None:
    width = width or 0.3 + 0.1 * len(text)
    corner = (position[0] - width / 2, position[1] - 0.15)
    operation = colour != _INK
    fill = colour if operation else _PAPER
    axes.add_patch(FancyBboxPatch(corner, width, 0.3, boxstyle="round,pad=0.05", zorder=2, fc=fill, ec=colour, lw=1.4))
    axes.text(*position, text, ha="center", va="center", fontsize=9.5, color="white" if operation else _INK, zorder=3)


def _frame(axes: Axes, across: Position, up: Position) -> None:
    axes.set_xlim(*across)
    axes.set_ylim(*up)
    axes.set_axis_off()


def _line(axes: Axes, history: Sequence[Mapping[str, float]], key: str, label: str, **style: object) -> None:
    """Plot the records that have ``key``; while warming up there is no reward."""
    points = [(record["epoch"], record[key]) for record in history if key in record]
    if points:
        axes.plot(*zip(*points, strict=True), label=label, **style)  # type: ignore[arg-type]
