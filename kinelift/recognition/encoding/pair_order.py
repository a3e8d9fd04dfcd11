"""Which pairs of joints a motion image shows, and in which order."""

from collections.abc import Sequence
from itertools import combinations
from typing import Literal, NamedTuple

from kinelift.poses import Skeleton, skeleton

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


def _both(*pairs: Pair) -> tuple[Pair, ...]:
    """Pairs of the left side, each followed by its mirror image."""
    other = str.maketrans("LR", "RL")
    sides = [pair for a, b in pairs for pair in ((a, b), (a.translate(other), b.translate(other)))]
    return tuple((_name(a), _name(b)) for a, b in sides)


def _name(joint: str) -> str:
    return joint.replace("L ", "left_").replace("R ", "right_")


HANDS: tuple[Pair, ...] = (
    *_both(("L shoulder", "L elbow"), ("L elbow", "L hand"), ("L shoulder", "L hand")),
    *_both(("spine", "L hand"), ("head", "L hand")),
    *_both(("L hip", "L knee"), ("L knee", "L ankle"), ("L hip", "L ankle")),
    ("spine", "thorax"), ("thorax", "head"), ("left_hand", "right_hand"),
)  # fmt: skip
"""Pairs of which the direction is chosen by hand for gestures: limbs, and where the hands are."""

CONTACTS: tuple[Pair, ...] = (
    ("left_hand", "right_hand"), ("left_ankle", "right_ankle"), ("left_knee", "right_knee"),
    *_both(("L hip", "L ankle"), ("L ankle", "thorax"), ("L hand", "L knee")),
    *_both(("L shoulder", "L hand"), ("R shoulder", "L hand"), ("L hand", "head"), ("L hand", "spine")),
)  # fmt: skip
"""Pairs of which the distance is chosen by hand for gestures."""

MOVERS: tuple[str, ...] = (
    "hip", "spine", "thorax", "head", "left_elbow", "left_hand", "right_elbow", "right_hand",
    "left_knee", "left_ankle", "right_knee", "right_ankle",
)  # fmt: skip
"""Joints of which the way is chosen by hand."""

ENDS: tuple[str, ...] = ("left_hand", "right_hand", "left_ankle", "right_ankle", "head", "spine")
"""Joints that one person has at another's."""

_STAND_INS = {"hand": "wrist", "ankle": "foot", "hip": "spine"}


class Shown(NamedTuple):
    """Which features a picture has."""

    distances: tuple[Pair, ...]
    orientations: tuple[Pair, ...]
    moves: tuple[str, ...] = ()


def chosen(known: Skeleton) -> Shown:
    """What is chosen by hand for one person, or for two and what lies between them; all pairs where joints lack.

    A skeleton without hands ends its arms at the wrists, one without ankles its legs at the feet, and one without a hip
    its trunk at the spine.
    """
    if known.name.endswith("-pair"):
        body = skeleton(known.name.removesuffix("-pair"))
        ends = tuple(_suited(end, body) for end in ENDS)
        orientations = chosen(body).orientations
        across = tuple((f"{a}_1", f"{b}_2") for a in ends for b in ends)
        moves = tuple(f"{end}_{person}" for person in (1, 2) for end in ends)
        return Shown(across, _of_both(orientations), moves)
    distances, orientations = (
        tuple((_suited(a, known), _suited(b, known)) for a, b in pairs) for pairs in (CONTACTS, HANDS)
    )
    moves = tuple(dict.fromkeys(_suited(joint, known) for joint in MOVERS))
    if {joint for pair in (*distances, *orientations, moves) for joint in pair} <= set(known.joints):
        return Shown(distances, orientations, moves)
    return Shown(all_pairs(known), all_pairs(known))


def all_pairs(skeleton: Skeleton) -> tuple[Pair, ...]:
    """Every unordered pair of joints, as published."""
    return tuple(combinations(skeleton.joints, 2))


def _suited(joint: str, known: Skeleton) -> str:
    side, _, part = joint.rpartition("_")
    other = _STAND_INS.get(part, part)
    return joint if joint in known.joints else f"{side}_{other}" if side else other


def _of_both(pairs: Sequence[Pair]) -> tuple[Pair, ...]:
    return tuple((f"{a}_{person}", f"{b}_{person}") for person in (1, 2) for a, b in pairs)


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
