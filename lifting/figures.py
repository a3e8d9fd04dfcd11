"""Figures for reports: errors by action, and the course of training."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lifting.evaluation import Report
from poses.errors import SettingsError
from poses.output import make_folder, replacing

FORMATS = (".png", ".pdf", ".svg")


def errors_by_action(reports: Mapping[str, Report]) -> Figure:
    """Bars of MPJPE, and within them P-MPJPE, of every report by action; the mean over actions is a line."""
    names = list(next(iter(reports.values())).actions)
    figure = Figure(figsize=(8, 1.2 + 0.22 * len(names) * len(reports)), layout="constrained")
    axes = figure.add_subplot()
    height = 0.8 / len(reports)
    for k, (way, found) in enumerate(reports.items()):
        places = np.arange(len(names)) + (k - (len(reports) - 1) / 2) * height
        for key, shade, note in (("mpjpe", 0.45, ""), ("p_mpjpe", 1.0, ", after Procrustes")):
            values = [getattr(found.actions[name], key) for name in names]
            axes.barh(places, values, 0.9 * height, color=f"C{k}", alpha=shade, label=way + note)
        axes.axvline(found.action_mean.mpjpe, color=f"C{k}", linewidth=0.8, linestyle="--")
    axes.set_yticks(np.arange(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel("MPJPE, mm (dashed: mean over actions)")
    axes.legend(fontsize="small")
    return figure


def training_curves(runs: Mapping[str, Sequence[Mapping[str, float]]]) -> Figure:
    """Validation errors by epoch of runs, each given by the records of its log."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    for k, (name, records) in enumerate(runs.items()):
        epochs = [record["epoch"] for record in records]
        for key, style, note in (("mpjpe", "-", "MPJPE"), ("p_mpjpe", "--", "P-MPJPE")):
            axes.plot(epochs, [record[key] for record in records], style, color=f"C{k}", label=f"{name}, {note}")
    axes.set_xlabel("epoch")
    axes.set_ylabel("mm")
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write it as PNG, PDF or SVG, by the name's ending. Raises ``SettingsError`` for another, ``OutputError``."""
    if path.suffix not in FORMATS:
        raise SettingsError(f"A figure cannot be written as {path.name}. End its name in one of {', '.join(FORMATS)}.")
    FigureCanvasAgg(figure)
    make_folder(path.parent)
    with replacing(path) as part:
        figure.savefig(part, format=path.suffix[1:], dpi=150)
