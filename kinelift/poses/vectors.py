"""Lengths of vectors."""

import numpy as np
from jaxtyping import Float

_SHORTEST = 1e-9
"""Vectors that are shorter have no direction."""


def unit(vectors: Float[np.ndarray, "*N 3"]) -> Float[np.ndarray, "*N 3"]:
    """Vectors of length 1 in the same directions.

    A vector of length 0 stays as it is, and an unknown one is unknown. ``kinematics.frames.unit`` gives NaN for both.

    Args:
        vectors: One vector, or an array of them with any leading axes.

    Returns:
        As many vectors, in the same precision.
    """
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), _SHORTEST))
