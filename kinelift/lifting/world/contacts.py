"""Which heels and toes rest on the floor, from their places and heights, and from whether the body falls."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float

from kinelift.lifting.world.support import falls, interval, runs, smooth

SLOW, FAST = 0.35, 0.75
"""m/s: a contact is below the first speed somewhere, and ends above the second. Movement away from the camera does not
count, because a single view measures it poorly."""
NEAR = 0.04
"""Metres around its place within which a joint still rests: a smoothed speed shows a sudden touch-down late."""
LIFTED = 0.03
"""Metres: a joint that is higher over its place has lifted off."""
STRETCH = 0.12
"""The same while nothing else holds the body."""
BRIDGE = 0.25
"""Seconds: a joint that is back at its place sooner has not left it."""
MIN_DURATION = 0.08
"""Seconds: shorter contacts are not believed."""
FALLS_WITH_IT = -3.0
"""m/s²: a foot is in the air if it accelerates downwards by more while the body falls."""
REACH = 0.10
"""Metres over the lowest resting joint up to which others may be on the floor, too."""
BLOCK = 32
"""Frames looked at together while a contact is extended: a contact is short, and a track may be long."""

Frames: TypeAlias = Callable[[slice], Bool[np.ndarray, " N"]]
"""Whether something holds in each frame of a part."""


@dataclass(frozen=True)
class Span:
    """One foot's joint at rest: frames ``start`` to ``stop``, and the joint's height along up over the camera."""

    joint: int
    start: int
    stop: int
    height: float


def resting(
    feet: Float[np.ndarray, "T 4 3"],
    hip: Float[np.ndarray, "T 3"],
    times: Float[np.ndarray, " T"],
    up: Float[np.ndarray, " 3"],
) -> Bool[np.ndarray, "T 4"]:
    """Whether each heel and toe rests on something.

    Args:
        feet: Heels and toes in the camera frame, metres; NaN where unknown.
        hip: The middle of the hips in the camera frame, metres.
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
            found[part] = _resting(feet[part], hip[part] @ up, times[part], up)
    return found


def spans(contact: Bool[np.ndarray, "T 4"], heights: Float[np.ndarray, "T 4"]) -> list[Span]:
    """The contacts of a person, each with its median height."""
    return [
        Span(joint, start, stop, float(np.median(heights[start:stop, joint]))) for joint, start, stop in _each(contact)
    ]


def _resting(
    feet: Float[np.ndarray, "T 4 3"],
    hip: Float[np.ndarray, " T"],
    times: Float[np.ndarray, " T"],
    up: Float[np.ndarray, " 3"],
) -> Bool[np.ndarray, "T 4"]:
    paths = smooth(feet, times)
    velocity = np.gradient(paths, times, axis=0)
    speed, rise, falling = np.linalg.norm(_across(velocity, paths), axis=-1), velocity @ up, falls(hip, times)
    columns = []
    for j in range(feet.shape[1]):
        grounded = ~_airborne(falling, rise[:, j], times)
        rests = _at_rest(feet[:, j], speed[:, j], feet[:, j] @ up, grounded)
        columns.append(_bridged(rests, feet[:, j], grounded, times))
    contact = np.stack(columns, 1)
    _remove_raised(contact, paths @ up)
    _hold_up(contact, feet, falling)
    for j, start, stop in _each(contact):
        contact[start:stop, j] = times[stop - 1] - times[start] + interval(times) >= MIN_DURATION
    return contact


def _airborne(
    falling: Bool[np.ndarray, " T"], rise: Float[np.ndarray, " T"], times: Float[np.ndarray, " T"]
) -> Bool[np.ndarray, " T"]:
    """Where the body falls and a foot with it. A foot on the floor stays while the body goes down into a crouch."""
    out = np.zeros(len(falling), dtype=bool)
    for start, stop in runs(falling):
        out[start:stop] = rise[stop - 1] - rise[start] < FALLS_WITH_IT * (times[stop - 1] - times[start])
    return out


def _at_rest(
    path: Float[np.ndarray, "T 3"],
    speed: Float[np.ndarray, " T"],
    height: Float[np.ndarray, " T"],
    grounded: Bool[np.ndarray, " T"],
) -> Bool[np.ndarray, " T"]:
    """Where a joint is slow, and before and after that as long as it is near the same place and does not rise."""
    slow = grounded & (speed < SLOW)
    out = slow.copy()
    for start, stop in runs(slow):
        place, lifted = np.median(path[start:stop], axis=0), np.median(height[start:stop]) + LIFTED

        def near(part: slice, place: Float[np.ndarray, " 3"] = place) -> Bool[np.ndarray, " N"]:
            return np.asarray(grounded[part] & (_offset(path[part], place) < NEAR))

        def rests(part: slice, lifted: float = lifted) -> Bool[np.ndarray, " N"]:
            return np.asarray(near(part) & (height[part] < lifted) & (speed[part] < FAST))

        out[_first(near, start) : _last(rests, stop, len(path))] = True
    found = runs(out)
    for (_, last), (start, _) in pairwise(found):
        out[last:start] = bool((grounded & (speed < FAST))[last:start].all())
    return out


def _bridged(
    rests: Bool[np.ndarray, " T"],
    path: Float[np.ndarray, "T 3"],
    grounded: Bool[np.ndarray, " T"],
    times: Float[np.ndarray, " T"],
) -> Bool[np.ndarray, " T"]:
    """Contacts with the gaps closed after which a joint is at the same place: its keypoint was wrong for a moment."""
    out = rests.copy()
    for (first, last), (start, stop) in pairwise(runs(rests)):
        if times[start] - times[last - 1] < BRIDGE and grounded[last:start].all():
            step = np.median(path[start:stop], axis=0) - np.median(path[first:last], axis=0)
            out[last:start] = bool(np.linalg.norm(_across(step, path[last])) < NEAR)
    return out


def _first(possible: Frames, start: int) -> int:
    """The first of the ``possible`` frames that lead up to ``start``."""
    while start > 0:
        block = slice(max(start - BLOCK, 0), start)
        others = np.flatnonzero(~possible(block))
        if len(others):
            return block.start + int(others[-1]) + 1
        start = block.start
    return start


def _last(possible: Frames, stop: int, count: int) -> int:
    """The end of the ``possible`` frames that follow from ``stop`` on, of ``count`` frames."""
    while stop < count:
        block = slice(stop, min(stop + BLOCK, count))
        others = np.flatnonzero(~possible(block))
        if len(others):
            return stop + int(others[0])
        stop = block.stop
    return stop


def _remove_raised(contact: Bool[np.ndarray, "T 4"], height: Float[np.ndarray, "T 4"]) -> None:
    """Remove contacts of joints that are still, but mostly higher than ``REACH`` over the lowest."""
    above = height - np.where(contact, height, np.inf).min(1, keepdims=True)
    for j, start, stop in _each(contact):
        contact[start:stop, j] &= bool(np.median(above[start:stop, j]) <= REACH)


def _hold_up(
    contact: Bool[np.ndarray, "T 4"], feet: Float[np.ndarray, "T 4 3"], falling: Bool[np.ndarray, " T"]
) -> None:
    """Extend contacts over frames in which nothing touches the floor, though the body does not fall."""
    bare = ~contact.any(1) & ~falling
    edges = runs(bare)
    starts, stops = {first for first, _ in edges}, {last for _, last in edges}
    for j, start, stop in _each(contact):
        if stop in starts or start in stops:
            place = np.median(feet[start:stop, j], axis=0)

            def held(part: slice, j: int = j, place: Float[np.ndarray, " 3"] = place) -> Bool[np.ndarray, " N"]:
                return np.asarray(bare[part] & (_offset(feet[part, j], place) < STRETCH))

            contact[_first(held, start) : _last(held, stop, len(feet)), j] = True


def _each(contact: Bool[np.ndarray, "T 4"]) -> Iterator[tuple[int, int, int]]:
    """Joint, first frame and frame after the last of every contact, joint by joint."""
    for joint in range(contact.shape[1]):
        for start, stop in runs(contact[:, joint]):
            yield joint, start, stop


def _offset(path: Float[np.ndarray, "T 3"], place: Float[np.ndarray, " 3"]) -> Float[np.ndarray, " T"]:
    """Distance from a place, as the camera sees it, metres."""
    return np.asarray(np.linalg.norm(_across(path - place, path), axis=-1))


def _across(vectors: Float[np.ndarray, "*N 3"], places: Float[np.ndarray, "*N 3"]) -> Float[np.ndarray, "*N 3"]:
    """The part of vectors across the rays from the camera to places."""
    ray = places / np.linalg.norm(places, axis=-1, keepdims=True)
    return np.asarray(vectors - (vectors * ray).sum(-1, keepdims=True) * ray)
