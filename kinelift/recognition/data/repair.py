"""What is wrong with a clip's numbers, mended as far as that is honest: every change comes back as a ``Flaw``."""

import numpy as np
from jaxtyping import Bool, Float

from kinelift.poses.timeseries import fill_linear
from kinelift.recognition.data.clips import Flaw

Points = Float[np.ndarray, "T J 3"]
Times = Float[np.ndarray, " T"]
Mended = tuple[Float[np.ndarray, "N J 3"], Float[np.ndarray, " N"], tuple[Flaw, ...]]


def unseen(points: Points) -> Bool[np.ndarray, " T"]:
    """Frames without a pose: no joint seen, or all in one place at zero, as trackers mark a body that they lost."""
    return np.isnan(points).all(axis=(1, 2)) | (points == 0).all(axis=(1, 2))


def tidy(name: str, points: Points, times: Times) -> Mended:
    """Increasing times, and NaN in frames without a pose and in joints without a finite place."""
    flaws = []
    later = np.concatenate([[-np.inf], np.fmax.accumulate(times)[:-1]])
    keep = np.isfinite(times) & ~(times <= later)
    if not keep.all():
        flaws.append(Flaw(name, f"{_of(~keep)} no later than those before", "left out"))
        points, times = points[keep], times[keep]
    if np.isinf(points).any():
        flaws.append(Flaw(name, f"infinite places in {_of(np.isinf(points).any(axis=(1, 2)))}", "taken as not seen"))
        points = np.where(np.isinf(points), np.nan, points)
    if (empty := unseen(points)).any():
        flaws.append(Flaw(name, f"no pose in {_of(empty)}", "taken as not seen"))
        points = np.where(empty[:, None, None], np.nan, points)
    return points, times, tuple(flaws)


def bridge(name: str, points: Points, times: Times) -> Mended:
    """Frames without a pose made up: straight lines between those around them, none at either end of the clip."""
    empty = unseen(points)
    if not empty.any() or empty.all():
        return points, times, ()
    seen = np.flatnonzero(~empty)
    inside = slice(seen[0], seen[-1] + 1)
    flaws = []
    if beyond := len(points) - (seen[-1] + 1 - seen[0]):
        flaws.append(Flaw(name, f"no pose in {beyond} of {len(points)} frames at its ends", "cut off"))
    if within := int(empty[inside].sum()):
        gap = int(np.diff(seen).max()) - 1
        what = f"no pose in {within} of {len(points)} frames, up to {gap} in a row"
        flaws.append(Flaw(name, what, "bridged by straight lines"))
    return fill_linear(points[inside], times[inside], ~empty[inside]), times[inside], tuple(flaws)


def _of(mask: Bool[np.ndarray, " T"]) -> str:
    return f"{int(mask.sum())} of {len(mask)} frames"
