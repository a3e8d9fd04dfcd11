"""Straight edges in the pictures of a video, which tell which way is up."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, eq=False)
class Edges:
    """Edges of the background.

    Attributes:
        normals: Unit normals of the planes through the camera and each edge, in camera axes. An edge's direction in
            space is perpendicular to its normal.
        lengths: Their lengths as shares of the picture's longer side; an edge that is seen in every searched picture
            counts once in total.
    """

    normals: Float[np.ndarray, "N 3"]
    lengths: Float[np.ndarray, " N"]
