"""Boxes around people."""

import numpy as np
from jaxtyping import Float

_MARGIN = 0.1
"""Joints lie inside of a body: what is added on every side, in parts of their extent, and 1 px."""


def around(points: Float[np.ndarray, "*many J 2"]) -> Float[np.ndarray, "*many 4"]:
    """The box (x1, y1, x2, y2) around joints in pixels, with a margin. NaN = not seen; somebody of each must be."""
    low, high = np.nanmin(points, axis=-2), np.nanmax(points, axis=-2)
    edge = _MARGIN * (high - low) + 1
    return np.concatenate([low - edge, high + edge], axis=-1)
