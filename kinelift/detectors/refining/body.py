"""One person whom ``Refined`` follows from frame to frame."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinelift.detectors.refining.crop import Crop
from kinelift.detectors.refining.side_voting import SideVoting


@dataclass(frozen=True, eq=False)
class Body:
    """One person followed from frame to frame.

    Args:
        points: Positions of the joints, px.
        scores: Confidence of the joints, 0-1.
        box: (x1, y1, x2, y2), px.
        confidence: That of the first stage's last detection, 0-1.
        crop: Where to look in the next frame; None = nowhere.
        sides: The votes about left and right.
        correction: How far the first stage moved the joints when it last looked, px; NaN for the heel and toes of an
            ankle that it saw somewhere else.
    """

    points: Float[np.ndarray, "J 2"]
    scores: Float[np.ndarray, " J"]
    box: Float[np.ndarray, " 4"]
    confidence: float
    crop: Crop | None
    sides: SideVoting
    correction: Float[np.ndarray, "J 2"] | float = 0.0
