"""Second derivatives over unevenly spaced frames, and the band matrices they add to the normal equations."""

import numpy as np
from jaxtyping import Float

MAX_INTERVAL = 0.5
"""Seconds: frames farther apart than this do not constrain each other."""
MIN_INTERVAL = 1e-3
"""Seconds: shorter intervals count as this long."""


def second_derivative_weights(times: Float[np.ndarray, " T"]) -> Float[np.ndarray, "T 3"]:
    """Finite-difference weights (1/s²) of the previous, current and next frame.

    Args:
        times: Time of each frame in seconds.

    Returns:
        The weights; zero at both ends and next to gaps longer than ``MAX_INTERVAL``.
    """
    weights = np.zeros((len(times), 3))
    if len(times) < 3:
        return weights
    interval = np.diff(times).clip(min=MIN_INTERVAL)
    before, after = interval[:-1], interval[1:]
    mean = (before + after) / 2
    valid = (before <= MAX_INTERVAL) & (after <= MAX_INTERVAL)
    weights[1:-1, 0], weights[1:-1, 2] = valid / (before * mean), valid / (after * mean)
    weights[:, 1] = -weights[:, 0] - weights[:, 2]
    return weights


def accelerations(x: Float[np.ndarray, "T *N"], weights: Float[np.ndarray, "T 3"]) -> Float[np.ndarray, "T *N"]:
    """Second derivatives of ``x`` by the weights of ``second_derivative_weights``."""
    w = weights.reshape(len(x), 3, *[1] * (x.ndim - 1))
    out = np.asarray(w[:, 1] * x)
    out[1:] += w[1:, 0] * x[:-1]
    out[:-1] += w[:-1, 2] * x[1:]
    return out


def accelerations_transposed(
    y: Float[np.ndarray, "T *N"], weights: Float[np.ndarray, "T 3"]
) -> Float[np.ndarray, "T *N"]:
    """Apply the transpose of the linear operator ``accelerations``."""
    w = weights.reshape(len(y), 3, *[1] * (y.ndim - 1))
    out = np.asarray(w[:, 1] * y)
    out[:-1] += w[1:, 0] * y[1:]
    out[1:] += w[:-1, 2] * y[:-1]
    return out


def acceleration_bands(
    weight: Float[np.ndarray, "T N"], second_derivative: Float[np.ndarray, "T 3"]
) -> tuple[Float[np.ndarray, "T N"], Float[np.ndarray, "T N"], Float[np.ndarray, "T N"]]:
    """Bands of Aᵀ diag(``weight``) A, where A takes second derivatives: offsets of 0, 1 and 2 frames."""
    previous, current, following = second_derivative.T[..., None]
    diagonal, first, second = current**2 * weight, np.zeros_like(weight), np.zeros_like(weight)
    diagonal[:-1] += (previous**2 * weight)[1:]
    diagonal[1:] += (following**2 * weight)[:-1]
    first[:-1] = (following * current * weight)[:-1] + (current * previous * weight)[1:]
    second[:-2] = (previous * following * weight)[1:-1]
    return diagonal, first, second
