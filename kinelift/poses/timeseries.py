"""Values over time: linear interpolation, resampling, and gaps. NaN marks what is not known."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from scipy.interpolate import PchipInterpolator

_ROUNDING = 1e-6
"""Share of the time between two frames: a time this close to the middle counts as halfway."""
_SLACK = 1e-9
"""Seconds by which a gap may exceed the longest one, for rounding."""


class Gaps(NamedTuple):
    """The frames to fill, and for each of them the last known frame before and the first known frame after it."""

    frames: Bool[np.ndarray, " T"]
    before: Int[np.ndarray, " G"]
    after: Int[np.ndarray, " G"]


def interpolate(
    values: Float[np.ndarray, "*values"], places: Float[np.ndarray, " T"], axis: int = 0
) -> Float[np.ndarray, "*out"]:
    """Linear interpolation between rows.

    Args:
        values: N rows along ``axis``.
        places: Row numbers from 0 to N − 1, whole or fractional.
        axis: The axis to interpolate along.

    Returns:
        ``values`` with T rows along ``axis``. A whole row number gives exactly that row.
    """
    last = values.shape[axis] - 1
    before = np.clip(np.floor(places).astype(int), 0, last)
    after = np.minimum(before + 1, last)
    share = (places - before).reshape(-1, *(1,) * (values.ndim - 1 - axis))
    return (1 - share) * values.take(before, axis) + share * values.take(after, axis)


def sample(
    points: Float[np.ndarray, "T J C"], times: Float[np.ndarray, " T"], at: Float[np.ndarray, "*B"]
) -> tuple[Float[np.ndarray, "*B J C"], Bool[np.ndarray, "*B J"]]:
    """Points at any times, without looking across gaps.

    A point is interpolated linearly between two frames that both know it. Where only one of them does, the nearer frame
    counts, and the earlier one exactly in the middle. Before the first and after the last frame their points repeat.

    Args:
        points: NaN where a joint is not known.
        times: Of the frames, in seconds, increasing.
        at: The times asked for, in seconds.

    Returns:
        The points, 0 where they are not known, and which ones are known.
    """
    at = np.clip(at, times[0], times[-1])
    after = np.clip(np.searchsorted(times, at), 1, max(len(times) - 1, 1)).clip(max=len(times) - 1)
    before = np.maximum(after - 1, 0)
    span = np.maximum(times[after] - times[before], np.finfo(float).tiny)
    share = np.where(after > before, (at - times[before]) / span, 0.0)
    known = np.isfinite(points).all(-1)
    whole = np.where(known[..., None], points, 0.0)
    nearer = np.where(share > 0.5 + _ROUNDING, after, before)
    both = (known[before] & known[after])[..., None]
    between = whole[before] + share[..., None, None] * (whole[after] - whole[before])
    return np.where(both, between, whole[nearer]), known[nearer]


def resample(
    points: Float[np.ndarray, "T J C"], times: Float[np.ndarray, " T"], rate: float, longest_gap: float
) -> Float[np.ndarray, "N J C"]:
    """Points at an even ``rate`` (Hz) from the first time on, with gaps of up to ``longest_gap`` seconds filled.

    Every coordinate is interpolated linearly by itself. What is known first and last is held for ``longest_gap``.

    Args:
        points: NaN where a joint is not known.
        times: In seconds, increasing, at least one.
        rate: Frames a second to give.
        longest_gap: Longer gaps stay NaN.
    """
    times = times - times[0]
    grid = np.arange(int(np.floor(times[-1] * rate + 1e-6)) + 1) / rate
    columns = points.reshape(len(points), -1).T
    even = np.stack([_resampled(grid, times, column, longest_gap) for column in columns], axis=1)
    return even.reshape(len(grid), *points.shape[1:])


def fill_linear(
    values: Float[np.ndarray, "T *C"], times: Shaped[np.ndarray, " T"], known: Bool[np.ndarray, " T"]
) -> Float[np.ndarray, "T *C"]:
    """Unknown rows interpolated linearly over time; before the first and after the last known row, that row repeats.

    At least one row must be known.
    """
    flat = values[known].reshape(int(known.sum()), -1)
    filled = np.stack([np.interp(times, times[known], column) for column in flat.T], axis=1)
    return filled.reshape(values.shape).astype(values.dtype)


def fill_monotone(
    values: Float[np.ndarray, "T C"], times: Float[np.ndarray, " T"], longest_gap: float
) -> tuple[Float[np.ndarray, "T C"], Gaps]:
    """NaN rows in gaps of up to ``longest_gap`` seconds filled by PCHIP, which never overshoots what is known.

    Source: Fritsch and Butland, A method for constructing local monotone piecewise cubic interpolants, 1984.

    Returns:
        The values, and the gaps that were filled. Longer gaps, and those at either end, stay NaN.
    """
    known = np.isfinite(values).all(axis=-1)
    gaps = short_gaps(known, times, longest_gap)
    out = values.copy()
    if gaps.frames.any():
        out[gaps.frames] = PchipInterpolator(times[known], values[known])(times[gaps.frames])
    return out, gaps


def short_gaps(known: Bool[np.ndarray, " T"], times: Float[np.ndarray, " T"], longest_gap: float) -> Gaps:
    """Gaps of up to ``longest_gap`` seconds, measured from known frame to known frame."""
    frames = np.arange(len(known))
    before = np.maximum.accumulate(np.where(known, frames, -1))
    after = np.minimum.accumulate(np.where(known, frames, len(known))[::-1])[::-1]
    inside = ~known & (before >= 0) & (after < len(known))
    gap = np.zeros_like(known)
    gap[inside] = times[after[inside]] - times[before[inside]] <= longest_gap + _SLACK
    return Gaps(gap, before[gap], after[gap])


def _resampled(
    grid: Float[np.ndarray, " N"], times: Float[np.ndarray, " T"], values: Float[np.ndarray, " T"], longest_gap: float
) -> Float[np.ndarray, " N"]:
    known = np.isfinite(values)
    if not known.any():
        return np.full(len(grid), np.nan)
    seen = times[known]
    out = np.interp(grid, seen, values[known])
    after = np.searchsorted(seen, grid).clip(1, max(len(seen) - 1, 1))
    width = np.diff(seen)[after - 1] if len(seen) > 1 else np.zeros(len(grid))
    frame = np.median(np.diff(times)) if len(times) > 1 else 0.0
    outside = (grid < seen[0] - longest_gap) | (grid > seen[-1] + longest_gap)
    return np.where(outside | (width > longest_gap + frame), np.nan, out)
