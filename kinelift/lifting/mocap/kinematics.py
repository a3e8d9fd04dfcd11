"""Forward kinematics of a tree of bones, for all frames at once."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

Points = Float[np.ndarray, "T 3"]
Rotations = Float[np.ndarray, "T 3 3"]


@dataclass(frozen=True, eq=False)
class JointMotion:
    """World positions (file's unit, Y up) and rotations from the rest pose, by joint name."""

    positions: Mapping[str, Points]
    rotations: Mapping[str, Rotations]
    rate: float

    def __len__(self) -> int:
        return len(next(iter(self.positions.values())))


def euler_matrices(order: str, degrees: Float[np.ndarray, "T K"]) -> Rotations:
    """Convert Euler angles to matrices; lower-case ``order`` means fixed axes, upper-case moving axes."""
    return Rotation.from_euler(order, degrees, degrees=True).as_matrix()


def rotate_vector(rotation: Rotations, vector: Float[np.ndarray, " 3"]) -> Points:
    """Rotate a vector that is fixed to a bone into world axes."""
    rotated: Points = np.einsum("tij,j->ti", rotation, vector)
    return rotated
