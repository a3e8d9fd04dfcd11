"""Rotations as three angles that do not jump."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation


def euler_angles(quaternions: Float[np.ndarray, "T N 4"]) -> Float[np.ndarray, "T N 3"]:
    """Degrees about the body's own axes Z, X and Y, one after the other, near those of the frame before.

    Each rotation has two such triples, each up to whole turns: (a, b, c) and (a + 180, 180 - b, c + 180).

    Args:
        quaternions: (x, y, z, w).
    """
    with without_gimbal_warning():
        flat = Rotation.from_quat(quaternions.reshape(-1, 4)).as_euler("ZXY", degrees=True)
    out: Float[np.ndarray, "T N 3"] = flat.reshape(*quaternions.shape[:2], 3)
    other = out * [1.0, -1.0, 1.0] + 180.0
    for frame in range(1, len(out)):
        near, far = (_nearest(choice[frame], out[frame - 1]) for choice in (out, other))
        closer = np.abs(near - out[frame - 1]).sum(-1) <= np.abs(far - out[frame - 1]).sum(-1)
        out[frame] = np.where(closer[:, None], near, far)
    return out


def _nearest(angles: Float[np.ndarray, "N 3"], previous: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, "N 3"]:
    """The angles plus whole turns, as near the previous ones as possible."""
    return np.asarray(angles - 360.0 * np.round((angles - previous) / 360.0))


@contextmanager
def without_gimbal_warning() -> Iterator[None]:
    """Without SciPy's warning that two of three angles are not unique: their sum is, so the rotation is right."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Gimbal lock", category=UserWarning)
        yield
