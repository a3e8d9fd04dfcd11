"""Which pairs of joints a motion image shows, and the order of its rows."""

from collections.abc import Sequence
from itertools import combinations
from typing import Literal, NamedTuple

from kinelift.poses import Skeleton, skeleton

Pair = tuple[str, str]
Order = Literal["given", "pairs", "parts"]
_Part = tuple[str, int, bool]
"""Person, kind (0 trunk, 1 arm, 2 leg), and whether it is on the right."""

LIMBS: tuple[Pair, ...] = (
    ("hip", "left_hip"), ("left_hip", "left_knee"), ("left_knee", "left_ankle"),
    ("hip", "right_hip"), ("right_hip", "right_knee"), ("right_knee", "right_ankle"),
    ("hip", "thorax"), ("thorax", "head"),
    ("thorax", "left_shoulder"), ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
    ("thorax", "right_shoulder"), ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"),
    ("hip", "left_wrist"), ("hip", "right_wrist"),
)  # fmt: skip
"""Hand-chosen pairs whose direction is shown: the bones, and both hands relative to the hip."""

REACHES: tuple[Pair, ...] = (
    ("left_ankle", "right_ankle"), ("left_knee", "right_knee"), ("left_hip", "left_ankle"),
    ("right_hip", "right_ankle"), ("left_ankle", "thorax"), ("right_ankle", "thorax"), ("left_knee", "thorax"),
    ("right_knee", "thorax"), ("left_wrist", "right_wrist"), ("left_elbow", "right_elbow"),
    ("left_shoulder", "left_wrist"), ("right_shoulder", "right_wrist"), ("left_wrist", "head"),
    ("right_wrist", "head"), ("left_wrist", "left_knee"), ("right_wrist", "right_knee"),
)  # fmt: skip
"""Hand-chosen pairs whose distance is shown: those that change most when people move."""


def _with_mirror(*pairs: Pair) -> tuple[Pair, ...]:
    """Pairs of the left side, each followed by its mirror image."""
    swap_sides = str.maketrans("LR", "RL")
    sides = [pair for a, b in pairs for pair in ((a, b), (a.translate(swap_sides), b.translate(swap_sides)))]
    return tuple((_name(a), _name(b)) for a, b in sides)


def _name(joint: str) -> str:
    return joint.replace("L ", "left_").replace("R ", "right_")


HANDS: tuple[Pair, ...] = (
    *_with_mirror(("L shoulder", "L elbow"), ("L elbow", "L hand"), ("L shoulder", "L hand")),
    *_with_mirror(("spine", "L hand"), ("head", "L hand")),
    *_with_mirror(("L hip", "L knee"), ("L knee", "L ankle"), ("L hip", "L ankle")),
    ("spine", "thorax"), ("thorax", "head"), ("left_hand", "right_hand"),
)  # fmt: skip
"""Hand-chosen pairs whose direction is shown for gestures: limbs, and the position of the hands."""

CONTACTS: tuple[Pair, ...] = (
    ("left_hand", "right_hand"), ("left_ankle", "right_ankle"), ("left_knee", "right_knee"),
    *_with_mirror(("L hip", "L ankle"), ("L ankle", "thorax"), ("L hand", "L knee")),
    *_with_mirror(("L shoulder", "L hand"), ("R shoulder", "L hand"), ("L hand", "head"), ("L hand", "spine")),
)  # fmt: skip
"""Hand-chosen pairs whose distance is shown for gestures."""

MOVERS: tuple[str, ...] = (
    "hip", "spine", "thorax", "head", "left_elbow", "left_hand", "right_elbow", "right_hand",
    "left_knee", "left_ankle", "right_knee", "right_ankle",
)  # fmt: skip
"""Hand-chosen joints whose own displacement is shown."""

EXTREMITIES: tuple[str, ...] = ("left_hand", "right_hand", "left_ankle", "right_ankle", "head", "spine")
"""Joints whose distances to those of another person are shown."""

_SUBSTITUTES = {"hand": "wrist", "ankle": "foot", "hip": "spine"}


class Features(NamedTuple):
    """Features that a motion image shows: one row each."""

    distances: tuple[Pair, ...]
    orientations: tuple[Pair, ...]
    moves: tuple[str, ...] = ()


def default_features(layout: Skeleton) -> Features:
    """Hand-chosen features of one person, or of two people and the distances between them.

    Where a skeleton has no hands, wrists stand in; for ankles, feet; for a hip, the spine. If joints are still
    missing, all pairs are shown.
    """
    if layout.name.endswith("-pair"):
        body = skeleton(layout.name.removesuffix("-pair"))
        ends = tuple(_substitute(end, body) for end in EXTREMITIES)
        orientations = default_features(body).orientations
        across = tuple((f"{a}_1", f"{b}_2") for a in ends for b in ends)
        moves = tuple(f"{end}_{person}" for person in (1, 2) for end in ends)
        return Features(across, _of_both_people(orientations), moves)
    distances, orientations = (
        tuple((_substitute(a, layout), _substitute(b, layout)) for a, b in pairs) for pairs in (CONTACTS, HANDS)
    )
    moves = tuple(dict.fromkeys(_substitute(joint, layout) for joint in MOVERS))
    if {joint for pair in (*distances, *orientations, moves) for joint in pair} <= set(layout.joints):
        return Features(distances, orientations, moves)
    return Features(all_pairs(layout), all_pairs(layout))


def all_pairs(skeleton: Skeleton) -> tuple[Pair, ...]:
    """Every unordered pair of joints, as in the paper (Pham et al., Sensors 19(8), 2019)."""
    return tuple(combinations(skeleton.joints, 2))


def _substitute(joint: str, layout: Skeleton) -> str:
    side, _, part = joint.rpartition("_")
    substitute = _SUBSTITUTES.get(part, part)
    return joint if joint in layout.joints else f"{side}_{substitute}" if side else substitute


def _of_both_people(pairs: Sequence[Pair]) -> tuple[Pair, ...]:
    return tuple((f"{a}_{person}", f"{b}_{person}") for person in (1, 2) for a, b in pairs)


def arrangement(distances: Sequence[Pair], orientations: Sequence[Pair], order: Order) -> list[int]:
    """The order of the rows of a motion image.

    Args:
        distances: Pairs whose distance is shown.
        orientations: Pairs whose direction is shown.
        order: "given" keeps the order; "pairs" puts the distance and the direction of a pair side by side; "parts"
            sorts by the body parts that a pair connects: trunk, arms, legs, then pairs across parts, left before
            right. With two people, rows of one person come first, then the other's, then those between them.

    Returns:
        Row numbers, counted through all distances and then all orientations.
    """
    pairs = [*distances, *orientations]
    rows = list(range(len(pairs)))
    if order == "pairs":
        positions = {pair: position for position, pair in reversed(list(enumerate(pairs)))}
        rows.sort(key=lambda row: positions[pairs[row]])
    if order == "parts":
        rows.sort(key=lambda row: _sort_key(pairs[row]))
    return rows


def _sort_key(pair: Pair) -> tuple[bool, str, bool, list[_Part]]:
    first, second = sorted(_part(joint) for joint in pair)
    return first[0] != second[0], first[0], first != second, [first, second]


def _part(joint: str) -> _Part:
    name, _, person = joint.rpartition("_") if joint.endswith(("_1", "_2")) else (joint, "", "")
    side, _, limb = name.rpartition("_")
    kind = 0 if not side else 2 if limb in ("hip", "knee", "ankle", "foot", "toe", "heel") else 1
    return person, kind, side.startswith("right")
