"""The data of one window of frames, and the state to be estimated."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from kinelift.lifting.body.planted import Planted
from kinelift.lifting.body.steady import Steady
from kinelift.lifting.body.structure import SEGMENT, chains


@dataclass(frozen=True, eq=False)
class State:
    """Root positions (metres, camera frame) and unit bone directions of every frame of a window."""

    root: Float[np.ndarray, "T 3"]
    directions: Float[np.ndarray, "T 19 3"]

    def joints(self, lengths: Float[np.ndarray, " 12"]) -> Float[np.ndarray, "T J 3"]:
        """Joints relative to the root (metres) of a body with these segment lengths (metres)."""
        joints: Float[np.ndarray, "T J 3"] = chains() @ (self.directions * lengths[list(SEGMENT), None])
        return joints

    def updated(self, step: Float[np.ndarray, "T 41"]) -> "State":
        """The state after a step: roots are translated, directions move along their ``tangents``."""
        shift = step[:, 3:].reshape(*self.directions.shape[:2], 1, 2) @ self.tangents
        directions = self.directions + shift[:, :, 0]
        return State(self.root + step[:, :3], directions / np.linalg.norm(directions, axis=-1, keepdims=True))

    @property
    def tangents(self) -> Float[np.ndarray, "T 19 2 3"]:
        """An orthonormal basis of the tangent plane at each direction."""
        return tangent_basis(self.directions)

    def frames(self, start: int, stop: int) -> "State":
        """The frames from ``start`` to ``stop``."""
        return State(self.root[start:stop], self.directions[start:stop])


@dataclass(frozen=True, eq=False)
class Problem:
    """The data of one window of frames."""

    keypoints: Float[np.ndarray, "T K 2"]
    """On the plane z = 1; 0 where ``weight`` is 0."""
    weight: Float[np.ndarray, "T K"]
    """Weight of each keypoint."""
    keypoint_chains: Float[np.ndarray, "K 19"]
    """Each keypoint as a linear combination of bones."""
    depth: Float[np.ndarray, " T"]
    """Approximate depth of the person, metres."""
    network_directions: Float[np.ndarray, "T 19 3"]
    """Unit bone directions in the network's prediction."""
    reference_lengths: Float[np.ndarray, " 12"]
    """Segment lengths (metres) for which accelerations are computed."""
    acceleration_weights: Float[np.ndarray, "T 3"]
    """Second-derivative weights (1/s²) of the previous, current and next frame."""
    fixed: Bool[np.ndarray, " T"]
    """Frames that must not change."""
    planted: Planted | None = None
    """Feet on the floor; None if not known."""
    steady: Steady | None = None
    """How much somebody who stands may sway; None if not known."""

    def __len__(self) -> int:
        return len(self.keypoints)

    def frames(self, start: int, stop: int) -> "Problem":
        """The frames from ``start`` to ``stop``, decoupled from their neighbours."""
        names = ("keypoints", "weight", "depth", "network_directions", "acceleration_weights", "fixed")
        cut = {name: getattr(self, name)[start:stop].copy() for name in names}
        cut["acceleration_weights"][[0, -1]] = 0
        planted = None if self.planted is None else self.planted.frames(start, stop)
        steady = None if self.steady is None else self.steady.frames(start, stop)
        return replace(self, **cut, planted=planted, steady=steady)


def tangent_basis(directions: Float[np.ndarray, "T 19 3"]) -> Float[np.ndarray, "T 19 2 3"]:
    """Two unit vectors perpendicular to each direction and to each other (Duff et al. 2017)."""
    x, y, z = np.moveaxis(directions, -1, 0)
    sign = np.where(z < 0, -1.0, 1.0)
    a = -1 / (sign + z)
    b = x * y * a
    first = np.stack([1 + sign * x * x * a, sign * b, -sign * x], -1)
    second = np.stack([b, sign + y * y * a, -y], -1)
    return np.stack([first, second], -2)
