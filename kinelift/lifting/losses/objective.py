"""The supervised loss: a weighted sum of named terms."""

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
    """Weights of the terms (``lifting.losses``); 0 switches a term off."""

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
    """The active terms of a loss, which is their weighted sum.

    Raises:
        SettingsError: No term is active, a weight is negative, or the motion operator or an interval is invalid.
    """

    def __init__(self, settings: LossSettings, skeleton: Skeleton) -> None:
        _check(settings)
        terms = _terms(settings, skeleton)
        self._terms = {
            name: (getattr(settings, name), term) for name, (_, term) in terms.items() if getattr(settings, name)
        }
        if not self._terms:
            raise SettingsError("The loss has no terms. Give at least one a weight, such as --loss.mpjpe 1.")
        self.frames_needed = max(terms[name][0] for name in self._terms)
        """Consecutive frames that the terms need."""

    def __call__(self, predicted: Poses, target: Poses) -> dict[str, Tensor]:
        """Each active term times its weight.

        Args:
            predicted: Predicted poses relative to the root joint, metres, camera axes.
            target: The true poses, likewise.

        Raises:
            SettingsError: There are fewer than ``frames_needed`` frames.
        """
        if (frames := predicted.shape[1]) < self.frames_needed:
            raise SettingsError(
                f"The loss needs {self.frames_needed} consecutive frames, but there are {frames}. "
                f"Provide more frames, or remove the terms or intervals that need as many."
            )
        return {name: weight * term(predicted, target) for name, (weight, term) in self._terms.items()}


def _terms(settings: LossSettings, skeleton: Skeleton) -> Mapping[str, tuple[int, Callable[[Poses, Poses], Tensor]]]:
    """Each term by name, with the number of consecutive frames it needs."""
    motion_term = partial(motion, operator=settings.motion_operator, intervals=settings.motion_intervals)
    return {
        "mpjpe": (1, mpjpe),
        "velocity": (2, velocity),
        "bone_length": (1, partial(bone_length, skeleton=skeleton)),
        "motion": (1 + max(settings.motion_intervals), motion_term),
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
            raise SettingsError(f"The weight of the loss term {name} is {weight}. It must be 0 or more.")
    if settings.motion_operator not in OPERATORS:
        raise SettingsError(f"Unknown motion operator {settings.motion_operator!r}. Known: {', '.join(OPERATORS)}.")
    if not settings.motion_intervals or min(settings.motion_intervals) < 1:
        raise SettingsError(f"The motion intervals are {settings.motion_intervals}. Give positive numbers of frames.")
