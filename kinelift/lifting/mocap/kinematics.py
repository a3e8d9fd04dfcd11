"""Forward kinematics over a tree of bones, all frames at once."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

Points = Float[np.ndarray, "T 3"]
Turns = Float[np.ndarray, "T 3 3"]


@dataclass(frozen=True, eq=False)
class Motion:
    """World positions (the file's unit, Y up) and rotations away from the rest pose of every joint by name."""

    positions: Mapping[str, Points]
    rotations: Mapping[str, Turns]
    rate: float

    def __len__(self) -> int:
        return len(next(iter(self.positions.values())))


def turns(order: str, degrees: Float[np.ndarray, "T K"]) -> Turns:
    """Matrices of Euler angles: lower-case axes turn about fixed axes in turn, upper-case ones about moving axes."""
    return Rotation.from_euler(order, degrees, degrees=True).as_matrix()


def turned(rotation: Turns, vector: Float[np.ndarray, " 3"]) -> Points:
    """A vector that is fixed to a bone, in world axes."""
    return np.einsum("tij,j->ti", rotation, vector)
