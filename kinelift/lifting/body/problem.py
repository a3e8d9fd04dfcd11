"""What is known of one spell of frames, and the pose that is sought."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from kinelift.lifting.body.structure import SEGMENT, chains


@dataclass(frozen=True, eq=False)
class State:
    """Roots (metres, camera frame) and unit directions of bones in every frame of a spell."""

    root: Float[np.ndarray, "T 3"]
    directions: Float[np.ndarray, "T 15 3"]

    def joints(self, lengths: Float[np.ndarray, " 10"]) -> Float[np.ndarray, "T J 3"]:
        """Joints relative to the root, metres, for a body with these lengths (metres)."""
        return chains() @ (self.directions * lengths[list(SEGMENT), None])

    def turned(self, step: Float[np.ndarray, "T 33"]) -> "State":
        """Roots moved, and directions turned about their ``axes``."""
        ways = step[:, 3:].reshape(*self.directions.shape[:2], 1, 2) @ self.axes
        directions = self.directions + ways[:, :, 0]
        return State(self.root + step[:, :3], directions / np.linalg.norm(directions, axis=-1, keepdims=True))

    @property
    def axes(self) -> Float[np.ndarray, "T 15 2 3"]:
        """Two unit vectors at right angles to each direction and to each other."""
        return across(self.directions)

    def part(self, start: int, stop: int) -> "State":
        """The frames from ``start`` to ``stop``."""
        return State(self.root[start:stop], self.directions[start:stop])


@dataclass(frozen=True, eq=False)
class Problem:
    """The frames of one spell. ``plane``: keypoints on the plane z = 1, 0 where ``weight`` is 0.

    ``combined``: the keypoints as sums of bones; ``depth``: of the person (metres), about; ``told``: the network's
    directions; ``size``: lengths (metres) of the body whose acceleration is meant; ``second``: weights of the frames
    before, at and after in an acceleration (1/s²); ``held``: frames that stay as they are.
    """

    plane: Float[np.ndarray, "T K 2"]
    weight: Float[np.ndarray, "T K"]
    combined: Float[np.ndarray, "K 15"]
    depth: Float[np.ndarray, " T"]
    told: Float[np.ndarray, "T 15 3"]
    size: Float[np.ndarray, " 10"]
    second: Float[np.ndarray, "T 3"]
    held: Bool[np.ndarray, " T"]

    def __len__(self) -> int:
        return len(self.plane)

    def part(self, start: int, stop: int) -> "Problem":
        """The frames from ``start`` to ``stop``, without their neighbours."""
        names = ("plane", "weight", "depth", "told", "second", "held")
        cut = {name: getattr(self, name)[start:stop].copy() for name in names}
        cut["second"][[0, -1]] = 0
        return replace(self, **cut)


def across(directions: Float[np.ndarray, "T 15 3"]) -> Float[np.ndarray, "T 15 2 3"]:
    """Two unit vectors at right angles to each direction and to each other (Duff et al. 2017)."""
    x, y, z = np.moveaxis(directions, -1, 0)
    sign = np.where(z < 0, -1.0, 1.0)
    a = -1 / (sign + z)
    b = x * y * a
    first = np.stack([1 + sign * x * x * a, sign * b, -sign * x], -1)
    return np.stack([first, np.stack([b, sign + y * y * a, -y], -1)], -2)
