"""Joint angles from three points each: the ones that the viewer plots."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int8

from kinelift.poses import Skeleton
from kinelift.poses.kinematics.frames import angle_between

Measure = Literal["bend", "angle"]


@dataclass(frozen=True)
class AngleKind:
    """An angle at the middle one of three joints, on both sides of the body.

    Args:
        name: What it is called.
        joints: The three joints, without their sides.
        measure: "angle": between the two bones. "bend": 180° less that, which is 0° for a straight limb.
        about: What it means, in one line.
    """

    name: str
    joints: tuple[str, str, str]
    measure: Measure
    about: str


@dataclass(frozen=True, eq=False)
class Angle:
    """One angle of one person over time.

    Attributes:
        kind: Which.
        side: "left" or "right".
        degrees: Its size, 0-180; NaN where a joint is unknown.
        states: The least ``JointState`` of its three joints, which says what it rests on; -1 = not computed.
    """

    kind: AngleKind
    side: str
    degrees: Float[np.ndarray, " T"]
    states: Int8[np.ndarray, " T"]


KINDS = (
    AngleKind("knee", ("hip", "knee", "ankle"), "bend", "0° is a straight leg"),
    AngleKind("hip", ("shoulder", "hip", "knee"), "bend", "0° is a thigh in line with the trunk"),
    AngleKind("elbow", ("shoulder", "elbow", "wrist"), "bend", "0° is a straight arm"),
    AngleKind("shoulder", ("hip", "shoulder", "elbow"), "angle", "0° is an arm along the trunk"),
    AngleKind("ankle", ("knee", "ankle", "toe"), "angle", "between shin and foot"),
)


def joint_angles(
    points: Float[np.ndarray, "T J 3"], states: Int8[np.ndarray, "T J"], skeleton: Skeleton
) -> Iterator[Angle]:
    """All angles whose joints the skeleton has.

    Args:
        points: Joints in any frame of reference; NaN = unknown.
        states: The ``JointState`` of each joint, or -1.
        skeleton: The layout of the joints.
    """
    for kind in KINDS:
        for side in ("left", "right"):
            names = [f"{side}_{joint}" for joint in kind.joints]
            if set(names) <= set(skeleton.joints):
                rows = [skeleton.index(name) for name in names]
                between = angle_between(
                    points[:, rows[0]] - points[:, rows[1]], points[:, rows[2]] - points[:, rows[1]]
                )
                degrees = 180.0 - between if kind.measure == "bend" else between
                yield Angle(kind, side, degrees, states[:, rows].min(axis=1))
