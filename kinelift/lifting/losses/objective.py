"""The named, weighted terms of a supervised loss."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import isfinite

from torch import Tensor

from kinelift.lifting.losses import joint_aware
from kinelift.lifting.losses.terms import OPERATORS, Poses, bone_length, motion, mpjpe, velocity
from kinelift.poses import Skeleton
from kinelift.poses.errors import SettingsError


@dataclass(frozen=True)
class LossSettings:
    """A weight for every term; 0 switches it off. What each measures stands in ``lifting.losses``."""

    mpjpe: float = 1.0
    velocity: float = 0.0
    bone_length: float = 0.0
    motion: float = 0.0
    motion_operator: str = "cross"
    """subtraction, inner or cross."""
    motion_intervals: tuple[int, ...] = (8, 12, 16, 24)
    """Frames."""
    angle: float = 0.0
    """θ of the joint-aware terms."""
    distance: float = 0.0
    """d"""
    symmetry: float = 0.0
    """s"""
    motion_range: float = 0.0
    """r"""
    joint_velocity: float = 0.0
    """ẋ"""
    joint_acceleration: float = 0.0
    """ẍ"""
    angular_acceleration: float = 0.0
    """θ̈"""


class Objective:
    """Calling it gives the weighted terms that are switched on; the loss is their sum.

    ``consecutive``: how many consecutive frames they need. Raises ``SettingsError`` for settings without any term, with
    a weight below 0, or with an unknown operator or interval.
    """

    def __init__(self, settings: LossSettings, skeleton: Skeleton) -> None:
        _check(settings)
        terms = _terms(settings, skeleton)
        self._terms = {
            name: (getattr(settings, name), term) for name, (_, term) in terms.items() if getattr(settings, name)
        }
        if not self._terms:
            raise SettingsError("The loss has no terms. Give one of them a weight, such as --loss.mpjpe 1.")
        self.consecutive = max(terms[name][0] for name in self._terms)

    def __call__(self, predicted: Poses, target: Poses) -> dict[str, Tensor]:
        """Every term times its weight, for poses relative to the root joint (metres, camera axes).

        Raises ``SettingsError`` for fewer than ``consecutive`` frames.
        """
        if (frames := predicted.shape[1]) < self.consecutive:
            raise SettingsError(
                f"The loss needs {self.consecutive} consecutive frames, and there are {frames}. "
                f"Give it more, or leave out the terms or intervals that look so far."
            )
        return {name: weight * term(predicted, target) for name, (weight, term) in self._terms.items()}


def _terms(settings: LossSettings, skeleton: Skeleton) -> Mapping[str, tuple[int, Callable[[Poses, Poses], Tensor]]]:
    """By name: the frames that a term needs, and the term."""
    moving = partial(motion, operator=settings.motion_operator, intervals=settings.motion_intervals)
    return {
        "mpjpe": (1, mpjpe),
        "velocity": (2, velocity),
        "bone_length": (1, partial(bone_length, skeleton=skeleton)),
        "motion": (1 + max(settings.motion_intervals), moving),
        "angle": (1, partial(joint_aware.angle, skeleton=skeleton)),
        "distance": (1, partial(joint_aware.distance, skeleton=skeleton)),
        "symmetry": (1, partial(joint_aware.symmetry, skeleton=skeleton)),
        "motion_range": (2, partial(joint_aware.motion_range, skeleton=skeleton)),
        "joint_velocity": (2, joint_aware.joint_velocity),
        "joint_acceleration": (3, joint_aware.joint_acceleration),
        "angular_acceleration": (3, partial(joint_aware.angular_acceleration, skeleton=skeleton)),
    }


def _check(settings: LossSettings) -> None:
    for name, weight in vars(settings).items():
        if isinstance(weight, int | float) and not (isfinite(weight) and weight >= 0):
            raise SettingsError(f"The loss term {name} has weight {weight}. Weights are 0 or more.")
    if settings.motion_operator not in OPERATORS:
        raise SettingsError(f"Unknown motion operator {settings.motion_operator!r}. Known: {', '.join(OPERATORS)}.")
    if not settings.motion_intervals or min(settings.motion_intervals) < 1:
        raise SettingsError(f"Motion intervals are positive numbers of frames, not {settings.motion_intervals}.")
