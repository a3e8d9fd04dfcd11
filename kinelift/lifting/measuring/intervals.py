"""Confidence intervals of mean errors: clips are drawn again at random, many times (the bootstrap, Efron 1979)."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

DRAWS = 1000
CONFIDENCE = 95
"""Percent."""

Bounds = Float[np.ndarray, "2 M"]


def confidence_intervals(
    totals: Float[np.ndarray, "C M"], counts: Float[np.ndarray, "C M"], actions: Sequence[str]
) -> tuple[Bounds, Bounds]:
    """Percentile intervals of the mean over all frames, and of the mean over actions.

    From the clips of each action as many are drawn as there are, with replacement, with a fixed seed. Frames of a clip
    depend on each other, so they stay together. An action with a single clip adds nothing to the width.

    Args:
        totals: Sum of each of M metrics over the frames of each of C clips.
        counts: Number of frames summed.
        actions: The action of each clip.

    Returns:
        Lower and upper bounds; NaN if no action has two clips, or a metric has no frames.
    """
    names = sorted(set(actions))
    members = [np.flatnonzero([action == name for action in actions]) for name in names]
    if max(map(len, members)) < 2:
        unknown = np.full((2, totals.shape[1]), np.nan)
        return unknown, unknown
    generator = np.random.default_rng(0)
    sums, frames = np.zeros((2, len(names), DRAWS, totals.shape[1]))
    for k, chosen in enumerate(members):
        times = generator.multinomial(len(chosen), np.full(len(chosen), 1 / len(chosen)), DRAWS)
        sums[k], frames[k] = times @ totals[chosen], times @ counts[chosen]
    return _bounds(_ratio(sums.sum(0), frames.sum(0))), _bounds(_mean(_ratio(sums, frames)))


def _ratio(sums: Float[np.ndarray, "*N M"], frames: Float[np.ndarray, "*N M"]) -> Float[np.ndarray, "*N M"]:
    """Means; NaN where there are no frames."""
    means: Float[np.ndarray, "*N M"] = np.divide(sums, frames, out=np.full_like(sums, np.nan), where=frames > 0)
    return means


def _mean(means: Float[np.ndarray, "A N M"]) -> Float[np.ndarray, "N M"]:
    """The mean over the actions that have frames."""
    known = np.isfinite(means)
    return _ratio(np.where(known, means, 0.0).sum(0), known.sum(0).astype(float))


def _bounds(means: Float[np.ndarray, "N M"]) -> Bounds:
    """The percentiles of each metric over the draws in which it is known."""
    tail = (100 - CONFIDENCE) / 2
    found = [column[np.isfinite(column)] for column in means.T]
    rows = [np.percentile(one, (tail, 100 - tail)) if len(one) else np.full(2, np.nan) for one in found]
    return np.stack(rows, 1)
