"""Which heels and toes rest on the floor, from their movement and height, and from whether the body falls."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import gaussian_filter1d

SMOOTHING = 0.04
"""Seconds: standard deviation of the smoothing of paths before their speed and acceleration are taken."""
SLOW = 0.35
"""m/s: a contact is below this speed somewhere. Movement away from the camera does not count, because a single view
measures it poorly."""
FAST = 0.75
"""m/s: between two slow moments below this speed a joint rests, too."""
NEAR, STRETCH = 0.04, 0.12
"""Metres around its place within which a joint still rests, and within which it must if nothing else holds the body."""
BRIDGE = 0.25
"""x"""
MIN_DURATION = 0.08
"""Seconds: shorter contacts are not believed."""
FALLING = -4.9
"""m/s²: a body falls freely if its hip accelerates downwards by more, half of gravity."""
FALLS_WITH_IT = -3.0
"""m/s²: a foot is in the air if it accelerates downwards by more while the body falls."""
MOSTLY = 0.5
"""Share of a jump in which the body is seen to fall."""
MIN_FALL, MIN_FALL_FRAMES = 0.1, 3
"""Seconds and frames: shorter falls are not believed."""
REACH = 0.10
"""Metres over the lowest resting joint up to which others may be on the floor, too."""


@dataclass(frozen=True)
class Span:
    """One foot's joint at rest: frames ``start`` to ``stop``, and the joint's height along up over the camera."""

    joint: int
    start: int
    stop: int
    height: float


def resting(
    feet: Float[np.ndarray, "T 4 3"], hip: Float[np.ndarray, "T 3"], times: Float[np.ndarray, " T"], up: Float[np.ndarray, " 3"]
) -> Bool[np.ndarray, "T 4"]:
    """Whether each heel and toe rests on something.

    Args:
        feet: Heels and toes in the camera frame, metres; NaN where unknown.
        hip: The root in the camera frame, metres.
        times: Time of each frame in seconds.
        up: The direction up in camera axes.

    Returns:
        True where a joint stays at its place for a while and is not much higher than the lowest resting joint then.
    """
    known = np.isfinite(feet).all((1, 2))
    found = np.zeros(feet.shape[:2], dtype=bool)
    for start, stop in runs(known):
        part = slice(start, stop)
        if stop - start > 2:
            found[part] = _resting(feet[part], hip[part], times[part], up)
    return found


def falls(height: Float[np.ndarray, " T"], times: Float[np.ndarray, " T"]) -> Bool[np.ndarray, " T"]:
    """Whether a body falls freely, from the height of its hip."""
    falling = np.zeros(len(height), dtype=bool)
    speed = np.gradient(_smooth(height, times), times)
    for start, stop in runs(np.gradient(speed, times) < FALLING):
        lasts = times[stop - 1] - times[start] + _interval(times)
        falling[start:stop] = stop - start >= MIN_FALL_FRAMES and lasts > MIN_FALL - 1e-6
    return falling


def flights(
    touches: Bool[np.ndarray, " T"], hip: Float[np.ndarray, " T"], times: Float[np.ndarray, " T"]
) -> Bool[np.ndarray, " T"]:
    """Where the body falls freely from frame to frame.

    Args:
        touches: Whether anything touches the floor.
        hip: Height of the hip, metres; NaN where unknown.
        times: Time of each frame in seconds.

    Returns:
        True inside the runs without contacts in which the body falls for most of the time.
    """
    out = np.zeros(len(touches), dtype=bool)
    for first, last in runs(np.isfinite(hip)):
        if last - first > 2:
            falling = falls(hip[first:last], times[first:last])
            for start, stop in runs(~touches[first:last]):
                if falling[start:stop].mean() > MOSTLY:
                    out[first + start + 1 : first + stop - 1] = True
    return out


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
    feet: Float[np.ndarray, "T 4 3"], hip: Float[np.ndarray, "T 3"], times: Float[np.ndarray, " T"], up: Float[np.ndarray, " 3"]
) -> Bool[np.ndarray, "T 4"]:
    smooth = _smooth(feet, times)
    velocity = np.gradient(smooth, times, axis=0)
    speed, rise = np.linalg.norm(_across(velocity, smooth), axis=-1), velocity @ up
    falling = falls(hip @ up, times)
    contact = np.zeros(speed.shape, dtype=bool)
    for j in range(speed.shape[1]):
        grounded = ~_airborne(falling, rise[:, j], times)
        contact[:, j] = _at_rest(feet[:, j], speed[:, j], grounded, times)
    _remove_raised(contact, smooth @ up)
    _hold_up(contact, feet, falling)
    for j in range(contact.shape[1]):
        for start, stop in runs(contact[:, j]):
            contact[start:stop, j] = times[stop - 1] - times[start] + _interval(times) >= MIN_DURATION
    return contact


def _airborne(
    falling: Bool[np.ndarray, " T"], rise: Float[np.ndarray, " T"], times: Float[np.ndarray, " T"]
) -> Bool[np.ndarray, " T"]:
    """Where the body falls and a foot with it. A foot on the floor stays while the body crouches."""
    out = np.zeros(len(falling), dtype=bool)
    for start, stop in runs(falling):
        out[start:stop] = rise[stop - 1] - rise[start] < FALLS_WITH_IT * (times[stop - 1] - times[start])
    return out


def _at_rest(
    path: Float[np.ndarray, "T 3"], speed: Float[np.ndarray, " T"], grounded: Bool[np.ndarray, " T"], times
) -> Bool[np.ndarray, " T"]:
    """Where a joint is slow, and before and after that as long as it is near the same place."""
    rests = grounded & (speed < SLOW)
    out = rests.copy()
    for start, stop in runs(rests):
        near = grounded & (_offset(path, start, stop) < NEAR)
        first, _ = _extended(near, start, stop)
        _, last = _extended(near & (speed < FAST), start, stop)
        out[first:last] = True
    for start, stop in runs(grounded & ~out):
        if 0 < start and stop < len(out) and out[start - 1] and out[stop]:
            out[start:stop] = bool((speed[start:stop] < FAST).all())
    found = runs(out)
    for (first, last), (start, stop) in pairwise(found):
        if times[start] - times[last - 1] < BRIDGE and grounded[last:start].all():
            apart = _across(np.median(path[first:last], axis=0) - np.median(path[start:stop], axis=0), path[last])
            out[last:start] = bool(np.linalg.norm(apart) < NEAR)
    return out


def _extended(possible: Bool[np.ndarray, " T"], start: int, stop: int) -> tuple[int, int]:
    """The run from ``start`` to ``stop`` with the ``possible`` frames before and after it."""
    while start > 0 and possible[start - 1]:
        start -= 1
    while stop < len(possible) and possible[stop]:
        stop += 1
    return start, stop


def _remove_raised(contact: Bool[np.ndarray, "T 4"], height: Float[np.ndarray, "T 4"]) -> None:
    """Remove contacts of joints that are still, but mostly higher than ``REACH`` over the lowest."""
    above = height - np.where(contact, height, np.inf).min(1, keepdims=True)
    for j in range(contact.shape[1]):
        for start, stop in runs(contact[:, j]):
            contact[start:stop, j] &= bool(np.median(above[start:stop, j]) <= REACH)


def _hold_up(contact: Bool[np.ndarray, "T 4"], feet: Float[np.ndarray, "T 4 3"], falling: Bool[np.ndarray, " T"]) -> None:
    """Extend contacts over frames in which nothing touches the floor, though the body does not fall."""
    bare = ~contact.any(1) & ~falling
    found = contact.copy()
    for first, last in runs(bare):
        for j in range(contact.shape[1]):
            for start, stop in runs(found[:, j]):
                if stop == first or start == last:
                    a, b = _extended(bare & (_offset(feet[:, j], start, stop) < STRETCH), start, stop)
                    contact[a:b, j] = True


def _offset(path: Float[np.ndarray, "T 3"], start: int, stop: int) -> Float[np.ndarray, " T"]:
    """Distance from the median place between two frames, as the camera sees it, metres."""
    place = np.median(path[start:stop], axis=0)
    return np.asarray(np.linalg.norm(_across(path - place, path), axis=-1))


def _across(vectors: Float[np.ndarray, "*N 3"], places: Float[np.ndarray, "*N 3"]) -> Float[np.ndarray, "*N 3"]:
    """The part of vectors across the rays from the camera to places."""
    ray = places / np.linalg.norm(places, axis=-1, keepdims=True)
    return np.asarray(vectors - (vectors * ray).sum(-1, keepdims=True) * ray)


def _smooth(paths: Float[np.ndarray, "T *N"], times: Float[np.ndarray, " T"]) -> Float[np.ndarray, "T *N"]:
    return np.asarray(gaussian_filter1d(paths, SMOOTHING / _interval(times), axis=0, mode="nearest"))


def _interval(times: Float[np.ndarray, " T"]) -> float:
    return max(float(np.median(np.diff(times))), 1e-3)
