"""A lifter whose answers are fitted to one body a person: what the program runs, and what is measured of it."""

from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from kinelift.lifting.body.fit import fit, fits
from kinelift.lifting.body.fit_settings import FitSettings
from kinelift.poses import Poses3D, Track2D
from kinelift.poses.camera import Camera

Fit: TypeAlias = Literal["body", "off"]
"""What happens to poses after the network: ``body`` fits them to one body, ``off`` leaves them."""


@runtime_checkable
class Lifts(Protocol):
    """A lifter."""

    def lift(self, track: Track2D, camera: Camera) -> Poses3D:
        """3D poses at the times of ``track``, in the frame of ``camera``."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """``lifter``, and ``fit`` after it where it knows the skeletons; other poses stay as they are."""

    lifter: Lifts
    settings: FitSettings = field(default_factory=FitSettings)

    def lift(self, track: Track2D, camera: Camera) -> Poses3D:
        """Poses of one body (metres) and its place, in the frame of ``camera``."""
        poses = self.lifter.lift(track, camera)
        return fit(track, poses, camera, self.settings) if fits(track.skeleton, poses.skeleton) else poses


def fitted(lifter: Lifts, how: Fit) -> Lifts:
    """``lifter`` with what happens after it."""
    return Fitted(lifter) if how == "body" else lifter
