"""Statistics of keypoint errors from several readings of one video, as fractions of the person's size.

All readings share the movement and any common errors. Their differences are errors only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from numpy.lib.stride_tricks import sliding_window_view
from scipy.interpolate import BSpline
from scipy.optimize import nnls
from scipy.signal import savgol_coeffs

from kinelift.lifting.synthesis import noise
from kinelift.poses import COCO17, COCO23

PIECE = 4.0
"""Length, s, of the test videos of ``lifting.synthesis.trials``, to which probabilities refer."""
WINDOWS = (0.3, 0.5)
"""Windows, s, of the quadratics whose residuals are the jitter."""
ORDERS = (3, 5, 7)
"""Orders of differences in time: the higher, the less of a smooth movement remains besides white noise."""
LONGEST = 2.0
"""Longest lag, s, of the errors' autocovariance."""
OUTLIER = 5.0
"""Limit of the tails, in robust standard deviations."""
FAR = 0.25
"""Limit, as a fraction of the person's size, above which a joint is an outlier, without jitter or drift."""
STRAYS_FAR = float(np.exp(-((FAR / 0.5) ** 2) / 2))
"""Fraction of the outliers of ``corrupt`` beyond that limit."""
TWINS = list(COCO17.mirror)


def _of_body(joints: Sequence[int]) -> tuple[int, ...]:
    """Those of coco17, which begins coco23."""
    return tuple(j for j in joints if j < len(COCO17))


ARMS, LEGS = _of_body(noise.ARMS), _of_body(noise.LEGS)
LIMBS, SPREAD = tuple(map(_of_body, noise.LIMBS)), noise.SPREAD[: len(COCO17)]
"""As in ``lifting.synthesis.noise``, without feet."""
WITH_FEET = [COCO17.index(name if name in COCO17.joints else f"{name.split('_')[0]}_ankle") for name in COCO23.joints]
"""For each keypoint of coco23 one of coco17. Simulated noise needs feet; keypoints without have them at the ankles."""
GROUPS: Mapping[str, tuple[tuple[int, ...], ...]] = {
    "face": (tuple(range(COCO17.index("left_shoulder"))),),
    "arm": LIMBS[:2],
    "leg": LIMBS[2:],
    "both legs": (LIMBS[2] + LIMBS[3],),
}
"""Joints that are missed together: an arm is elbow and wrist, a leg knee and ankle."""


@dataclass(frozen=True, eq=False)
class Readings:
    """V readings of one person.

    Attributes:
        points: Joints as fractions of the person's size; NaN if not detected, even if filled later.
        kept: Whether the first reading's track has the joint, detected or filled.
        rate: Frame rate, Hz.
    """

    points: Float[np.ndarray, "V T J 2"]
    kept: Bool[np.ndarray, "T J"]
    rate: float


def figures(people: Sequence[Readings]) -> dict[str, Any]:
    """All figures over ``people``. Errors are per coordinate, over all joints."""
    rate = people[0].rate
    sides = [crossed(one.points) for one in people]
    tidy = [without(one.points, swapped(side)) for one, side in zip(people, sides, strict=True)]
    off = [astray(points) for points in tidy]
    calm = [without(points, ~(far <= FAR)) for points, far in zip(tidy, off, strict=True)]
    apart = [differences(points) for points in calm]
    curve = autocovariance(apart, round(LONGEST * rate))
    jitter, drift, constant, seconds = decomposed(curve, rate)
    level = (1.5 * (jitter**2 + drift**2) / np.mean(np.square(SPREAD))) ** 0.5  # 1.5: see decomposed
    quick, quick_apart = (whole([difference(p, ORDERS[-1]) for p in points]) for points in (calm, apart))
    unseen = [~np.isfinite(one.points[:1]).all(-1) for one in people]
    limbs = [np.stack([~one.kept[None][..., limb].any(-1) for limb in LIMBS], -1) for one in people]
    return {
        "jitter": {
            **{f"quadratic, {w} s": whole([rough(p, w, rate) for p in calm]) for w in WINDOWS},
            **{f"quadratic, {w} s, apart": whole([rough(p, w, rate) for p in apart]) for w in WINDOWS},
            **{f"difference of order {k}": whole([difference(p, k) for p in calm]) for k in ORDERS},
            **{f"difference of order {k}, apart": whole([difference(p, k) for p in apart]) for k in ORDERS},
            "white part, apart": jitter,
        },
        "drift, apart": drift,
        "constant, apart": constant,
        "robust, apart": float(np.sqrt(np.nanmean(np.concatenate([middle(pair) for pair in apart]) ** 2))),
        "correlation": {f"{lag} frames": curve[lag] / curve[0] for lag in (1, 2, 3, 5, 10, 20, 30)},
        "spread": by_part(rms([pair - np.nanmean(pair, axis=1, keepdims=True) for pair in apart])),
        "spread of jitter": by_part(rms([difference(p, ORDERS[0]) for p in apart])),
        "beyond 5 sigma": episodes([outlying(far) for far in off], rate),
        "stray": episodes([far > FAR for far in off], rate),
        "swap": episodes(sides, rate),
        "swap, in time": episodes([turned(one.points, rate) for one in people], rate),
        "not seen": episodes(unseen, rate),
        "lost": episodes([~one.kept[None] for one in people], rate),
        "limb lost": episodes(limbs, rate),
        "groups": groups([one.kept[None] for one in people], rate),
        "settings": {
            "level, apart": level,
            "level, if all errors share like the quickest": level * quick / quick_apart,
            "jitter": jitter / float(np.hypot(jitter, drift)),
            "drift_seconds": seconds,
            "swap": share(sides) * PIECE / 0.4,
            "drop": share(alone(one.kept, limb) for one, limb in zip(people, limbs, strict=True)) * PIECE / 0.5,
            "drop_limb": share(limbs) * PIECE / 0.8,
            "stray": share(far > FAR for far in off) / STRAYS_FAR * PIECE / 0.2,
        },
    }


def differences(points: Float[np.ndarray, "V T J 2"]) -> Float[np.ndarray, "P T J 2"]:
    """Differences of every two readings over √2: the size of one error, if errors are independent."""
    return np.stack([(a - b) / np.sqrt(2) for a, b in combinations(points, 2)])


def rough(points: Float[np.ndarray, "V T J 2"], seconds: float, rate: float) -> Float[np.ndarray, "V T2 J 2"]:
    """Residuals of quadratic smoothing over ``seconds``, scaled so that white noise keeps its variance."""
    window = round(seconds * rate) // 2 * 2 + 1
    keep = savgol_coeffs(window, 2)
    left = points[:, window // 2 : -(window // 2)] - sliding_window_view(points, window, axis=1) @ keep
    return left / (1 - keep[window // 2]) ** 0.5


def difference(points: Float[np.ndarray, "V T J 2"], order: int) -> Float[np.ndarray, "V T2 J 2"]:
    """Differences in time, scaled so that white noise keeps its variance."""
    return np.diff(points, order, axis=1) / comb(2 * order, order) ** 0.5


def middle(errors: Float[np.ndarray, "V T J 2"]) -> Float[np.ndarray, "V J"]:
    """Robust standard deviation, from the median of absolute errors."""
    return 1.4826 * np.nanmedian(np.abs(errors), axis=(1, 3))


def autocovariance(errors: Sequence[Float[np.ndarray, "P T J 2"]], longest: int) -> Float[np.ndarray, " L"]:
    """Autocovariance of the errors at lags of 0 to ``longest`` frames."""
    curve = []
    for lag in range(longest + 1):
        products = [(e[:, lag:] * e[:, : e.shape[1] - lag]).ravel() for e in errors]
        curve.append(np.nanmean(np.concatenate(products)))
    return np.array(curve)


def decomposed(curve: Float[np.ndarray, " L"], rate: float) -> tuple[float, float, float, float]:
    """Standard deviations of white jitter, of drift and of the constant part, and the drift's time step, s.

    Drift is modelled as in ``corrupt``: linear between independent values at a constant step. Its autocovariance is a
    cubic B-spline four steps wide, and its variance two thirds of that of the values. Least squares over ``curve``.
    """
    lags = np.arange(len(curve)) / rate
    spline = BSpline.basis_element(np.arange(-2.0, 3.0), extrapolate=False)
    fits = []
    for step in np.geomspace(0.05, LONGEST / 2, 60):
        slow = np.nan_to_num(spline(lags / step)) * 1.5
        parts, off = nnls(np.column_stack([lags == 0, slow, np.ones_like(lags)]), curve)
        fits.append((off, *np.sqrt(parts).tolist(), float(step)))
    return min(fits)[1:]


def rms(errors: Sequence[Float[np.ndarray, "V T J 2"]]) -> Float[np.ndarray, " J"]:
    """Root mean square of each joint's errors."""
    return np.sqrt(
        np.nanmean(np.concatenate([e.swapaxes(0, 2).reshape(len(COCO17), -1) for e in errors], axis=1) ** 2, axis=1)
    )


def whole(errors: Sequence[Float[np.ndarray, "V T J 2"]]) -> float:
    """Root mean square over all joints."""
    return float(np.sqrt(np.nanmean(np.square(rms(errors)))))


def by_part(sizes: Float[np.ndarray, " J"]) -> dict[str, float]:
    """Sizes by part, over left and right, scaled so that all joints have the mean square of ``SPREAD``."""
    scaled = sizes * np.sqrt(np.mean(np.square(SPREAD)) / np.nanmean(np.square(sizes)))
    parts = [name.split("_")[-1] for name in COCO17.joints]
    return {part: float(np.mean(scaled[[p == part for p in parts]])) for part in dict.fromkeys(parts)}


def crossed(points: Float[np.ndarray, "V T J 2"]) -> Bool[np.ndarray, "V T 2"]:
    """Whether arms and legs are swapped relative to the median of all readings."""
    middle = np.nanmedian(points, axis=0)
    return np.stack([across(points, middle, group) for group in (ARMS, LEGS)], -1)


def turned(points: Float[np.ndarray, "V T J 2"], rate: float) -> Bool[np.ndarray, "V T 2"]:
    """Whether arms and legs are swapped relative to their median over ``WINDOWS[-1]`` seconds."""
    body = points - np.nanmean(points, axis=2, keepdims=True)
    side = round(WINDOWS[-1] * rate) // 2
    padded = np.pad(body, ((0, 0), (side, side), (0, 0), (0, 0)), constant_values=np.nan)
    usual = np.nanmedian(sliding_window_view(padded, 2 * side + 1, axis=1), axis=-1)
    return np.stack([across(body, usual, group) for group in (ARMS, LEGS)], -1)


def across(
    points: Float[np.ndarray, "*many J 2"], others: Float[np.ndarray, "*#many J 2"], group: Sequence[int]
) -> Bool[np.ndarray, "*many"]:
    """Whether swapping the sides of ``group`` halves its distance to ``others``, and reduces it by 0.1."""
    here, there = list(group), [TWINS[j] for j in group]
    straight = np.linalg.norm(points[..., here, :] - others[..., here, :], axis=-1)
    over = np.linalg.norm(points[..., there, :] - others[..., here, :], axis=-1)
    both = np.isfinite(straight) & np.isfinite(over)
    a, b = (np.where(both, d, 0.0).sum(-1) / both.sum(-1).clip(1) for d in (straight, over))
    return np.asarray((b < a / 2) & (b < a - 0.1))


def swapped(sides: Bool[np.ndarray, "V T 2"]) -> Bool[np.ndarray, "V T J"]:
    """Expand flags of arms and legs to their joints."""
    out = np.zeros((*sides.shape[:2], len(COCO17)), dtype=bool)
    out[..., ARMS], out[..., LEGS] = sides[..., :1], sides[..., 1:]
    return out


def astray(points: Float[np.ndarray, "V T J 2"]) -> Float[np.ndarray, "V T J"]:
    """Distance of each reading from the median of all; NaN where fewer than three have the joint."""
    seen = np.isfinite(points).all(-1).sum(0) >= 3
    return np.where(seen, np.linalg.norm(points - np.nanmedian(points, axis=0), axis=-1), np.nan)


def outlying(far: Float[np.ndarray, "V T J"]) -> Bool[np.ndarray, "V T J"]:
    """Whether the distances ``far`` exceed ``OUTLIER`` robust standard deviations, in two dimensions."""
    return np.asarray(far > OUTLIER * np.nanmedian(far, axis=(0, 1)) / np.sqrt(2 * np.log(2)))


def without(points: Float[np.ndarray, "V T J 2"], bad: Bool[np.ndarray, "V T J"]) -> Float[np.ndarray, "V T J 2"]:
    """``points`` with NaN where ``bad``."""
    return np.where(bad[..., None], np.nan, points)


def alone(kept: Bool[np.ndarray, "T J"], limbs: Bool[np.ndarray, "1 T 4"]) -> Bool[np.ndarray, "T J"]:
    """Joints missing without the rest of their limb."""
    lost = ~kept
    for k, joints in enumerate(LIMBS):
        lost[:, joints] &= ~limbs[0, :, k, None]
    return lost


def groups(kept: Sequence[Bool[np.ndarray, "V T J"]], rate: float) -> dict[str, dict[str, float]]:
    """Episodes in which all joints of one of ``GROUPS`` are missing at once."""
    return {
        name: episodes([np.stack([~one[..., list(joints)].any(-1) for joints in some], -1) for one in kept], rate)
        for name, some in GROUPS.items()
    }


def episodes(flags: Sequence[Bool[np.ndarray, "V T J"]], rate: float) -> dict[str, float]:
    """Fraction of the time, number of episodes in ``PIECE`` seconds of each row, and their mean duration, s."""
    starts = sum(int((np.diff(flag, prepend=False, axis=1) & flag).sum()) for flag in flags)
    count, bad = sum(flag.size for flag in flags), sum(int(flag.sum()) for flag in flags)
    return {"share": bad / count, "in 4 s": starts / (count / rate / PIECE), "seconds": bad / max(starts, 1) / rate}


def share(flags: Iterable[Bool[np.ndarray, "..."]]) -> float:
    """Fraction of true values over all arrays."""
    return float(np.concatenate([flag.ravel() for flag in flags]).mean())
