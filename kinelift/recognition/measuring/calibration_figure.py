"""A calibration to look at: is 80 % right in 80 of 100 cases, and what would another threshold cost?"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from kinelift.poses.output import make_folder, replacing
from kinelift.recognition.calibration import Reliability, Trust


def write_calibration_figure(
    path: Path,
    found: Reliability,
    thresholds: Float[np.ndarray, " N"],
    curve: Sequence[Trust],
    chosen: float,
) -> None:
    """Reliability diagram beside the shares of ``curve`` over ``thresholds``; a line marks the ``chosen`` one."""
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_reliability(left, found)
    for name, label, colour in (
        ("named", "known actions that get a name", "#4c8fd9"),
        ("precision", "names that are right", "#6fb35c"),
        ("false_accept_rate", "unknown motion that gets a name", "#e15759"),
    ):
        right.plot(thresholds, [getattr(trust, name) for trust in curve], label=label, color=colour)
    right.axvline(chosen, color="#555555", linestyle=":", label=f"threshold {chosen:.2f}")
    right.set(xlabel="threshold of the claim", ylabel="share of windows", xlim=(0, 1), ylim=(0, 1.02))
    right.grid(color="#dddddd")
    right.legend(fontsize=8, loc="lower left")
    make_folder(path.parent)
    with replacing(path) as part, part.open("wb") as file:
        FigureCanvasAgg(figure).print_png(file)


def _draw_reliability(axes: Axes, found: Reliability) -> None:
    """A bar as high as the accuracy of its windows, and a dot at their confidence; numbers count the windows."""
    bins = len(found.counts)
    middles = (np.arange(bins) + 0.5) / bins
    full = found.counts > 0
    axes.bar(middles[full], found.accuracy[full], 0.94 / bins, color="#9dc3ea", label="right")
    axes.plot(found.confidence[full], found.accuracy[full], "o", color="#2b5c94", markersize=4, label="bin")
    axes.plot([0, 1], [0, 1], color="#555555", linewidth=0.8, label="as it should be")
    for middle, height, count in zip(middles[full], found.accuracy[full], found.counts[full], strict=True):
        axes.text(middle, height + 0.02, f"{count:,}", ha="center", fontsize=7)
    axes.set(xlabel="probability of the likeliest label", ylabel="share right", xlim=(0, 1), ylim=(0, 1.08))
    axes.set_title(f"expected calibration error {found.error:.1%} ({bins} bins)", fontsize=10)
    axes.legend(fontsize=8, loc="upper left")
