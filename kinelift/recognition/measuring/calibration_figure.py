"""Figure of a calibration: how often confidence is justified, and the effect of the threshold."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kinelift.recognition.calibration import Reliability, Trust
from kinelift.recognition.figures import write_png


def write_calibration_figure(
    path: Path,
    reliability: Reliability,
    thresholds: Float[np.ndarray, " N"],
    curve: Sequence[Trust],
    chosen: float,
) -> None:
    """Write a PNG with a reliability diagram, and the shares of ``curve`` over ``thresholds``.

    Args:
        path: PNG to write.
        reliability: Bins of the diagram.
        thresholds: Of ``curve``.
        curve: Trust at every threshold.
        chosen: The threshold to mark.
    """
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_reliability(left, reliability)
    for name, label, colour in (
        ("named", "known actions that get a name", "#4c8fd9"),
        ("precision", "names that are correct", "#6fb35c"),
        ("false_accept_rate", "unknown motion that gets a name", "#e15759"),
    ):
        right.plot(thresholds, [getattr(trust, name) for trust in curve], label=label, color=colour)
    right.axvline(chosen, color="#555555", linestyle=":", label=f"threshold {chosen:.2f}")
    right.set(xlabel="threshold of the probability", ylabel="share of windows", xlim=(0, 1), ylim=(0, 1.02))
    right.grid(color="#dddddd")
    right.legend(fontsize=8, loc="lower left")
    write_png(figure, path)


def _draw_reliability(axes: Axes, reliability: Reliability) -> None:
    """A bar for the accuracy of each bin, a dot at its confidence, and the number of its windows."""
    bins = len(reliability.counts)
    middles = (np.arange(bins) + 0.5) / bins
    occupied = reliability.counts > 0
    axes.bar(middles[occupied], reliability.accuracy[occupied], 0.94 / bins, color="#9dc3ea", label="accuracy")
    axes.plot(
        reliability.confidence[occupied],
        reliability.accuracy[occupied],
        "o",
        color="#2b5c94",
        markersize=4,
        label="confidence",
    )
    axes.plot([0, 1], [0, 1], color="#555555", linewidth=0.8, label="perfect calibration")
    for middle, height, count in zip(
        middles[occupied], reliability.accuracy[occupied], reliability.counts[occupied], strict=True
    ):
        axes.text(middle, height + 0.02, f"{count:,}", ha="center", fontsize=7)
    axes.set(xlabel="probability of the most probable label", ylabel="share correct", xlim=(0, 1), ylim=(0, 1.08))
    axes.set_title(f"expected calibration error {reliability.error:.1%} ({bins} bins)", fontsize=10)
    axes.legend(fontsize=8, loc="upper left")
