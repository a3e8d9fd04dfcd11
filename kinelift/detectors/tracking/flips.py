"""Left and right over a whole track: sides that a detector read the wrong way round for a while, put right.

A detector that reads every frame on its own may call a left leg right and the next frame left again. Bodies do not do
that. Limbs do pass each other, though, as in somebody who walks by, so places do not tell: what goes on is movement.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import median_filter

from kinelift.detectors.tracking.likeness import extent
from kinelift.poses import Skeleton, Track2D

GROUPS = (
    ("ear", "eye"),
    ("shoulder", "elbow", "wrist", "hand"),
    ("hip", "knee", "ankle", "heel", "big_toe", "small_toe", "foot"),
)
"""What is exchanged together, by the names of joints without their side: face, arms, legs; the width first."""
_STEADY = 31
"""Frames of the running median of a person's size."""


@dataclass(frozen=True)
class Beliefs:
    """What a sequence of readings costs. Units: a squared deviation over twice its variance.

    ``precision``: standard deviation of a joint's place from where its movement leads it, in sizes of the person;
    ``cap``: the most that one joint can say, for beyond it has strayed rather than moved; ``change``: a detector's
    changing its mind about a group, and ``another`` about one more at the same time; ``wrong``: a second with anything
    the wrong way round; ``twist``: a second in which face, shoulders and hips point to different sides, per squared
    size of the person; ``longest``: seconds unseen after which nothing goes on.
    """

    precision: float = 0.08
    cap: float = 6.0
    change: float = 12.0
    another: float = 1.0
    wrong: float = 5.0
    twist: float = 40.0
    longest: float = 0.3


class Limbs(NamedTuple):
    """A group of joints over time: the left ones, then the right ones in the same order; pixels and scores."""

    points: Float[np.ndarray, "T K 2"]
    scores: Float[np.ndarray, "T K"]


def unflipped(track: Track2D, beliefs: Beliefs | None = None) -> Track2D:
    """``track`` with the sides of face, arms and legs exchanged where movement goes on so.

    The cheapest reading of the whole track, by dynamic programming over pairs of frames: every joint is expected where
    its last two places lead. Filled joints are left out, for two sides may have met in them; fill the answer again.
    """
    points = np.where(track.filled[..., None], np.nan, track.points)
    scores = np.where(np.isfinite(points).all(axis=-1), track.scores, 0.0)
    groups = [both for names in GROUPS if (both := twins(track.skeleton, names))]
    order = np.tile(np.arange(len(track.skeleton)), (len(track), 1))
    shown = np.flatnonzero((scores > 0).any(axis=1))
    if len(shown) > 1 and groups:
        limbs = [Limbs(points[shown][:, g], scores[shown][:, g]) for g in groups]
        flips = cheapest(limbs, sizes(points[shown]), track.times[shown], beliefs or Beliefs())
        for both, flip in zip(groups, flips.T, strict=True):
            order[np.ix_(shown[flip], both)] = turned(np.array(both))
    rows = np.arange(len(track))[:, None]
    return replace(track, points=points[rows, order], scores=scores[rows, order], filled=np.zeros_like(track.filled))


def twins(skeleton: Skeleton, names: Sequence[str]) -> list[int]:
    """The left joints of these names that ``skeleton`` has, in the order of the names, then the right ones."""
    known = [name for name in names if f"left_{name}" in skeleton.joints]
    return [skeleton.index(f"{side}_{name}") for side in ("left", "right") for name in known]


def turned(both: np.ndarray) -> np.ndarray:
    """Left and right halves of the second axis from the end, or of the only one, exchanged."""
    axis = max(both.ndim - 2, 0)
    return np.roll(both, both.shape[axis] // 2, axis=axis)


def sizes(points: Float[np.ndarray, "T J 2"]) -> Float[np.ndarray, " T"]:
    """Of the person, in pixels: a running median of ``extent``."""
    return np.maximum(median_filter(extent(points), min(len(points), _STEADY), mode="nearest"), 1.0)


def cheapest(
    limbs: Sequence[Limbs], size: Float[np.ndarray, " T"], times: Float[np.ndarray, " T"], beliefs: Beliefs
) -> Bool[np.ndarray, "T G"]:
    """Which of the G groups to exchange in which frames (Viterbi over the states of two frames)."""
    step = np.diff(times, prepend=times[0])
    held = [before(one.points, times, beliefs.longest) for one in limbs]
    moves = np.stack([going_on(one, h, size, step, beliefs) for one, h in zip(limbs, held, strict=True)], axis=1)
    known = np.stack([np.isfinite(h).all(axis=-1).any(axis=1) for h in held], axis=1)
    states = np.array(list(product((0, 1), repeat=len(limbs))))
    differ = states[:, None] ^ states
    twist = beliefs.twist * twisted(limbs, states) / np.square(size)[:, None]
    alone = np.minimum(step, beliefs.longest)[:, None] * (beliefs.wrong * states.any(axis=1) + twist)
    group = np.arange(len(limbs))
    total, came = np.broadcast_to(alone[0], (len(states),) * 2), []
    for k in range(1, len(times)):
        changes = differ @ known[k]
        change = beliefs.change * np.minimum(changes, 1) + beliefs.another * np.maximum(changes - 1, 0)
        going = moves[k, group, differ[:, :, None], differ[None]].sum(axis=-1)
        options = total[:, :, None] + going + change + alone[k]
        came.append(options.argmin(axis=0))
        total = options.min(axis=0)
    path = list(np.unravel_index(total.argmin(), total.shape))[::-1]
    for back in came[:0:-1]:
        path.append(back[path[-1], path[-2]])
    return states[path[::-1]].astype(bool)


def before(
    points: Float[np.ndarray, "T K 2"], times: Float[np.ndarray, " T"], longest: float
) -> Float[np.ndarray, "T K 2"]:
    """For every frame, where each joint was seen last before it, up to ``longest`` seconds ago; NaN = not."""
    seen = np.isfinite(points).all(axis=-1)
    last = np.maximum.accumulate(np.where(seen, np.arange(len(points))[:, None], -1), axis=0)
    last = np.concatenate([np.full_like(last[:1], -1), last[:-1]])
    recent = (last >= 0) & (times[:, None] - times[last] <= longest + 1e-9)
    return np.where(recent[..., None], points[last, np.arange(points.shape[1])], np.nan)


def going_on(
    limbs: Limbs,
    held: Float[np.ndarray, "T K 2"],
    size: Float[np.ndarray, " T"],
    step: Float[np.ndarray, " T"],
    beliefs: Beliefs,
) -> Float[np.ndarray, "T 2 2"]:
    """What it costs that a frame follows the two before, by whether the two before it differ in their sides, and
    whether it differs from the last.
    """
    out = np.zeros((len(held), 2, 2))
    weight = np.minimum(limbs.scores, turned(limbs.scores[..., None])[..., 0])
    older = np.concatenate([held[:1], held[:-1]])
    ratio = step / np.maximum(np.concatenate([step[:1], step[:-1]]), 1e-9)
    for x, one in enumerate((older, turned(older))):
        led = held + np.nan_to_num((held - one) * np.minimum(ratio, 2.0)[:, None, None])
        for y, newest in enumerate((limbs.points, turned(limbs.points))):
            off = np.square(newest - led).sum(axis=-1) / (2 * np.square(beliefs.precision * size))[:, None]
            out[:, x, y] = np.nansum(weight * np.minimum(off, beliefs.cap), axis=1)
    return out


def twisted(limbs: Sequence[Limbs], states: np.ndarray) -> Float[np.ndarray, "T S"]:
    """By how much neighbouring groups point to different sides, in squared pixels, for every state."""
    widths = [one.points[:, 0] - one.points[:, one.points.shape[1] // 2] for one in limbs]
    signs = 1 - 2 * states
    out = np.zeros((len(widths[0]), len(states)))
    for (g, a), (h, b) in pairwise(enumerate(widths)):
        agree = np.nan_to_num((a * b).sum(axis=-1))
        out += np.maximum(-agree[:, None] * signs[:, g] * signs[:, h], 0.0)
    return out
