"""Repair faulty numbers of a clip without guessing. Every change is reported as a ``Flaw``."""

import numpy as np
from jaxtyping import Bool, Float

from kinelift.poses.timeseries import fill_linear
from kinelift.recognition.data.clips import Flaw

Points = Float[np.ndarray, "T J 3"]
Times = Float[np.ndarray, " T"]
Repaired = tuple[Float[np.ndarray, "N J 3"], Float[np.ndarray, " N"], tuple[Flaw, ...]]


def without_pose(points: Points) -> Bool[np.ndarray, " T"]:
    """Frames without a pose: no joint seen, or all joints at zero, as trackers mark a body that they lost."""
    empty: Bool[np.ndarray, " T"] = np.isnan(points).all(axis=(1, 2)) | (points == 0).all(axis=(1, 2))
    return empty


def clean(name: str, points: Points, times: Times) -> Repaired:
    """Make times increase, and put NaN where a frame has no pose or a joint no finite position.

    Args:
        name: Of the clip.
        points: Metres.
        times: Seconds.
    """
    flaws = []
    latest = np.concatenate([[-np.inf], np.fmax.accumulate(times)[:-1]])
    keep = np.isfinite(times) & ~(times <= latest)
    if not keep.all():
        flaws.append(Flaw(name, f"times do not increase in {_count(~keep)}", "left out"))
        points, times = points[keep], times[keep]
    if np.isinf(points).any():
        flaws.append(
            Flaw(name, f"infinite positions in {_count(np.isinf(points).any(axis=(1, 2)))}", "counted as not seen")
        )
        points = np.where(np.isinf(points), np.nan, points)
    if (empty := without_pose(points)).any():
        flaws.append(Flaw(name, f"no pose in {_count(empty)}", "counted as not seen"))
        points = np.where(empty[:, None, None], np.nan, points)
    return points, times, tuple(flaws)


def fill_gaps(name: str, points: Points, times: Times) -> Repaired:
    """Interpolate frames without a pose linearly between their neighbours. At both ends of the clip, cut them off.

    Args:
        name: Of the clip.
        points: Metres.
        times: Seconds, increasing.
    """
    empty = without_pose(points)
    if not empty.any() or empty.all():
        return points, times, ()
    valid = np.flatnonzero(~empty)
    inside = slice(valid[0], valid[-1] + 1)
    flaws = []
    if beyond := len(points) - (valid[-1] + 1 - valid[0]):
        flaws.append(Flaw(name, f"no pose in {beyond} of {len(points)} frames at the ends", "cut off"))
    if within := int(empty[inside].sum()):
        gap = int(np.diff(valid).max()) - 1
        what = f"no pose in {within} of {len(points)} frames, up to {gap} in a row"
        flaws.append(Flaw(name, what, "interpolated linearly"))
    return fill_linear(points[inside], times[inside], ~empty[inside]), times[inside], tuple(flaws)


def _count(mask: Bool[np.ndarray, " T"]) -> str:
    return f"{int(mask.sum())} of {len(mask)} frames"
