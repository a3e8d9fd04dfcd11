"""Robust functions of squared residuals: their energy and their weight in iteratively reweighted least squares."""

from typing import TypeAlias

import numpy as np
from jaxtyping import Float

Array: TypeAlias = Float[np.ndarray, "..."]


def geman_mcclure(square: Array, scale: float) -> tuple[Array, Array]:
    """Energy, bounded by ``scale``², and weight (Geman and McClure 1987)."""
    share = 1 / (1 + square / scale**2)
    return square * share, share**2


def charbonnier(square: Array, scale: float) -> tuple[Array, Array]:
    """Energy, linear in the residual beyond ``scale``, and weight (Charbonnier et al. 1997)."""
    root = np.sqrt(1 + square / scale**2)
    return 2 * scale**2 * (root - 1), 1 / root


def welsch(square: Array) -> tuple[Array, Array]:
    """Energy, bounded by 1, and weight (Dennis and Welsch 1978)."""
    weight = np.exp(-square)
    return 1 - weight, weight
