"""Left and right over a whole track: where a detector swapped them for a while, they are swapped back.

A detector that sees every frame on its own may call a left leg right, and left again in the next frame. Bodies do not
do that. But limbs do pass each other, as in somebody who walks by, so positions alone do not tell: movement does. Where
a network changes its mind, it often puts both limbs between the two for a frame, so the last frame alone does not tell
either.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.ndimage import median_filter

from kinelift.detectors.tracking.expected import Expected, MotionCosts
from kinelift.detectors.tracking.similarity import extent
from kinelift.poses import Skeleton, Track2D

GROUPS = (
    ("ear", "eye"),
    ("shoulder", "elbow", "wrist", "hand"),
    ("hip", "knee", "ankle", "heel", "big_toe", "small_toe", "foot"),
)
"""Joints that are swapped together, by their names without the side: face, arms, legs. The first pair of each gives the
width of the body there."""
_SIZE_WINDOW = 31
"""Frames of the running median of a person's size."""
_LONGEST_STEP = 0.3
"""Seconds of a gap that count as seconds with swapped sides."""


@dataclass(frozen=True)
class FlipCosts:
    """The costs of a sequence of readings, as negative log likelihoods.

    Args:
        change: Swapping a group of joints from one frame to the next.
        another: Swapping one more group at the same time.
        wrong: A second in which any group is swapped.
        twist: A second in which face, shoulders and hips point to different sides, per squared size of the person.
        motion: How joints move and how detectors err.
    """

    change: float = 6.0
    another: float = 1.0
    wrong: float = 10.0
    twist: float = 40.0
    motion: MotionCosts = field(default_factory=MotionCosts)


VOTED = FlipCosts(change=3.0, wrong=60.0)
"""The costs for a detector whose sides two networks have voted on: where they are wrong, they are so for a moment."""


class JointGroup(NamedTuple):
    """A group of joints over time: the left ones, then the right ones in the same order; pixels and scores."""

    points: Float[np.ndarray, "T K 2"]
    scores: Float[np.ndarray, "T K"]


def repair_side_flips(track: Track2D, costs: FlipCosts | None = None) -> Track2D:
    """Swap left and right of face, arms and legs where the movement of the whole track asks for it.

    Every joint is expected where its movement leads. Of all readings of the track, the one of least cost is found.
    Heels and toes do not count, and are swapped with the legs.

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
        sizes = _sizes(points[shown][:, body])
        flips = cheapest_flips(observed, sizes, track.times[shown], costs or FlipCosts())
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
    """Find the groups to swap in each frame, by the Viterbi algorithm.

    Each state is a reading of one frame, and keeps what its cheapest history knows of the joints' movement. That is
    per-survivor processing (source: Raheli, Polydoros and Tzou, IEEE Transactions on Communications 43, 1995).

    Args:
        groups: G groups of joints.
        size: The person's size, px.
        times: Of the frames, s.
        costs: The costs of a reading.
    """
    states = np.array(list(product((0, 1), repeat=len(groups))))
    owner = np.repeat(np.arange(len(groups)), [group.points.shape[1] for group in groups])
    scores = np.concatenate([np.minimum(one.scores, swap_sides(one.scores[..., None])[..., 0]) for one in groups], 1)
    both = np.stack([np.concatenate([turn(one.points) for one in groups], 1) for turn in (np.asarray, swap_sides)], 1)
    read = both[:, states[:, owner], np.arange(len(owner))]
    step = np.diff(times, prepend=times[0])
    twist = costs.twist * _twist(groups, states) / np.square(size)[:, None]
    state_cost = np.minimum(step, _LONGEST_STEP)[:, None] * (costs.wrong * states.any(axis=1) + twist)
    expected = Expected.nowhere(len(states), len(owner), costs.motion).seen(read[0], size[0])
    total, backpointers = state_cost[0], []
    for k in range(1, len(times)):
        expected = expected.after(step[k])
        change = _change_cost(states, expected.known[0], owner, costs)
        options = total[:, None] + _movement_cost(expected, both[k], scores[k], size[k], states, owner) + change
        best = options.argmin(axis=0)
        total = options.min(axis=0) + state_cost[k]
        expected = expected.of(best).seen(read[k], size[k])
        backpointers.append(best)
    path = [int(total.argmin())]
    for best in backpointers[::-1]:
        path.append(int(best[path[-1]]))
    return states[path[::-1]].astype(bool)


def _movement_cost(
    expected: Expected,
    both: Float[np.ndarray, "2 J 2"],
    scores: Float[np.ndarray, " J"],
    size: float,
    states: Int[np.ndarray, "S G"],
    owner: Int[np.ndarray, " J"],
) -> Float[np.ndarray, "S S"]:
    """The cost of the joints of a frame by the state before and the state in it.

    Args:
        expected: What each state before expects.
        both: The joints as they are, and swapped.
        scores: The lower score of each joint and its mirror joint.
        size: The person's size, px.
        states: The groups that each state swaps.
        owner: The group of each joint.
    """
    stray, groups = expected.costs.stray, np.arange(states.shape[1])
    odds = [expected.density(points, size) / stray for points in both]
    costs = np.stack([-np.nan_to_num(scores * np.log1p(one)) @ (owner[:, None] == groups) for one in odds])
    return np.asarray(costs[states[None], np.arange(len(states))[:, None, None], groups].sum(axis=-1))


def _change_cost(
    states: Int[np.ndarray, "S G"], known: Bool[np.ndarray, " J"], owner: Int[np.ndarray, " J"], costs: FlipCosts
) -> Float[np.ndarray, "S S"]:
    """The cost of swapping groups between two frames; none for groups whose joints could be anywhere."""
    counted = [bool(known[owner == group].any()) for group in range(states.shape[1])]
    changes = (states[:, None] ^ states) @ np.array(counted)
    return np.asarray(costs.change * np.minimum(changes, 1) + costs.another * np.maximum(changes - 1, 0))


def _twist(groups: Sequence[JointGroup], states: np.ndarray) -> Float[np.ndarray, "T S"]:
    """How much neighbouring groups point to different sides in each state, px²."""
    widths = [one.points[:, 0] - one.points[:, one.points.shape[1] // 2] for one in groups]
    signs = 1 - 2 * states
    out = np.zeros((len(widths[0]), len(states)))
    for (g, a), (h, b) in pairwise(enumerate(widths)):
        agree = np.nan_to_num((a * b).sum(axis=-1))
        out += np.maximum(-agree[:, None] * signs[:, g] * signs[:, h], 0.0)
    return out
