"""What holds a body over time: whether it falls freely, flies in a jump, or stands on a foot."""

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import gaussian_filter1d

SMOOTHING = 0.04
"""Seconds: standard deviation of the smoothing of paths before their speed and acceleration are taken."""
FALLING = -4.9
"""m/s²: a body falls freely if its hip accelerates downwards by more, half of gravity."""
MIN_FALL, MIN_FALL_FRAMES = 0.1, 3
"""Seconds and frames: shorter falls are not believed."""
MOSTLY = 0.5
"""Share of a jump in which the hip is seen to fall freely."""
STANDS = 1.0
"""Seconds: a foot that rests for less may be a step."""
ROUNDING = 1e-6
"""Seconds by which times may be off."""


def falls(hip: Float[np.ndarray, " T"], times: Float[np.ndarray, " T"]) -> Bool[np.ndarray, " T"]:
    """Whether a body falls freely.

    Args:
        hip: Height of the hip, metres. There are at least three frames.
        times: Time of each frame in seconds.
    """
    out = np.zeros(len(hip), dtype=bool)
    speed = np.gradient(smooth(hip, times), times)
    for start, stop in runs(np.gradient(speed, times) < FALLING):
        lasts = times[stop - 1] - times[start] + interval(times)
        out[start:stop] = stop - start >= MIN_FALL_FRAMES and lasts > MIN_FALL - ROUNDING
    return out


def flights(
    touches: Bool[np.ndarray, " T"], hip: Float[np.ndarray, " T"], times: Float[np.ndarray, " T"]
) -> Bool[np.ndarray, " T"]:
    """The frames of jumps that have neighbours in the same jump.

    Args:
        touches: Whether anything touches the floor.
        hip: Height of the hip, metres; NaN where unknown.
        times: Time of each frame in seconds.

    Returns:
        True inside the runs without contacts in which the body mostly falls.
    """
    out = np.zeros(len(touches), dtype=bool)
    for first, last in runs(np.isfinite(hip)):
        if last - first > 2:
            falling = falls(hip[first:last], times[first:last])
            for start, stop in runs(~touches[first:last]):
                if falling[start:stop].mean() > MOSTLY:
                    out[first + start + 1 : first + stop - 1] = True
    return out


def stands(contact: Bool[np.ndarray, "T 4"], times: Float[np.ndarray, " T"]) -> Bool[np.ndarray, " T"]:
    """Whether a foot rests for ``STANDS`` or longer. Heels and toes are in the order of ``structure.FEET``."""
    out = np.zeros(len(contact), dtype=bool)
    for foot in (contact[:, :2], contact[:, 2:]):
        for start, stop in runs(np.asarray(foot.any(1))):
            out[start:stop] |= bool(times[stop - 1] - times[start] > STANDS - ROUNDING)
    return out


def runs(flags: Bool[np.ndarray, " T"]) -> list[tuple[int, int]]:
    """First frame and frame after the last of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def smooth(paths: Float[np.ndarray, "T *N"], times: Float[np.ndarray, " T"]) -> Float[np.ndarray, "T *N"]:
    """Paths without the noise of single frames."""
    return np.asarray(gaussian_filter1d(paths, SMOOTHING / interval(times), axis=0, mode="nearest"))


def interval(times: Float[np.ndarray, " T"]) -> float:
    """Seconds from frame to frame."""
    return max(float(np.median(np.diff(times))), 1e-3)
