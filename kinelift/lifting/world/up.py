"""The direction up in the camera's axes, from all people of a clip."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from kinelift.poses import Poses3D
from kinelift.poses.vectors import unit

CAMERA_UP = np.array([0.0, -1.0, 0.0])
"""Up for a camera that is held level."""
ROLL, ROLLED, MOST_ROLL = np.radians(3.0), 0.2, np.radians(45.0)
"""Standard deviation of the roll of a camera that is held level, the share of cameras that are not, and their largest
roll: people pitch cameras, but rarely roll them."""
ESTIMATE = np.radians(3.0)
"""Standard deviation of the estimate from people, however long they are seen: its errors repeat."""
MAX_ITERATIONS, TOLERANCE = 50, 1e-6
MIN_STANDING_COSINE = np.cos(np.radians(35))
"""A person stands if trunk and legs are aligned within 35°."""
MAX_PITCH_COSINE = np.cos(np.radians(60))
"""From standing bodies alone, a camera pitched by more than 60° is not believed."""


def combine(directions: Sequence[Float[np.ndarray, "_ 3"]]) -> Float[np.ndarray, " 3"] | None:
    """The direction up from the estimates of every frame and person, and the prior that cameras are not rolled.

    The estimates are combined by their geometric median (Weiszfeld 1937). A person counts by the square root of the
    number of frames.

    Args:
        directions: Unit vectors of each person, camera axes; NaN where there is no estimate.

    Returns:
        A unit vector; None without any estimate.
    """
    valid = [rows[np.isfinite(rows).all(1)] for rows in directions]
    rows = np.concatenate([np.zeros((0, 3)), *valid])
    if not len(rows):
        return None
    weights = np.concatenate([np.full(len(one), max(len(one), 1) ** -0.5) for one in valid])
    up = unit(weights @ rows)
    for _ in range(MAX_ITERATIONS):
        new = unit(weights / np.linalg.norm(rows - up, axis=1).clip(min=1e-3) @ rows)
        change, up = np.linalg.norm(new - up), new
        if change < TOLERANCE:
            break
    return _without_roll(up)


def _without_roll(up: Float[np.ndarray, " 3"]) -> Float[np.ndarray, " 3"]:
    """The expected direction if the camera's roll is normal around 0 or, in a share ``ROLLED``, anything."""
    roll, along = np.arctan2(up[0], -up[1]), np.hypot(up[0], up[1])
    spread = np.hypot(ROLL, ESTIMATE)
    level = (1 - ROLLED) * np.exp(-0.5 * (roll / spread) ** 2) / (np.sqrt(2 * np.pi) * spread)
    roll *= 1 - level / (level + ROLLED / (2 * MOST_ROLL)) * (ESTIMATE / spread) ** 2
    return np.array([along * np.sin(roll), -along * np.cos(roll), up[2]])


def of_bodies(poses: Poses3D) -> Float[np.ndarray, "T 3"]:
    """The direction from the ankles to the thorax in frames in which the person stands; NaN in the others.

    For networks that do not estimate the direction up. They lean people towards a level camera.
    """
    index = poses.skeleton.index
    ankles = (poses.points[:, index("left_ankle")] + poses.points[:, index("right_ankle")]) / 2
    root, thorax = poses.points[:, poses.skeleton.root], poses.points[:, index("thorax")]
    standing = (unit(root - ankles) * unit(thorax - root)).sum(1) > MIN_STANDING_COSINE
    up = unit(thorax - ankles)
    return np.where((standing & (up @ CAMERA_UP > MAX_PITCH_COSINE))[:, None], up, np.nan)


def world_rotation(up: Float[np.ndarray, " 3"]) -> Float[np.ndarray, "3 3"]:
    """The rotation from camera to world axes: ``up`` becomes +y, the camera's right stays level, z is backward."""
    level = np.cross([0.0, 0.0, 1.0], up)
    right = unit(level) if np.linalg.norm(level) > 1e-9 else np.array([1.0, 0.0, 0.0])
    right = right if right[0] > 0 else -right
    return np.stack([right, up, np.cross(right, up)])
