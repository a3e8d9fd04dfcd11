"""What a motion image shows: arrows between joints, within a pose and from one moment to another."""

from functools import lru_cache

import numpy as np
from jaxtyping import Float
from scipy.signal import savgol_filter

from kinelift.poses import Skeleton
from kinelift.poses.timeseries import interpolate
from kinelift.recognition.encoding.pair_order import Pair


def smooth(points: Float[np.ndarray, "B T J C"]) -> Float[np.ndarray, "B T J C"]:
    """Savitzky–Golay filter over time, 5 taps, order 2; fewer than 5 frames are left as they are."""
    return savgol_filter(points, 5, 2, axis=1) if points.shape[1] >= 5 else points


def sample(points: Float[np.ndarray, "B T J C"], count: int) -> Float[np.ndarray, "B N J C"]:
    """``count`` poses evenly spaced from the first to the last, linear in between."""
    return interpolate(points, np.linspace(0, points.shape[1] - 1, count), axis=1)


def arrows(
    poses: Float[np.ndarray, "B N J 3"], skeleton: Skeleton, pairs: tuple[Pair, ...], lag: int = 1
) -> Float[np.ndarray, "B M 2 R 3"]:
    """From the first to the second joint of each pair, for M = N − 1 moments: within the pose, and over time.

    The latter starts at one pose and ends ``lag`` poses later; from moment m to m + 1, or as far on both sides of that
    as it takes. At the ends of the motion, where there are no more poses, it is shorter.
    """
    first, second = _indices(skeleton, pairs)
    last = poses.shape[1] - 1
    now = np.arange(last)
    start = np.maximum(now - (lag - 1) // 2, 0)
    end = np.minimum(now + 1 + lag // 2, last)
    begin, target = poses[:, :, first], poses[:, :, second]
    return np.stack([target[:, now] - begin[:, now], target[:, end] - begin[:, start]], axis=2)


@lru_cache(maxsize=32)
def _indices(skeleton: Skeleton, pairs: tuple[Pair, ...]) -> tuple[list[int], list[int]]:
    return [skeleton.index(a) for a, _ in pairs], [skeleton.index(b) for _, b in pairs]
