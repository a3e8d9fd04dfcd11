"""Left and right over a whole track: where a detector swapped them for a while, they are swapped back.

A detector that sees every frame on its own may call a left leg right, and left again in the next frame. Bodies do not
do that. But limbs do pass each other, as in somebody who walks by, so positions alone do not tell: movement does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import median_filter

from kinelift.detectors.tracking.similarity import extent
from kinelift.poses import Skeleton, Track2D
from kinelift.poses.timeseries import median_interval

GROUPS = (
    ("ear", "eye"),
    ("shoulder", "elbow", "wrist", "hand"),
    ("hip", "knee", "ankle", "heel", "big_toe", "small_toe", "foot"),
)
"""Joints that are swapped together, by their names without the side: face, arms, legs. The first pair of each gives the
width of the body there."""
_SIZE_WINDOW = 31
"""Frames of the running median of a person's size."""
_FEWEST_FRAMES = 2.5
"""The least of ``FlipCosts.longest``, in frames."""


@dataclass(frozen=True)
class FlipCosts:
    """The costs of a sequence of readings, as negative log likelihoods.

    Args:
        precision: Standard deviation of a joint's position from where its movement leads, in sizes of the person.
        cap: The highest cost of one joint; beyond it the joint is an outlier.
        change: Swapping a group of joints from one frame to the next.
        another: Swapping one more group at the same time.
        wrong: A second in which any group is swapped.
        twist: A second in which face, shoulders and hips point to different sides, per squared size of the person.
        longest: Seconds unseen after which a joint's movement is unknown; at low frame rates at least 2.5 frames.
    """

    precision: float = 0.08
    cap: float = 6.0
    change: float = 12.0
    another: float = 1.0
    wrong: float = 5.0
    twist: float = 40.0
    longest: float = 0.3


class JointGroup(NamedTuple):
    """A group of joints over time: the left ones, then the right ones in the same order; pixels and scores."""

    points: Float[np.ndarray, "T K 2"]
    scores: Float[np.ndarray, "T K"]


def repair_side_flips(track: Track2D, costs: FlipCosts | None = None) -> Track2D:
    """Swap left and right of face, arms and legs where the movement of the whole track asks for it.

    The reading of least cost is found by dynamic programming over pairs of frames: every joint is expected where its
    last two positions lead. Heels and toes do not count, and are swapped with the legs.

    Args:
        track: Filled joints are dropped, because two sides may have met in them: fill the result again.
        costs: The costs of a reading; None = the defaults.
    """
    points = np.where(track.filled[..., None], np.nan, track.points)
    scores = np.where(np.isfinite(points).all(axis=-1), track.scores, 0.0)
    groups = [joints for names in GROUPS if (joints := mirrored_joints(track.skeleton, names))]
    body = list(track.skeleton.body)
    order = np.tile(np.arange(len(track.skeleton)), (len(track), 1))
    shown = np.flatnonzero((scores[:, body] > 0).any(axis=1))
    if len(shown) > 1 and groups:
        counted = [[j for j in joints if j in body] for joints in groups]
        observed = [JointGroup(points[shown][:, joints], scores[shown][:, joints]) for joints in counted]
        usual = costs or FlipCosts()
        longest = max(usual.longest, _FEWEST_FRAMES * median_interval(track.times))
        flips = cheapest_flips(
            observed, _sizes(points[shown][:, body]), track.times[shown], replace(usual, longest=longest)
        )
        for joints, flip in zip(groups, flips.T, strict=True):
            order[np.ix_(shown[flip], joints)] = swap_sides(np.array(joints))
    rows = np.arange(len(track))[:, None]
    return replace(track, points=points[rows, order], scores=scores[rows, order], filled=np.zeros_like(track.filled))


def mirrored_joints(skeleton: Skeleton, names: Sequence[str]) -> list[int]:
    """The left joints of these names that ``skeleton`` has, in the order of the names, then the right ones."""
    known = [name for name in names if f"left_{name}" in skeleton.joints]
    return [skeleton.index(f"{side}_{name}") for side in ("left", "right") for name in known]


def swap_sides(joints: np.ndarray) -> np.ndarray:
    """Swap the left and right halves of the second axis from the end, or of the only axis."""
    axis = max(joints.ndim - 2, 0)
    return np.roll(joints, joints.shape[axis] // 2, axis=axis)


def _sizes(points: Float[np.ndarray, "T J 2"]) -> Float[np.ndarray, " T"]:
    """The person's size in each frame, px: a running median of ``extent``."""
    return np.maximum(median_filter(extent(points), min(len(points), _SIZE_WINDOW), mode="nearest"), 1.0)


def cheapest_flips(
    groups: Sequence[JointGroup],
    size: Float[np.ndarray, " T"],
    times: Float[np.ndarray, " T"],
    costs: FlipCosts,
) -> Bool[np.ndarray, "T G"]:
    """Find the groups to swap in each frame, by the Viterbi algorithm over the states of two frames.

    Args:
        groups: G groups of joints.
        size: The person's size, px.
        times: Of the frames, s.
        costs: The costs of a reading.
    """
    step = np.diff(times, prepend=times[0])
    previous = [_last_seen(group.points, times, costs.longest) for group in groups]
    transitions = np.stack(
        [transition_cost(group, last, size, step, costs) for group, last in zip(groups, previous, strict=True)], axis=1
    )
    known = np.stack([np.isfinite(last).all(axis=-1).any(axis=1) for last in previous], axis=1)
    states = np.array(list(product((0, 1), repeat=len(groups))))
    differ = states[:, None] ^ states
    twist = costs.twist * _twist(groups, states) / np.square(size)[:, None]
    state_cost = np.minimum(step, costs.longest)[:, None] * (costs.wrong * states.any(axis=1) + twist)
    index = np.arange(len(groups))
    total, backpointers = np.broadcast_to(state_cost[0], (len(states),) * 2), []
    for k in range(1, len(times)):
        changes = differ @ known[k]
        change = costs.change * np.minimum(changes, 1) + costs.another * np.maximum(changes - 1, 0)
        movement = transitions[k, index, differ[:, :, None], differ[None]].sum(axis=-1)
        options = total[:, :, None] + movement + change + state_cost[k]
        backpointers.append(options.argmin(axis=0))
        total = options.min(axis=0)
    path = list(np.unravel_index(total.argmin(), total.shape))[::-1]
    for back in backpointers[:0:-1]:
        path.append(back[path[-1], path[-2]])
    return states[path[::-1]].astype(bool)


def _last_seen(
    points: Float[np.ndarray, "T K 2"], times: Float[np.ndarray, " T"], longest: float
) -> Float[np.ndarray, "T K 2"]:
    """Where each joint was last seen before each frame, up to ``longest`` seconds ago; NaN = nowhere."""
    seen = np.isfinite(points).all(axis=-1)
    last = np.maximum.accumulate(np.where(seen, np.arange(len(points))[:, None], -1), axis=0)
    last = np.concatenate([np.full_like(last[:1], -1), last[:-1]])
    recent = (last >= 0) & (times[:, None] - times[last] <= longest + 1e-9)
    return np.where(recent[..., None], points[last, np.arange(points.shape[1])], np.nan)


def transition_cost(
    group: JointGroup,
    previous: Float[np.ndarray, "T K 2"],
    size: Float[np.ndarray, " T"],
    step: Float[np.ndarray, " T"],
    costs: FlipCosts,
) -> Float[np.ndarray, "T 2 2"]:
    """The cost of a frame after the two before it.

    Args:
        group: The joints of each frame.
        previous: Where each joint was last seen.
        size: The person's size, px.
        step: Seconds since the frame before.
        costs: The costs of a reading.

    Returns:
        The cost by whether the two frames before differ in their sides, and whether this frame differs from the last.
    """
    out = np.zeros((len(previous), 2, 2))
    weight = np.minimum(group.scores, swap_sides(group.scores[..., None])[..., 0])
    older = np.concatenate([previous[:1], previous[:-1]])
    ratio = step / np.maximum(np.concatenate([step[:1], step[:-1]]), 1e-9)
    for x, one in enumerate((older, swap_sides(older))):
        predicted = previous + np.nan_to_num((previous - one) * np.minimum(ratio, 2.0)[:, None, None])
        for y, newest in enumerate((group.points, swap_sides(group.points))):
            deviation = np.square(newest - predicted).sum(axis=-1) / (2 * np.square(costs.precision * size))[:, None]
            out[:, x, y] = np.nansum(weight * np.minimum(deviation, costs.cap), axis=1)
    return out


def _twist(groups: Sequence[JointGroup], states: np.ndarray) -> Float[np.ndarray, "T S"]:
    """How much neighbouring groups point to different sides in each state, px²."""
    widths = [one.points[:, 0] - one.points[:, one.points.shape[1] // 2] for one in groups]
    signs = 1 - 2 * states
    out = np.zeros((len(widths[0]), len(states)))
    for (g, a), (h, b) in pairwise(enumerate(widths)):
        agree = np.nan_to_num((a * b).sum(axis=-1))
        out += np.maximum(-agree[:, None] * signs[:, g] * signs[:, h], 0.0)
    return out
