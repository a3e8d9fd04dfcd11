"""Which heels and toes rest on the floor, from their movement and height."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import gaussian_filter1d

SMOOTHING = 0.04
"""Seconds: standard deviation of the smoothing of feet before their speed is taken."""
SLOW, FAST = 0.35, 0.75
"""m/s: a contact begins below the first speed and ends above the second. Movement away from the camera does not count,
because a single view measures it poorly."""
MIN_DURATION = 0.08
"""Seconds: shorter contacts are not believed."""
FALLING = -4.0
"""m/s²: feet that accelerate downwards by more are at the top of a jump, not at rest."""
REACH = 0.10
"""Metres over the lower foot up to which the other foot may be on the floor, too."""


@dataclass(frozen=True)
class Span:
    """One foot's joint at rest: frames ``start`` to ``stop``, and the joint's height along up over the camera."""

    joint: int
    start: int
    stop: int
    height: float


def resting(
    feet: Float[np.ndarray, "T 4 3"], times: Float[np.ndarray, " T"], up: Float[np.ndarray, " 3"]
) -> Bool[np.ndarray, "T 4"]:
    """Whether each heel and toe rests on something.

    Args:
        feet: Heels and toes in the camera frame, metres; NaN where unknown.
        times: Time of each frame in seconds.
        up: The direction up in camera axes.

    Returns:
        True where a joint moves slowly for a while and is not much higher than the lowest resting joint then.
    """
    known = np.isfinite(feet).all((1, 2))
    found = np.zeros(feet.shape[:2], dtype=bool)
    for start, stop in runs(known):
        part = slice(start, stop)
        if stop - start > 2:
            found[part] = _resting(feet[part], times[part], up)
    return found


def spans(contact: Bool[np.ndarray, "T 4"], heights: Float[np.ndarray, "T 4"]) -> list[Span]:
    """The contacts of a person, each with its median height."""
    return [
        Span(joint, start, stop, float(np.median(heights[start:stop, joint])))
        for joint in range(contact.shape[1])
        for start, stop in runs(contact[:, joint])
    ]


def runs(flags: Bool[np.ndarray, " T"]) -> list[tuple[int, int]]:
    """First frame and frame after the last of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _resting(
    feet: Float[np.ndarray, "T 4 3"], times: Float[np.ndarray, " T"], up: Float[np.ndarray, " 3"]
) -> Bool[np.ndarray, "T 4"]:
    interval = max(float(np.median(np.diff(times))), 1e-3)
    smooth = gaussian_filter1d(feet, SMOOTHING / interval, axis=0, mode="nearest")
    velocity = np.gradient(smooth, times, axis=0)
    ray = smooth / np.linalg.norm(smooth, axis=-1, keepdims=True)
    across = velocity - (velocity * ray).sum(-1, keepdims=True) * ray
    speed, height = np.linalg.norm(across, axis=-1), smooth @ up
    slow = np.stack([_hysteresis(speed[:, j]) for j in range(speed.shape[1])], 1)
    lowest = np.where(slow, height, np.inf).min(1)
    contact, rise = slow & (height <= lowest[:, None] + REACH), velocity @ up
    for j in range(contact.shape[1]):
        for start, stop in runs(contact[:, j]):
            duration = times[stop - 1] - times[start]
            falls = rise[stop - 1, j] - rise[start, j] < FALLING * duration
            if duration + interval < MIN_DURATION or (falls and duration > 0):
                contact[start:stop, j] = False
    return np.asarray(contact)


def _hysteresis(speed: Float[np.ndarray, " T"]) -> Bool[np.ndarray, " T"]:
    """Runs below ``FAST`` that somewhere are below ``SLOW``."""
    slow = np.zeros(len(speed), dtype=bool)
    for start, stop in runs(speed < FAST):
        slow[start:stop] = bool((speed[start:stop] < SLOW).any())
    return slow
