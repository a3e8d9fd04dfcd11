"""Frames of unit vectors, and the smallest rotations between directions."""

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

Vectors = Float[np.ndarray, "*#T 3"]
"""A vector, or one for each frame."""


def unit(vectors: Vectors) -> Vectors:
    """Vectors of length 1 in the same directions; NaN for those of length 0."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(vectors / np.where(length > 0, length, np.nan))


def angle_between(first: Vectors, second: Vectors) -> Float[np.ndarray, "*#T"]:
    """The angle between vectors in degrees, exact also near 0 and 180; NaN if one is unknown or has no length."""
    a, b = unit(first), unit(second)
    return np.asarray(np.degrees(2 * np.arctan2(np.linalg.norm(a - b, axis=-1), np.linalg.norm(a + b, axis=-1))))


def across(vectors: Vectors, direction: Vectors) -> Vectors:
    """The parts of vectors perpendicular to a unit direction."""
    return np.asarray(vectors - (vectors * direction).sum(-1, keepdims=True) * direction)


def frame(first: Vectors, second: Vectors) -> Float[np.ndarray, "*#T 3 3"]:
    """Orthonormal axes as columns: along ``first``, as near ``second`` as possible, and their cross product."""
    x = unit(first)
    y = unit(across(second, x))
    return np.stack(np.broadcast_arrays(x, y, np.cross(x, y)), axis=-1)


def aligned(rest: tuple[Vectors, Vectors], now: tuple[Vectors, Vectors]) -> Rotation:
    """The rotations that turn the first direction at rest into the first one now, and the second as near as possible.

    Where the second is unknown or parallel to the first, the smallest rotation that turns the first.
    """
    matrices = frame(*now) @ frame(*rest).swapaxes(-1, -2)
    known = np.isfinite(matrices).all((-1, -2))
    fallback = smallest(unit(rest[0]), unit(now[0])).as_matrix()
    return Rotation.from_matrix(np.where(known[..., None, None], matrices, fallback))


def smallest(start: Vectors, end: Vectors) -> Rotation:
    """The smallest rotations that turn one unit direction into another; the identity where one is unknown."""
    start, end = np.broadcast_arrays(start, end)
    cosine = (start * end).sum(-1, keepdims=True)
    axis = np.cross(start, end)
    opposite = cosine[..., 0] < -1 + 1e-9
    axis[opposite] = _any_perpendicular(start[opposite])
    quaternions = np.concatenate([axis, np.where(opposite[..., None], 0.0, 1 + cosine)], axis=-1)
    known = np.isfinite(quaternions).all(-1)
    return Rotation.from_quat(np.where(known[..., None], quaternions, [0.0, 0.0, 0.0, 1.0]))


def _any_perpendicular(directions: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, "N 3"]:
    """A unit vector perpendicular to each direction."""
    least = np.eye(3)[np.abs(directions).argmin(-1)] if len(directions) else np.zeros((0, 3))
    return unit(np.cross(directions, least))
