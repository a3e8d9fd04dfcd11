"""The second stage: exact positions of the joints of one person whom a first stage detected."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

from kinelift.detectors.refining.crop import Crop
from kinelift.poses import Skeleton


@dataclass(frozen=True, eq=False)
class Landmarks:
    """The joints of one person in a close-up.

    Args:
        points: Positions in pixels of the image. Heels and toes may be NaN, with score 0.
        scores: Confidence of each joint, 0-1.
        person: Probability that the crop shows a person.
        crop: Where the model would look for this person in the next frame.
    """

    points: Float[np.ndarray, "J 2"]
    scores: Float[np.ndarray, " J"]
    person: float
    crop: Crop


@runtime_checkable
class LandmarkModel(Protocol):
    """Locates the joints of one person; ``BlazePose`` is one."""

    @property
    def skeleton(self) -> Skeleton:
        """The joints of every answer."""

    def landmarks(self, image: UInt8[np.ndarray, "H W 3"], crop: Crop) -> Landmarks:
        """Locate the joints of the person in a ``crop`` of an RGB image."""
