"""Joint limits of knees and elbows: hyperextension and maximum flexion."""

from math import cos, radians, sin
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from kinelift.lifting.body.structure import TIPS

HYPEREXTENSION = 5.0
"""Degrees that a knee may bend forwards."""
FLEXION = 150.0
"""Maximum flexion of a knee or an elbow, degrees (Soucie et al. 2011)."""


def _direction_pairs(middle: str, end: str) -> tuple[tuple[int, int], ...]:
    return tuple((TIPS.index(f"{side}_{middle}"), TIPS.index(f"{side}_{end}")) for side in ("left", "right"))


KNEES, ELBOWS = _direction_pairs("knee", "ankle"), _direction_pairs("elbow", "wrist")
"""Indices of the directions above and below each hinge, left and right."""
HIPS = TIPS.index("left_hip")

Gradients = tuple[tuple[int, Float[np.ndarray, "T 3"]], ...]


class LimitViolation(NamedTuple):
    """How far a joint limit is exceeded (approximately radians), and its gradient by each direction it depends on."""

    amount: Float[np.ndarray, " T"]
    gradients: Gradients


def limit_violations(directions: Float[np.ndarray, "T 19 3"]) -> list[LimitViolation]:
    """Hyperextension of both knees, then excess flexion of knees and elbows."""
    hyperextension = [_hyperextension(directions, *pair) for pair in KNEES]
    return hyperextension + [_excess_flexion(directions, *pair) for pair in (*KNEES, *ELBOWS)]


def _hyperextension(d: Float[np.ndarray, "T 19 3"], upper: int, lower: int) -> LimitViolation:
    """(thigh × shank) · (right to left hip) is the sine of a knee's flexion if it rotates about the hip axis."""
    normal = cross(d[:, lower], d[:, HIPS])
    excess = -(d[:, upper] * normal).sum(-1) - sin(radians(HYPEREXTENSION))
    gradients = ((upper, normal), (lower, cross(d[:, HIPS], d[:, upper])), (HIPS, cross(d[:, upper], d[:, lower])))
    return _violation(excess, gradients)


def _excess_flexion(d: Float[np.ndarray, "T 19 3"], upper: int, lower: int) -> LimitViolation:
    excess = cos(radians(FLEXION)) - (d[:, upper] * d[:, lower]).sum(-1)
    return _violation(excess, ((upper, d[:, lower]), (lower, d[:, upper])))


def _violation(excess: Float[np.ndarray, " T"], gradients: Gradients) -> LimitViolation:
    """The positive part of ``excess``; ``gradients`` are those of -``excess``."""
    sign = np.where(excess > 0, -1.0, 0.0)[:, None]
    return LimitViolation(excess.clip(min=0), tuple((bone, sign * gradient) for bone, gradient in gradients))


def cross(a: Float[np.ndarray, "T 3"], b: Float[np.ndarray, "T 3"]) -> Float[np.ndarray, "T 3"]:
    """The cross product."""
    (x, y, z), (u, v, w) = a.T, b.T
    return np.stack([y * w - z * v, z * u - x * w, x * v - y * u], -1)
