"""Agreement of two detectors on the same clip, and jitter of each on still joints.

There is no reference: detectors that agree may both be wrong, but if they disagree, at least one is. A reading holds
one detector's results for one clip, with one row per person, NaN where a joint was not detected (also in filled gaps).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import linear_sum_assignment

from benchmarks.keypoints.noise_figures import ARMS, LEGS, across
from kinelift.poses import COCO17

Reading = Float[np.ndarray, "N T J 2"]

NEAR = 0.2
"""Torso lengths within which two detectors agree on a joint (PCK)."""
SAME = 0.5
"""Limit of the median distance of joints, in torso lengths, between two detections of one person."""
FEWEST = 3
"""Number of visible joints from which a person counts."""
SMOOTHING = 0.1
"""Standard deviation, s, of the Gaussian that removes jitter (above about 2 Hz) from a movement."""
STILL = 0.1
"""Speed, in torso lengths per second, below which a joint is still: about 5 cm/s."""
SPELL = 0.5
"""Minimum time, s, for which a joint must be still."""
JUMP = 5.0
"""Distance from the smoothed path, in hundredths of the torso, above which a still joint jumps."""
PARTS: Mapping[str, list[int]] = {
    part: [j for j, name in enumerate(COCO17.joints) if name.endswith(part)]
    for part in ("nose", "eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
}
_MIRROR = list(COCO17.mirror)


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of detections of the same person in the same frame by two detectors; ``torso`` in px.

    ``where``: frame, and row in each of the two. ``alone``: number of people detected by only one of the two.
    """

    one: Float[np.ndarray, "K J 2"]
    other: Float[np.ndarray, "K J 2"]
    torso: Float[np.ndarray, " K"]
    where: Int[np.ndarray, "K 3"]
    alone: int

    def apart(self) -> Float[np.ndarray, "K J"]:
        """Distances in torso lengths, NaN where one detector did not detect the joint."""
        return np.linalg.norm(self.one - self.other, axis=-1) / self.torso[:, None]


def torsos(reading: Reading) -> Float[np.ndarray, " N"]:
    """Median length from mid-shoulder to mid-hip of each person, px; NaN if never visible."""
    ends = (reading[..., PARTS[part], :].mean(axis=-2) for part in ("shoulder", "hip"))
    lengths = np.linalg.norm(np.subtract(*ends), axis=-1)
    return np.array([np.nanmedian(one) if np.isfinite(one).any() else np.nan for one in lengths])


def paired(one: Reading, other: Reading) -> Pairs:
    """Match people frame by frame by the least distance of joints, as read or with sides swapped."""
    sizes = torsos(one)[:, None], torsos(other)[None]
    torso = np.nanmean(np.broadcast_arrays(*sizes), axis=0) if one.size and other.size else np.zeros((len(one), 0))
    where = [
        (frame, row, column)
        for frame in range(one.shape[1])
        for row, column in _matches(one[:, frame], other[:, frame], torso)
    ]
    index = np.array(where, dtype=int).reshape(-1, 3)
    frames, rows, columns = index.T
    seen = sum(int((np.isfinite(reading).all(-1).sum(-1) >= FEWEST).sum()) for reading in (one, other))
    return Pairs(
        one[rows, frames], other[columns, frames], torso[rows, columns], index, alone=seen - 2 * len(index)
    )  # fmt: skip


def _matches(
    one: Float[np.ndarray, "N J 2"], other: Float[np.ndarray, "M J 2"], torso: Float[np.ndarray, "N M"]
) -> list[tuple[int, int]]:
    distances = [np.linalg.norm(one[:, None] - points[None], axis=-1) for points in (other, other[:, _MIRROR])]
    enough = np.isfinite(distances[0]).sum(-1) >= FEWEST
    cost = np.full(enough.shape, np.inf)
    for apart in distances:
        middle = np.array([np.nanmedian(row) for row in apart[enough]]) / torso[enough]
        cost[enough] = np.fmin(cost[enough], middle)
    best = zip(*linear_sum_assignment(cost.clip(max=1e3)), strict=True) if cost.size else ()
    return [(int(row), int(column)) for row, column in best if cost[row, column] <= SAME]


def agreement(pairs: Sequence[Pairs]) -> dict[str, float | None]:
    """Agreement over all ``pairs``.

    Returns:
        ``people`` and ``joints``: fraction detected by both of those detected by either. ``mean`` and ``median``:
        distance of a joint in hundredths of the torso. ``pck``: fraction of joints within ``NEAR``, overall and by
        part. ``crossed``: fraction of people whose arms or legs are clearly closer with left and right swapped.
    """
    apart = np.concatenate([pair.apart() for pair in pairs])
    seen = [np.concatenate([np.isfinite(p).all(-1) for p in points]) for points in _columns(pairs)]
    alone = sum(pair.alone for pair in pairs)
    sides = np.concatenate([_crossed(pair) for pair in pairs])
    return {
        "people": _rounded(len(apart) / max(len(apart) + alone, 1)),
        "joints": _rounded((seen[0] & seen[1]).sum() / max((seen[0] | seen[1]).sum(), 1)),
        "mean": _rounded(100 * _mean(apart), 2),
        "median": _rounded(100 * _median(apart), 2),
        "pck": _rounded(_within(apart)),
        **{f"pck_{part}": _rounded(_within(apart[:, joints])) for part, joints in PARTS.items()},
        "crossed": _rounded(sides.mean() if len(sides) else np.nan),
    }


def presence(readings: Sequence[Reading]) -> dict[str, float | None]:
    """For one detector: ``people``, summed over frames, and the fraction of their ``joints`` detected."""
    seen = np.concatenate([np.isfinite(reading).all(-1).reshape(-1, len(COCO17)) for reading in readings])
    there = seen[seen.any(axis=1)]
    return {"people": len(there), "joints": _rounded(_mean(np.where(there, 1.0, 0.0)))}


def aligned(reference: Float[np.ndarray, "T J 2"], reading: Reading) -> Float[np.ndarray, "T J 2"]:
    """The person of ``reference`` in ``reading``, frame by frame; NaN where not detected."""
    pairs = paired(reference[None], reading)
    out = np.full_like(reference, np.nan)
    out[pairs.where[:, 0]] = pairs.other
    return out


def smooth(points: Float[np.ndarray, "T *many 2"], rate: float) -> Float[np.ndarray, "T *many 2"]:
    """Smooth with a Gaussian over time, leaving out NaN; NaN where nothing was detected."""
    seen = np.isfinite(points)
    sums, weights = (
        gaussian_filter1d(values, SMOOTHING * rate, axis=0, mode="constant")
        for values in (np.where(seen, points, 0.0), seen.astype(float))
    )
    return np.where(seen, sums / np.where(seen, weights, 1.0), np.nan)


def still(readings: Float[np.ndarray, "D T J 2"], torso: float, rate: float) -> Bool[np.ndarray, "T J"]:
    """Whether each joint of one person is still.

    It is if all detectors detect it, and the median of their smoothed speeds is below ``STILL`` for at least ``SPELL``
    seconds.
    """
    if readings.shape[1] < 2:
        return np.zeros(readings.shape[1:3], dtype=bool)
    speeds = np.stack([np.linalg.norm(np.gradient(smooth(one, rate), axis=0), axis=-1) for one in readings])
    slow = np.median(speeds, axis=0) * rate < STILL * torso  # the median with a NaN is NaN
    return np.stack([_long(column, SPELL * rate) for column in slow.T], axis=1)


def tremble(points: Float[np.ndarray, "T J 2"], rate: float) -> Float[np.ndarray, "T J"]:
    """Distance of each joint from its smoothed path, px."""
    return np.linalg.norm(points - smooth(points, rate), axis=-1)


def jitter(trembles: Sequence[Float[np.ndarray, "T J"]], torso: Sequence[float]) -> dict[str, float | None]:
    """Jitter of one detector over several people.

    Args:
        trembles: Distances from the smoothed path for each person, px; NaN where a joint is not still.
        torso: Length of each person's torso, px.

    Returns:
        ``jitter`` and ``jitter_px``: root mean square without jumps, in hundredths of the torso and in px, the former
        also by part. ``jumps``: fraction of jumps. ``typical``: median with jumps, in hundredths of the torso.
    """
    pixels = np.concatenate(list(trembles))
    shares = 100 * np.concatenate([one / size for one, size in zip(trembles, torso, strict=True)])
    calm = np.where(shares <= JUMP, shares, np.nan)
    return {
        "jitter": _rounded(_rms(calm), 2),
        "jitter_px": _rounded(_rms(np.where(shares <= JUMP, pixels, np.nan)), 2),
        "typical": _rounded(_median(shares), 2),
        "jumps": _rounded(_mean(np.where(np.isfinite(shares), shares > JUMP, np.nan)), 4),
        **{f"jitter_{part}": _rounded(_rms(calm[:, joints]), 2) for part, joints in PARTS.items()},
    }


def _columns(pairs: Sequence[Pairs]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    return [pair.one for pair in pairs], [pair.other for pair in pairs]


def _crossed(pair: Pairs) -> Bool[np.ndarray, " K"]:
    one, other = (points / pair.torso[:, None, None] for points in (pair.one, pair.other))
    return np.any([across(one, other, group) for group in (ARMS, LEGS)], axis=0)


def _long(flags: Bool[np.ndarray, " T"], shortest: float) -> Bool[np.ndarray, " T"]:
    """``flags`` without runs shorter than ``shortest`` frames."""
    runs = [list(run) for _, run in groupby(flags.tolist())]
    return np.array([value and len(run) >= shortest for run in runs for value in run], dtype=bool)


def _within(apart: Float[np.ndarray, "*many"]) -> float:
    known = apart[np.isfinite(apart)]
    return float((known <= NEAR).mean()) if len(known) else np.nan


def _rms(values: Float[np.ndarray, "*many"]) -> float:
    return float(np.sqrt(_mean(np.square(values))))


def _mean(values: Float[np.ndarray, "*many"]) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else np.nan


def _median(values: Float[np.ndarray, "*many"]) -> float:
    return float(np.nanmedian(values)) if np.isfinite(values).any() else np.nan


def _rounded(value: float, digits: int = 3) -> float | None:
    """Round; NaN becomes None."""
    return round(float(value), digits) if np.isfinite(value) else None
