"""Knees and elbows: how straight they are, and how far they are bent beyond what people can."""

from math import cos, radians, sin
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from kinelift.lifting.body.structure import TIPS

HYPEREXTENSION = 5.0
"""Degrees that a knee bends forwards."""
FLEXION = 150.0
"""Degrees that a knee or an elbow bends, at most (Soucie et al. 2011)."""


def _pairs(middle: str, end: str) -> tuple[tuple[int, int], ...]:
    return tuple((TIPS.index(f"{side}_{middle}"), TIPS.index(f"{side}_{end}")) for side in ("left", "right"))


KNEES, ELBOWS = _pairs("knee", "ankle"), _pairs("elbow", "wrist")
"""The directions above and below, left and right."""
HIPS = TIPS.index("left_hip")


class Excess(NamedTuple):
    """How far a limit is exceeded, about in radians, and its slope by the directions that it depends on."""

    amount: Float[np.ndarray, " T"]
    slopes: tuple[tuple[int, Float[np.ndarray, "T 3"]], ...]


def excesses(directions: Float[np.ndarray, "T 15 3"]) -> list[Excess]:
    """Knees that bend forwards as the hips see it, then knees and elbows that bend too far."""
    forwards = [_forwards(directions, *pair) for pair in KNEES]
    return forwards + [_too_far(directions, *pair) for pair in (*KNEES, *ELBOWS)]


def _forwards(d: Float[np.ndarray, "T 15 3"], upper: int, lower: int) -> Excess:
    """(thigh × shank) · (right to left hip) is the sine of a knee's flexion if it turns about the hips' line."""
    turn = cross(d[:, lower], d[:, HIPS])
    over = -(d[:, upper] * turn).sum(-1) - sin(radians(HYPEREXTENSION))
    slopes = ((upper, turn), (lower, cross(d[:, HIPS], d[:, upper])), (HIPS, cross(d[:, upper], d[:, lower])))
    return _excess(over, slopes)


def _too_far(d: Float[np.ndarray, "T 15 3"], upper: int, lower: int) -> Excess:
    over = cos(radians(FLEXION)) - (d[:, upper] * d[:, lower]).sum(-1)
    return _excess(over, ((upper, d[:, lower]), (lower, d[:, upper])))


def _excess(over: Float[np.ndarray, " T"], slopes: tuple[tuple[int, Float[np.ndarray, "T 3"]], ...]) -> Excess:
    """What is above 0; ``slopes`` are those of -``over``."""
    falling = np.where(over > 0, -1.0, 0.0)[:, None]
    return Excess(over.clip(min=0), tuple((bone, falling * slope) for bone, slope in slopes))


def cross(a: Float[np.ndarray, "T 3"], b: Float[np.ndarray, "T 3"]) -> Float[np.ndarray, "T 3"]:
    """The cross product."""
    (x, y, z), (u, v, w) = a.T, b.T
    return np.stack([y * w - z * v, z * u - x * w, x * v - y * u], -1)
