"""Feet from motion capture: their orientation as recorded, and heel and toes of a typical foot with that orientation.

Motion capture gives the direction of a foot well, but neither its sole nor its heel. The sole is found from stance: the
part of the foot that is level while the foot rests on the floor. A foot is rigid, apart from one joint at the ball.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinelift.lifting.anthropometry import BALL, BIG_TOE, HEEL, SMALL_TOE, typical_foot
from kinelift.lifting.synthesis.bank import MOCAP
from kinelift.poses.vectors import unit

Points = Float[np.ndarray, "T J 3"]
Frames = Float[np.ndarray, "T 3 3"]
"""Rows are the axes: the person's left, up, forward."""

SIDES = ("left", "right")
REST_HEEL, REST_SMALL_TOE = -0.06, (0.05, 0.10)
"""Metres behind the ankle, and to the side and in front of it: ``recorded`` marks a foot's axes with these points."""
LOW = 0.04
"""Metres above a clip's lowest ankle (10th percentile) up to which a foot may be on the floor."""
SLOW = 30.0
"""Percentile of the movement from frame to frame up to which a foot may be at rest."""
TOE_SHARE = 0.33
"""By how much the direction ankle–toe turns when the toes bend by one degree."""
MAX_BEND = np.radians(60.0)
"""Limit of the toes' extension."""


@dataclass(frozen=True, eq=False)
class Sole:
    """A foot in stance.

    Attributes:
        normal: The direction up, in the axes of ``axes``.
        toe: Elevation of the direction ankle–toe over the sole, radians.
    """

    normal: Float[np.ndarray, " 3"]
    toe: float

    @staticmethod
    def of(clips: Sequence[Float[np.ndarray, "_ J 3"]], side: str) -> "Sole":
        """Find the sole of one foot from all recordings of a person."""
        stance = np.concatenate([points[resting(points, side)] for points in clips])
        normal = np.median(axes(stance, side)[:, :, 1], axis=0)
        normal = normal / np.linalg.norm(normal)
        return Sole(normal, float(np.median(_elevation(stance, side, _level(axes(stance, side), normal)))))


def recorded(
    ankle: Float[np.ndarray, "T 3"], tip: Float[np.ndarray, "T 3"], rotation: Frames, side: str
) -> tuple[Float[np.ndarray, "T 3"], Float[np.ndarray, "T 3"]]:
    """Points that mark the axes of a recorded foot, in place of its heel and small toe.

    Args:
        ankle: The ankle, metres.
        tip: The end of the toes, metres.
        rotation: Of the foot from a rest pose with level soles. Y is up.
        side: "left" or "right".
    """
    forward = rotation[0].T @ (tip[0] - ankle[0]) * [1.0, 0.0, 1.0]
    forward = forward / max(float(np.linalg.norm(forward)), 1e-9)
    outward = np.cross([0.0, 1.0, 0.0], forward) * (1 if side == "left" else -1)
    small_toe = REST_SMALL_TOE[0] * outward + REST_SMALL_TOE[1] * forward
    return ankle + rotation @ (REST_HEEL * forward), ankle + rotation @ small_toe


def axes(points: Points, side: str) -> Frames:
    """The axes of a foot as ``recorded``."""
    ankle, heel, small_toe = (points[:, MOCAP.index(f"{side}_{part}")] for part in ("ankle", "heel", "small_toe"))
    forward = unit(ankle - heel)
    outward = small_toe - ankle
    left = unit(outward - (outward * forward).sum(1, keepdims=True) * forward) * (1 if side == "left" else -1)
    return np.stack([left, np.cross(forward, left), forward], 1)


def placed(
    points: Points, side: str, sole: Sole, ankle: Float[np.ndarray, "T 3"]
) -> tuple[Float[np.ndarray, "T 3"], Float[np.ndarray, "T 3"], Float[np.ndarray, "T 3"]]:
    """Heel, big toe and small toe (metres) of a typical foot.

    Args:
        points: Joints with feet as ``recorded``.
        side: "left" or "right".
        sole: The sole of that foot.
        ankle: Where to place the ankle, metres.
    """
    level = _level(axes(points, side), sole.normal)
    bend = np.clip((_elevation(points, side, level) - sole.toe) / TOE_SHARE, 0.0, MAX_BEND)
    inward = np.array([-1.0 if side == "left" else 1.0, 1.0, 1.0])
    length, height = typical_foot()
    size = np.array([length, height, length])
    heel, ball, small_toe = (np.asarray(part) * size * inward for part in (HEEL, BALL, SMALL_TOE))
    toe = np.asarray(BIG_TOE) * size * inward - ball
    cosine, sine = np.cos(bend), np.sin(bend)
    bent = np.stack([np.full_like(bend, toe[0]), cosine * toe[1] + sine * toe[2], cosine * toe[2] - sine * toe[1]], 1)
    return ankle + heel @ level, ankle + np.einsum("ti,tij->tj", ball + bent, level), ankle + small_toe @ level


def resting(points: Points, side: str) -> np.ndarray:
    """Tell in which frames a foot is low and moves little; all frames of a recording too short to tell."""
    ankle, toe = (points[:, MOCAP.index(f"{side}_{part}")] for part in ("ankle", "big_toe"))
    if len(points) < 3:
        return np.ones(len(points), dtype=bool)
    speed = np.maximum(*(np.linalg.norm(np.gradient(joint, axis=0), axis=1) for joint in (ankle, toe)))
    low = ankle[:, 1] <= np.percentile(ankle[:, 1], 10) + LOW
    return np.asarray(low & (speed <= np.percentile(speed[low], SLOW)))


def _level(recorded_axes: Frames, normal: Float[np.ndarray, " 3"]) -> Frames:
    """The axes of a foot whose up is ``normal`` and whose heading stays."""
    forward = np.array([0.0, 0.0, 1.0]) - normal[2] * normal
    forward = forward / np.linalg.norm(forward)
    return np.asarray(np.stack([np.cross(normal, forward), normal, forward]) @ recorded_axes)


def _elevation(points: Points, side: str, level: Frames) -> Float[np.ndarray, " T"]:
    """The angle of the direction ankle–toe over the sole, radians."""
    toe = points[:, MOCAP.index(f"{side}_big_toe")] - points[:, MOCAP.index(f"{side}_ankle")]
    _, up, forward = np.einsum("tij,tj->it", level, toe)
    return np.asarray(np.arctan2(up, forward))
