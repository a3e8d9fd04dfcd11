"""Figures for reports: errors by action, and training curves."""

from collections.abc import Mapping, Sequence
from math import nan
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from kinelift.lifting.measuring.evaluation import METRICS, POSITION, Report
from kinelift.poses.errors import SettingsError
from kinelift.poses.output import make_folder, replacing

FORMATS = (".png", ".pdf", ".svg")


def errors_by_action(reports: Mapping[str, Report]) -> Figure:
    """Bar chart of MPJPE and, inside it, P-MPJPE of every report by action, with the mean over actions as a line.

    An action without measurements in a report has no bar there.
    """
    names = list(dict.fromkeys(name for report in reports.values() for name in report.actions))
    figure = Figure(figsize=(8, 1.2 + 0.22 * len(names) * len(reports)), layout="constrained")
    axes = figure.add_subplot()
    height = 0.8 / len(reports)
    for k, (title, report) in enumerate(reports.items()):
        positions = np.arange(len(names)) + (k - (len(reports) - 1) / 2) * height
        for key, alpha in zip(POSITION, (0.45, 1.0), strict=True):
            values = [getattr(report.actions.get(name), key, nan) for name in names]
            axes.barh(positions, values, 0.9 * height, color=f"C{k}", alpha=alpha, label=f"{title}, {METRICS[key]}")
        axes.axvline(report.action_mean.mpjpe, color=f"C{k}", linewidth=0.8, linestyle="--")
    axes.set_yticks(np.arange(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlabel("mm (dashed: MPJPE, mean over actions)")
    figure.legend(loc="outside upper center", ncols=min(len(reports), 3), fontsize="small")
    return figure


def training_curves(runs: Mapping[str, Sequence[Mapping[str, float]]]) -> Figure:
    """Validation errors by epoch of several runs, from the records of their logs."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    for k, (name, records) in enumerate(runs.items()):
        epochs = [record["epoch"] for record in records]
        for key, style in zip(POSITION, ("-", "--"), strict=True):
            values = [record[key] for record in records]
            axes.plot(epochs, values, style, color=f"C{k}", label=f"{name}, {METRICS[key]}")
    axes.set_xlabel("epoch")
    axes.set_ylabel("mm")
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a figure in the format of the file name's extension: PNG, PDF or SVG.

    Raises:
        SettingsError: The extension is another one.
        OutputError: The file cannot be written.
    """
    if path.suffix not in FORMATS:
        raise SettingsError(f"Cannot write a figure as {path.name}. Use one of these extensions: {', '.join(FORMATS)}.")
    FigureCanvasAgg(figure)
    make_folder(path.parent)
    with replacing(path) as part:
        figure.savefig(part, format=path.suffix[1:], dpi=150)
