"""A lifter followed by the fit to one body per person."""

from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
from jaxtyping import Float

from kinelift.lifting.body.fit import can_fit, fit
from kinelift.lifting.body.fit_settings import FitSettings
from kinelift.poses import Poses3D, Track2D
from kinelift.poses.camera import Camera

FitMode: TypeAlias = Literal["body", "off"]
"""``body`` fits the network's poses to one body; ``off`` leaves them unchanged."""


@runtime_checkable
class PoseLifter(Protocol):
    """Lifts a 2D track to 3D poses."""

    def lift(self, track: Track2D, camera: Camera, up: Float[np.ndarray, " 3"] | None = None) -> Poses3D:
        """3D poses (metres) at the times of ``track``, in the frame of ``camera``.

        ``up`` is the direction up in camera axes, for lifters that take it; None if it is not known.
        """

    def estimate_up(self, track: Track2D, camera: Camera) -> Float[np.ndarray, "T 3"] | None:
        """The direction up in every frame, in camera axes; None if the lifter does not estimate it."""


@dataclass(frozen=True, eq=False)
class FittedLifter:
    """A lifter whose poses are fitted to one body. Poses of skeletons that cannot be fitted stay as they are."""

    lifter: PoseLifter
    settings: FitSettings = field(default_factory=FitSettings)

    def lift(self, track: Track2D, camera: Camera, up: Float[np.ndarray, " 3"] | None = None) -> Poses3D:
        """Poses (metres) of one body and their root, in the frame of ``camera``."""
        poses = self.lifter.lift(track, camera, up)
        return fit(track, poses, camera, self.settings) if can_fit(track.skeleton, poses.skeleton) else poses

    def estimate_up(self, track: Track2D, camera: Camera) -> Float[np.ndarray, "T 3"] | None:
        """As the lifter estimates it."""
        return self.lifter.estimate_up(track, camera)


def with_fit(lifter: PoseLifter, mode: FitMode) -> PoseLifter:
    """``lifter``, followed by the fit if ``mode`` asks for it."""
    return FittedLifter(lifter) if mode == "body" else lifter
