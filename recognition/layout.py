"""Which pairs of joints a motion image shows, and in which order."""

from collections.abc import Sequence
from itertools import combinations
from typing import Literal

from poses import Skeleton

Pair = tuple[str, str]
Order = Literal["given", "pairs", "parts"]
_Part = tuple[str, int, bool]
"""Person, part (0 trunk, 1 arm, 2 leg) and whether it is the right one."""

LIMBS: tuple[Pair, ...] = (
    ("hip", "left_hip"), ("left_hip", "left_knee"), ("left_knee", "left_ankle"),
    ("hip", "right_hip"), ("right_hip", "right_knee"), ("right_knee", "right_ankle"),
    ("hip", "thorax"), ("thorax", "head"),
    ("thorax", "left_shoulder"), ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
    ("thorax", "right_shoulder"), ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"),
    ("hip", "left_wrist"), ("hip", "right_wrist"),
)  # fmt: skip
"""Pairs of which the direction is chosen by hand: the bones, and both hands as seen from the hip."""

REACHES: tuple[Pair, ...] = (
    ("left_ankle", "right_ankle"), ("left_knee", "right_knee"), ("left_hip", "left_ankle"),
    ("right_hip", "right_ankle"), ("left_ankle", "thorax"), ("right_ankle", "thorax"), ("left_knee", "thorax"),
    ("right_knee", "thorax"), ("left_wrist", "right_wrist"), ("left_elbow", "right_elbow"),
    ("left_shoulder", "left_wrist"), ("right_shoulder", "right_wrist"), ("left_wrist", "head"),
    ("right_wrist", "head"), ("left_wrist", "left_knee"), ("right_wrist", "right_knee"),
)  # fmt: skip
"""Pairs of which the distance is chosen by hand: what opens and closes when people move."""


def all_pairs(skeleton: Skeleton) -> tuple[Pair, ...]:
    """Every unordered pair of joints, as published."""
    return tuple(combinations(skeleton.joints, 2))


def between(skeleton: Skeleton) -> tuple[Pair, ...]:
    """Every pair of a joint of the first person and one of the second, of a skeleton of two."""
    first, second = ([name for name in skeleton.joints if name.endswith(end)] for end in ("_1", "_2"))
    return tuple((a, b) for a in first for b in second)


def arrangement(distances: Sequence[Pair], orientations: Sequence[Pair], order: Order) -> list[int]:
    """Rows in the order in which they are shown, numbered through all distances and then all orientations.

    "given": so. "pairs": the distance and the orientation of a pair together. "parts": by the parts of the body that
    a pair connects: trunk, arms, legs, then what leads from one part to another, the left side first; each person for
    themselves, and then what lies between two people.
    """
    pairs = [*distances, *orientations]
    rows = list(range(len(pairs)))
    if order == "pairs":
        places = {pair: place for place, pair in reversed(list(enumerate(pairs)))}
        rows.sort(key=lambda row: places[pairs[row]])
    if order == "parts":
        rows.sort(key=lambda row: _place(pairs[row]))
    return rows


def _place(pair: Pair) -> tuple[bool, str, bool, list[_Part]]:
    first, second = sorted(_part(joint) for joint in pair)
    return first[0] != second[0], first[0], first != second, [first, second]


def _part(joint: str) -> _Part:
    name, _, person = joint.rpartition("_") if joint.endswith(("_1", "_2")) else (joint, "", "")
    side, _, limb = name.rpartition("_")
    kind = 0 if not side else 2 if limb in ("hip", "knee", "ankle", "foot", "toe", "heel") else 1
    return person, kind, side.startswith("right")
