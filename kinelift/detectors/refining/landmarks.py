"""What a second stage is asked: where exactly the joints of one known person are."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

from kinelift.detectors.refining.crop import Crop
from kinelift.poses import Skeleton


@dataclass(frozen=True, eq=False)
class Landmarks:
    """One person close up: ``points`` in pixels of the picture, ``scores`` 0–1, ``person`` = how surely there is one
    (0–1), ``crop`` = where the model would look for them in the next frame.
    """

    points: Float[np.ndarray, "J 2"]
    scores: Float[np.ndarray, " J"]
    person: float
    crop: Crop


@runtime_checkable
class LandmarkModel(Protocol):
    """Places the joints of one person; ``BlazePose`` is one."""

    @property
    def skeleton(self) -> Skeleton:
        """The joints of every answer."""

    def landmarks(self, image: UInt8[np.ndarray, "H W 3"], crop: Crop) -> Landmarks:
        """The person in a ``crop`` of an RGB picture."""
