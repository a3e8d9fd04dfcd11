"""Figures for reports: the confusion matrix, and a motion image with its rows and columns explained."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Int, UInt8
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from poses.output import make_folder, replacing
from recognition.spmf import Encoding


def confusion(matrix: Int[np.ndarray, "K K"], labels: Sequence[str], title: str, path: Path) -> None:
    """Clips of each label (row) by what they were called (column); the colour is the share of the row."""
    figure = Figure(figsize=(7.2, 6.4), layout="constrained")
    axes = figure.add_subplot()
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(matrix):
        if count:
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=colour)
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
    axes.set_yticks(range(len(labels)), [f"{label} ({n})" for label, n in zip(labels, matrix.sum(axis=1), strict=True)])
    axes.set_xlabel("called")
    axes.set_ylabel("shown (clips)")
    axes.set_title(title)
    _write(figure, path)


def motion_image(picture: UInt8[np.ndarray, "H W 3"], encoding: Encoding, seconds: float, path: Path) -> None:
    """A motion image with a name at every row and seconds below; rows are unnamed where they were resized."""
    figure = Figure(figsize=(8, 8), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(picture, interpolation="nearest", extent=(0, seconds, len(picture), 0), aspect="auto")
    axes.set_xlabel("seconds (pose and motion columns in turn)")
    _name_rows(axes, encoding)
    _write(figure, path)


def _name_rows(axes: Axes, encoding: Encoding) -> None:
    rows = [f"|{a} – {b}|" for a, b in encoding.distances] + [f"{a} → {b}" for a, b in encoding.orientations]
    if len(rows) == encoding.rows:
        axes.set_yticks(np.arange(len(rows)) + 0.5, rows, fontsize=7)
    else:
        axes.set_ylabel(f"{len(encoding.distances)} distances, then {len(encoding.orientations)} directions")


def _write(figure: Figure, path: Path) -> None:
    make_folder(path.parent)
    with replacing(path) as part, part.open("wb") as file:
        FigureCanvasAgg(figure).print_png(file)
