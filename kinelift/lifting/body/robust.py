"""Robust energies of squared errors (in standard deviations), and the weights that they are minimised by."""

import numpy as np
from jaxtyping import Float

Many = Float[np.ndarray, "..."]


def geman_mcclure(square: Many, scale: float) -> tuple[Many, Many]:
    """Energy, bounded by ``scale``², and weight (Geman and McClure 1987)."""
    share = 1 / (1 + square / scale**2)
    return square * share, share**2


def charbonnier(square: Many, scale: float) -> tuple[Many, Many]:
    """Energy, which grows like the error beyond ``scale``, and weight (Charbonnier et al. 1997)."""
    root = np.sqrt(1 + square / scale**2)
    return 2 * scale**2 * (root - 1), 1 / root


def welsch(square: Many) -> tuple[Many, Many]:
    """Energy, bounded by 1, and weight (Dennis and Welsch 1978)."""
    weight = np.exp(-square)
    return 1 - weight, weight
