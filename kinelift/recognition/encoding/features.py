"""Features of a motion image: vectors between joints, within a pose and from one moment to another."""

from functools import lru_cache

import numpy as np
from jaxtyping import Float
from scipy.signal import savgol_filter

from kinelift.poses import Skeleton
from kinelift.poses.timeseries import interpolate
from kinelift.recognition.encoding.pair_order import Pair


def smooth(points: Float[np.ndarray, "B T J C"]) -> Float[np.ndarray, "B T J C"]:
    """Savitzky–Golay filter over time, 5 taps, order 2. Fewer than 5 frames are returned unchanged."""
    return savgol_filter(points, 5, 2, axis=1) if points.shape[1] >= 5 else points


def sample(points: Float[np.ndarray, "B T J C"], count: int) -> Float[np.ndarray, "B N J C"]:
    """``count`` poses evenly spaced from the first frame to the last, interpolated linearly."""
    return interpolate(points, np.linspace(0, points.shape[1] - 1, count), axis=1)


def joint_vectors(
    poses: Float[np.ndarray, "B N J 3"], skeleton: Skeleton, pairs: tuple[Pair, ...], lag: int = 1
) -> Float[np.ndarray, "B M 2 R 3"]:
    """Vectors from the first to the second joint of each pair, within a pose and over time.

    Args:
        poses: N ≥ 1 poses, evenly spaced in time.
        skeleton: Names the joints of ``poses``.
        pairs: R pairs of joints.
        lag: Poses between the start and the end of a vector over time. It is centred on the step from moment m to
            m + 1, and shortened at both ends of the motion.

    Returns:
        For M = N − 1 moments: the vector within the pose, then the one over time.
    """
    first, second = _indices(skeleton, pairs)
    final = poses.shape[1] - 1
    now = np.arange(final)
    start = np.maximum(now - (lag - 1) // 2, 0)
    end = np.minimum(now + 1 + lag // 2, final)
    begin, target = poses[:, :, first], poses[:, :, second]
    return np.stack([target[:, now] - begin[:, now], target[:, end] - begin[:, start]], axis=2)


@lru_cache(maxsize=32)
def _indices(skeleton: Skeleton, pairs: tuple[Pair, ...]) -> tuple[list[int], list[int]]:
    return [skeleton.index(a) for a, _ in pairs], [skeleton.index(b) for _, b in pairs]
