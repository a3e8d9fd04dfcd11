"""Interpolation, resampling and gap filling of values over time. NaN marks unknown values."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from scipy.interpolate import PchipInterpolator

_ROUNDING = 1e-6
"""Fraction of the time between two frames: a time this close to the middle counts as halfway."""
_SLACK = 1e-9
"""Seconds by which rounding may lengthen a gap."""


_ONE_MISSING = 1.25
"""Frames: the shortest limit of a gap, beyond the usual time between two frames."""


_ONLY_FRAME = 1 / 30
"""Seconds that a frame lasts if it is the only one."""


class Gaps(NamedTuple):
    """Frames in gaps, and for each the last known frame before and the first known frame after it."""

    frames: Bool[np.ndarray, " T"]
    before: Int[np.ndarray, " G"]
    after: Int[np.ndarray, " G"]


def median_interval(times: Float[np.ndarray, " T"]) -> float:
    """The usual time between two frames, s; 0 for fewer than two."""
    return float(np.median(np.diff(times))) if len(times) > 1 else 0.0


def span(times: Float[np.ndarray, " T"]) -> tuple[float, float]:
    """From the first frame to the end of the last one (s), which lasts as long as frames usually do.

    People, their actions and whatever else lasts for some frames begin and end in this way.
    """
    return float(times[0]), float(times[-1]) + (median_interval(times) or _ONLY_FRAME)


def interpolate(
    values: Float[np.ndarray, "*values"], positions: Float[np.ndarray, " T"], axis: int = 0
) -> Float[np.ndarray, "*out"]:
    """Linear interpolation between rows.

    Args:
        values: N rows along ``axis``.
        positions: Row numbers from 0 to N − 1, whole or fractional.
        axis: The axis to interpolate along.

    Returns:
        ``values`` with T rows along ``axis``. A whole row number gives exactly that row.
    """
    last = values.shape[axis] - 1
    before = np.clip(np.floor(positions).astype(int), 0, last)
    after = np.minimum(before + 1, last)
    weight = (positions - before).reshape(-1, *(1,) * (values.ndim - 1 - axis))
    if not weight.any():
        return np.asarray(values.take(before, axis))
    rows: Float[np.ndarray, "*out"] = (1 - weight) * values.take(before, axis)
    rows += weight * values.take(after, axis)
    return rows


def sample(
    points: Float[np.ndarray, "T J C"], times: Float[np.ndarray, " T"], at: Float[np.ndarray, "*B"]
) -> tuple[Float[np.ndarray, "*B J C"], Bool[np.ndarray, "*B J"]]:
    """Points at given times, without interpolating across gaps.

    A point is interpolated linearly between two frames if it is known in both. Otherwise the nearer frame's is taken,
    or the earlier frame's exactly halfway. Times outside the series take the first or last frame.

    Args:
        points: NaN where a joint is not known.
        times: Time of each frame, s, increasing.
        at: Times to sample at, s.

    Returns:
        The points, 0 where not known, and whether each is known.
    """
    at = np.clip(at, times[0], times[-1])
    after = np.clip(np.searchsorted(times, at), 1, max(len(times) - 1, 1)).clip(max=len(times) - 1)
    before = np.maximum(after - 1, 0)
    span = np.maximum(times[after] - times[before], np.finfo(float).tiny)
    weight = np.where(after > before, (at - times[before]) / span, 0.0)
    known = np.isfinite(points).all(-1)
    filled = np.where(known[..., None], points, 0.0)
    nearer = np.where(weight > 0.5 + _ROUNDING, after, before)
    both = (known[before] & known[after])[..., None]
    between = filled[before] + weight[..., None, None] * (filled[after] - filled[before])
    return np.where(both, between, filled[nearer]), known[nearer]


def resample(
    points: Float[np.ndarray, "T J C"], times: Float[np.ndarray, " T"], rate: float, longest_gap: float
) -> Float[np.ndarray, "N J C"]:
    """Resample points at a constant rate from the first time on, filling short gaps.

    Each coordinate is interpolated linearly on its own. The first and last known values are held for ``longest_gap``.

    Args:
        points: NaN where a joint is not known.
        times: Seconds, increasing, at least one.
        rate: Frame rate of the result, Hz.
        longest_gap: Gaps longer than this, s, stay NaN, unless only one frame is missing.
    """
    times = times - times[0]
    grid = np.arange(int(np.floor(times[-1] * rate + 1e-6)) + 1) / rate
    columns = points.reshape(len(points), -1).T
    even = np.stack([_resampled(grid, times, column, longest_gap) for column in columns], axis=1)
    return even.reshape(len(grid), *points.shape[1:])


def fill_linear(
    values: Float[np.ndarray, "T *C"], times: Shaped[np.ndarray, " T"], known: Bool[np.ndarray, " T"]
) -> Float[np.ndarray, "T *C"]:
    """Interpolate unknown rows linearly over time; the first and last known rows are repeated outwards.

    Args:
        values: A row per frame.
        times: Time of each row.
        known: Which rows are known: at least one.
    """
    flat = values[known].reshape(int(known.sum()), -1)
    filled = np.stack([np.interp(times, times[known], column) for column in flat.T], axis=1)
    return filled.reshape(values.shape).astype(values.dtype)


def hold(values: Float[np.ndarray, "T C"]) -> Float[np.ndarray, "T C"]:
    """Fill NaN rows with the last known row before them, or the first known one; all stay NaN if none is known."""
    known = np.isfinite(values).all(-1)
    first = int(known.argmax())
    return values[np.maximum.accumulate(np.where(known, np.arange(len(values)), first))]


def fill_monotone(
    values: Float[np.ndarray, "T C"], times: Float[np.ndarray, " T"], longest_gap: float
) -> tuple[Float[np.ndarray, "T C"], Gaps]:
    """Fill NaN rows in short gaps by PCHIP interpolation, which does not overshoot the known values.

    Source: Fritsch and Butland, A method for constructing local monotone piecewise cubic interpolants, 1984.

    Args:
        values: NaN where unknown.
        times: Time of each row, s.
        longest_gap: Gaps longer than this, s, stay NaN, as do those at either end.

    Returns:
        The filled values, and the gaps that were filled.
    """
    known = np.isfinite(values).all(axis=-1)
    gaps = short_gaps(known, times, longest_gap)
    out = values.copy()
    if gaps.frames.any():
        out[gaps.frames] = PchipInterpolator(times[known], values[known])(times[gaps.frames])
    return out, gaps


def short_gaps(known: Bool[np.ndarray, " T"], times: Float[np.ndarray, " T"], longest_gap: float) -> Gaps:
    """Find gaps of up to ``longest_gap`` seconds, measured from known frame to known frame."""
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
    known_times = times[known]
    out = np.interp(grid, known_times, values[known])
    after = np.searchsorted(known_times, grid).clip(1, max(len(known_times) - 1, 1))
    width = np.diff(known_times)[after - 1] if len(known_times) > 1 else np.zeros(len(grid))
    frame = median_interval(times)
    longest_gap = max(longest_gap, _ONE_MISSING * frame)
    outside = (grid < known_times[0] - longest_gap) | (grid > known_times[-1] + longest_gap)
    return np.where(outside | (width > longest_gap + frame), np.nan, out)
