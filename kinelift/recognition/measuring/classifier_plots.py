"""Figures for reports: the confusion matrix, and a motion image with its rows and columns explained."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kinelift.recognition.encoding import colours
from kinelift.recognition.encoding.spmf import Encoding, encode
from kinelift.recognition.figures import write_png
from kinelift.terminal.figure_fonts import Fonts

MAX_NAMED_ROWS = 160
"""Rows of the largest image whose rows are named."""

_TIME = {"interleaved": "seconds (columns alternate between pose and motion)", "stacked": "seconds (motion below pose)"}


def confusion(matrix: Int[np.ndarray, "K K"], labels: Sequence[str], title: str, path: Path) -> None:
    """Write a confusion matrix as a PNG.

    Args:
        matrix: Clips by true label (row) and predicted label (column). Colours show shares of a row.
        labels: Names of rows and columns.
        title: Of the figure.
        path: PNG to write.
    """
    figure = Figure(figsize=(7.2, 6.4), layout="constrained")
    axes = figure.add_subplot()
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(matrix):
        if count:
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=colour)
    fonts = Fonts.of(labels)
    names = [fonts.legible(label) for label in labels]
    counted = [f"{name} ({n})" for name, n in zip(names, matrix.sum(axis=1), strict=True)]
    literal: dict[str, Any] = {"parse_math": False, "fontfamily": fonts.families}
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", **literal)
    axes.set_yticks(range(len(names)), counted, **literal)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true label (clips)")
    axes.set_title(title)
    write_png(figure, path)


def motion_image(
    motion: Float[np.ndarray, "T J 3"], encoding: Encoding, start: float, seconds: float, path: Path
) -> None:
    """Write a motion image as a PNG with names of rows, time, and colour scales.

    An equalised image is shown before equalisation too, because the scales hold only there. Rows are unnamed if there
    are more than ``MAX_NAMED_ROWS``, or fewer than features.

    Args:
        motion: Evenly spaced, finite poses.
        encoding: How to draw them.
        start: Time of the first pose, in seconds.
        seconds: Length of the motion.
        path: PNG to write.
    """
    variants = {"colours of the scales": replace(encoding, equalise="none")}
    if encoding.equalise != "none":
        variants[f"equalised ({encoding.equalise}), as a network sees it"] = encoding
    named = encoding.features <= encoding.rows <= MAX_NAMED_ROWS
    height = max(6.0, 0.16 * encoding.rows) if named else 6.0
    figure = Figure(figsize=(1.5 + 4.5 * len(variants) + 2.5 * named, height), layout="constrained")
    *left, right = figure.subplots(1, len(variants) + 1, width_ratios=[4.0] * len(variants) + [0.8])
    for axes, (title, variant) in zip(left, variants.items(), strict=True):
        axes.imshow(
            encode(motion[None], variant)[0],
            interpolation="nearest",
            extent=(start, start + seconds, encoding.rows, 0),
            aspect="auto",
        )
        axes.set_title(title, fontsize=9)
        axes.set_xlabel(_TIME[encoding.columns], fontsize=9)
        axes.set_yticks([])
    _name_rows(left[0], encoding, named)
    _scales(right, encoding)
    write_png(figure, path)


def _name_rows(axes: Axes, encoding: Encoding, named: bool) -> None:
    names = [
        *(f"|{a} – {b}|" for a, b in encoding.distances),
        *(f"{a} → {b}" for a, b in encoding.orientations),
        *(f"{joint} moves" for joint in encoding.moves),
    ]
    if named:
        ordered = [names[row].replace("_", " ") for row in encoding.arrangement]
        if encoding.columns == "stacked":
            posed = [name for name in ordered if not name.endswith("moves")]
            ordered = posed + [name if name.endswith("moves") else f"{name}, motion" for name in ordered]
        positions = (np.arange(len(ordered)) + 0.5) * encoding.rows / len(ordered)
        axes.set_yticks(positions, ordered, fontsize=7)
    else:
        counts = len(encoding.distances), len(encoding.orientations), len(encoding.moves)
        shown = (f"{n} {what}" for n, what in zip(counts, ("distances", "directions", "moves"), strict=True) if n)
        axes.set_ylabel(f"{' and '.join(shown)} in {encoding.rows} rows")


def _scales(axes: Axes, encoding: Encoding) -> None:
    """The colours of distances and of directions."""
    axes.axis("off")
    bar = axes.inset_axes((0.0, 0.55, 0.25, 0.4))
    bar.imshow(colours.of_distances(np.linspace(1, 0, 128))[:, None], extent=(0, 1, 0, 1), aspect="auto")
    bar.set_xticks([])
    bar.yaxis.tick_right()
    bar.set_title("distance\n(body sizes)", fontsize=9, loc="left")
    if encoding.distance_range == "fixed":
        bar.set_yticks([0, 0.5, 1], ["0", f"{encoding.reach / 2:g}", f"≥ {encoding.reach:g}"], fontsize=8)
    else:
        bar.set_yticks([0, 1], ["shortest", "longest"], fontsize=8)
    table = axes.inset_axes((0.0, 0.02, 0.25, 0.36))
    table.imshow(colours.of_vectors(np.concatenate([np.eye(3), -np.eye(3)]), "unit", 1.0)[:, None], aspect="auto")
    table.set_xticks([])
    table.set_yticks(range(6), _direction_names(encoding), fontsize=8)
    table.yaxis.tick_right()
    table.set_title(_table_title(encoding), fontsize=9, loc="left")


def _table_title(encoding: Encoding) -> str:
    """Title of the colour table: what its full colours mean."""
    lines = ["direction"]
    if encoding.arrows == "scaled":
        lines.append(f"({encoding.vector_range:.2g} body sizes)")
    if encoding.moves:
        lines.append(f"(moves: {encoding.travel:g})")
    return "\n".join(lines)


def _direction_names(encoding: Encoding) -> tuple[str, ...]:
    """Names of x, y, z and of their opposites."""
    if encoding.axes == "recorded":
        return "+x", "+y", "+z", "−x", "−y", "−z"
    if encoding.skeleton.endswith("-pair"):
        return "1 → 2", "up", "aside, +z", "2 → 1", "down", "aside, −z"
    return "left", "up", "ahead", "right", "down", "back"
