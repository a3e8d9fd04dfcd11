"""Accelerations between frames at any times, and what they add to equations that are banded over time."""

import numpy as np
from jaxtyping import Float

LONGEST = 0.5
"""Seconds: frames farther apart say nothing about each other's movement."""
SHORTEST = 1e-3
"""Seconds between two frames, at least."""


def second(times: Float[np.ndarray, " T"]) -> Float[np.ndarray, "T 3"]:
    """Weights of the frame before, the frame and the frame after in the second derivative over time (1/s²).

    Zero at the ends and beside gaps.
    """
    out = np.zeros((len(times), 3))
    if len(times) < 3:
        return out
    step = np.diff(times).clip(min=SHORTEST)
    before, after = step[:-1], step[1:]
    sums = (before + after) / 2
    whole = (before <= LONGEST) & (after <= LONGEST)
    out[1:-1, 0], out[1:-1, 2] = whole / (before * sums), whole / (after * sums)
    out[:, 1] = -out[:, 0] - out[:, 2]
    return out


def accelerations(x: Float[np.ndarray, "T *N"], weights: Float[np.ndarray, "T 3"]) -> Float[np.ndarray, "T *N"]:
    """Second derivatives by the weights of ``second``."""
    w = weights.reshape(len(x), 3, *[1] * (x.ndim - 1))
    out = w[:, 1] * x
    out[1:] += w[1:, 0] * x[:-1]
    out[:-1] += w[:-1, 2] * x[1:]
    return out


def spread(y: Float[np.ndarray, "T *N"], weights: Float[np.ndarray, "T 3"]) -> Float[np.ndarray, "T *N"]:
    """The transpose of ``accelerations``."""
    w = weights.reshape(len(y), 3, *[1] * (y.ndim - 1))
    out = w[:, 1] * y
    out[:-1] += w[1:, 0] * y[1:]
    out[1:] += w[:-1, 2] * y[:-1]
    return out


def products(
    weight: Float[np.ndarray, "T N"], second: Float[np.ndarray, "T 3"]
) -> tuple[Float[np.ndarray, "T N"], Float[np.ndarray, "T N"], Float[np.ndarray, "T N"]]:
    """Weighted products of the coefficients that frame t shares with frames t, t + 1 and t + 2."""
    before, here, after = second.T[..., None]
    zero, one, two = here**2 * weight, np.zeros_like(weight), np.zeros_like(weight)
    zero[:-1] += (before**2 * weight)[1:]
    zero[1:] += (after**2 * weight)[:-1]
    one[:-1] = (after * here * weight)[:-1] + (here * before * weight)[1:]
    two[:-2] = (before * after * weight)[1:-1]
    return zero, one, two
