"""What each joint of lifted poses rests on (``JointState``), and its expected error.

The expected errors are mean distances to the truth, measured from the middle of the hips on real people
(``expected_errors.json``). They depend on the joint and on what is known of its keypoint: its score, whether it was
interpolated, and where it was not seen, for how long and whether the joints above it in the limb were seen.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

import numpy as np
from jaxtyping import Bool, Float, Int, Int8

from kinelift.poses import JointState, Poses3D, Skeleton, Track2D
from kinelift.poses.skeleton import FACE, SAME_JOINT

SCORES = (0.8, 0.5)
"""Detected keypoints with these scores or higher have the first and second column of the table, others the third."""
INTERPOLATED = 3
"""The column of interpolated keypoints. The next ones are of keypoints that are not seen: first those alone, then those
with the next joint towards the trunk, then those with the next two."""
COLUMNS = ("score_80", "score_50", "score_0", "interpolated", "unseen", "unseen_2", "unseen_3")
"""Names of the columns of the table."""
FORGOTTEN = 0.3
"""Seconds without a keypoint after which its error has grown from that of interpolated ones to the full error."""
_HIPS, _SHOULDERS = ("left_hip", "right_hip"), ("left_shoulder", "right_shoulder")
_LIMB_ENDS = (*FACE, *_HIPS, *_SHOULDERS)
"""Keypoints that do not hang on another."""
BETWEEN: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "hip": (_HIPS,),
    "spine": (_HIPS, _SHOULDERS),
    "thorax": (_SHOULDERS,),
    "neck": (_SHOULDERS, FACE),
    "head": (FACE,),
}
"""Groups of keypoints that give joints that are no keypoints themselves.

The state of such a joint is the worst of its groups' states; that of a group is the best of its keypoints' states.
"""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of each keypoint of a track.

    Attributes:
        state: A ``JointState``.
        column: Index into ``COLUMNS``.
        away: Seconds to the nearest frame in which it was seen or interpolated; infinite if there is none.
    """

    state: Int8[np.ndarray, "T K"]
    column: Int[np.ndarray, "T K"]
    away: Float[np.ndarray, "T K"]


def with_confidence(poses: Poses3D, track: Track2D) -> Poses3D:
    """``poses`` with ``seen`` and ``error``, from the keypoints of the ``track`` that they were lifted from."""
    known = evidence(track)
    expected = expected_errors(known, track.skeleton)
    groups = [_groups(joint, track.skeleton) for joint in poses.skeleton.joints]
    seen = np.stack([_state(known.state, parts) for parts in groups], axis=1)
    error = np.stack([_mean(expected, parts) for parts in groups], axis=1)
    lifted = np.isfinite(poses.points).all(axis=-1)
    return replace(poses, seen=seen, error=np.where(lifted, error, np.nan))


def without_unseen(poses: Poses3D) -> Poses3D:
    """``poses`` without the joints that were not seen in any frame: their points and errors become NaN.

    ``root`` stays: it is the origin of the other joints, even if the root joint itself was never seen.
    """
    if poses.seen is None or poses.error is None:
        return poses
    never = (poses.seen == JointState.UNSEEN).all(axis=0)
    points = np.where(never[:, None], np.nan, poses.points)
    contact = None if poses.contact is None else poses.contact & ~never
    return replace(poses, points=points, error=np.where(never, np.nan, poses.error), contact=contact)


def evidence(track: Track2D) -> Evidence:
    """What is known of each keypoint."""
    known = np.isfinite(track.points).all(axis=-1)
    state = np.where(known, np.where(track.filled, JointState.INTERPOLATED, JointState.SEEN), JointState.UNSEEN)
    by_score = len(SCORES) - np.digitize(track.scores, SCORES[::-1])
    column = np.where(
        known, np.where(track.filled, INTERPOLATED, by_score), INTERPOLATED + _hidden(~known, track.skeleton)
    )
    return Evidence(state.astype(np.int8), column, _away(known, track.times))


def expected_errors(known: Evidence, skeleton: Skeleton) -> Float[np.ndarray, "T K"]:
    """The expected error of each keypoint's joint in metres."""
    rows = np.stack([_row(joint) for joint in skeleton.joints])
    full, least = rows[np.arange(len(rows)), known.column], rows[:, INTERPOLATED]
    share = np.minimum(known.away / FORGOTTEN, 1.0)
    unseen = known.column > INTERPOLATED
    return np.asarray(np.where(unseen, least + share * (full - least), full))


def _hidden(unseen: Bool[np.ndarray, "T K"], skeleton: Skeleton) -> Int[np.ndarray, "T K"]:
    """The number of unseen keypoints from each one on towards the trunk, without a gap; at most 3."""
    chains = [_chain(joint, skeleton) for joint in range(len(skeleton))]
    counts = [np.logical_and.accumulate(unseen[:, chain], axis=1).sum(axis=1) for chain in chains]
    return np.asarray(np.minimum(np.stack(counts, axis=1), len(COLUMNS) - 1 - INTERPOLATED))


def _chain(joint: int, skeleton: Skeleton) -> list[int]:
    """A joint and those above it, up to the hip or shoulder."""
    parent = skeleton.parents[joint]
    return [joint] if parent < 0 or skeleton.joints[joint] in _LIMB_ENDS else [joint, *_chain(parent, skeleton)]


def _away(known: Bool[np.ndarray, "T K"], times: Float[np.ndarray, " T"]) -> Float[np.ndarray, "T K"]:
    moments = np.where(known, times[:, None], np.nan)
    before = np.fmax.accumulate(moments, axis=0)
    after = np.fmin.accumulate(moments[::-1], axis=0)[::-1]
    return np.asarray(np.nan_to_num(np.fmin(times[:, None] - before, after - times[:, None]), nan=np.inf))


def _groups(joint: str, keypoints: Skeleton) -> tuple[list[int], ...]:
    """The groups of keypoints that a joint is derived from: just one keypoint if it has its own."""
    own = joint if joint in keypoints.joints else SAME_JOINT.get(joint, joint)
    groups = ((own,),) if own in keypoints.joints else BETWEEN.get(joint, ())
    return tuple([keypoints.index(name) for name in group if name in keypoints.joints] for group in groups)


def _state(state: Int8[np.ndarray, "T K"], groups: tuple[list[int], ...]) -> Int8[np.ndarray, " T"]:
    if not groups or not all(groups):
        return np.full(len(state), JointState.UNSEEN, dtype=np.int8)
    worst: Int8[np.ndarray, " T"] = np.min([state[:, group].max(axis=1) for group in groups], axis=0)
    return worst


def _mean(expected: Float[np.ndarray, "T K"], groups: tuple[list[int], ...]) -> Float[np.ndarray, " T"]:
    if not groups or not all(groups):
        return np.full(len(expected), _row("other")[-1])
    mean: Float[np.ndarray, " T"] = np.mean([expected[:, group].mean(axis=1) for group in groups], axis=0)
    return mean


def _row(joint: str) -> Float[np.ndarray, " C"]:
    """The expected errors of a joint in metres, by column."""
    table = _table()
    return table.get(joint.removeprefix("left_").removeprefix("right_"), table["other"])


@cache
def _table() -> Mapping[str, Float[np.ndarray, " C"]]:
    table = json.loads((files("kinelift.lifting") / "expected_errors.json").read_text(encoding="utf-8"))
    return {joint: np.array([row[column] for column in COLUMNS]) for joint, row in table["metres"].items()}
