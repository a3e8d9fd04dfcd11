"""What lifts tracks, and whether a fit follows."""

from typing import Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
from jaxtyping import Float

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
