"""What is known of one spell of frames, and the pose that is sought."""

from dataclasses import dataclass, replace
from math import radians

import numpy as np
from jaxtyping import Float

from lifting.body.settings import FitSettings
from lifting.body.structure import SEGMENT, TIPS, chains

LONGEST = 0.5
"""Seconds: frames farther apart say nothing about each other's movement."""
SHORTEST = 1e-3
"""Seconds between two frames, at least."""
NEAREST = 0.1
"""Metres in front of the camera, at least."""
KNEES = tuple((TIPS.index(f"{side}_knee"), TIPS.index(f"{side}_ankle")) for side in ("left", "right"))
ELBOWS = tuple((TIPS.index(f"{side}_elbow"), TIPS.index(f"{side}_wrist")) for side in ("left", "right"))
HIPS = TIPS.index("left_hip")
SEGMENT_ROWS = np.eye(max(SEGMENT) + 1)[list(SEGMENT)]


@dataclass(frozen=True, eq=False)
class State:
    """Roots (metres, camera frame) and unit directions of bones in every frame of a spell."""

    root: Float[np.ndarray, "T 3"]
    directions: Float[np.ndarray, "T 15 3"]

    def joints(self, lengths: Float[np.ndarray, " 10"]) -> Float[np.ndarray, "T 17 3"]:
        """Joints relative to the root, metres, for a body with these lengths (metres)."""
        return chains() @ (self.directions * lengths[list(SEGMENT), None])


@dataclass(frozen=True, eq=False)
class Problem:
    """The frames of one spell. ``plane``: keypoints on the plane z = 1, 0 where ``weight`` is 0.

    ``combined``: the keypoints as sums of bones; ``depth``: of the person (metres), about; ``told``: the network's
    directions; ``size``: lengths (metres) of the body whose acceleration is meant; ``second``: weights of the frames
    before, at and after in an acceleration (1/s²).
    """

    plane: Float[np.ndarray, "T K 2"]
    weight: Float[np.ndarray, "T K"]
    combined: Float[np.ndarray, "K 15"]
    depth: Float[np.ndarray, " T"]
    told: Float[np.ndarray, "T 15 3"]
    size: Float[np.ndarray, " 10"]
    second: Float[np.ndarray, "T 3"]

    def __len__(self) -> int:
        return len(self.plane)

    def part(self, start: int, stop: int) -> "Problem":
        """The frames from ``start`` to ``stop``, without their neighbours."""
        names = ("plane", "weight", "depth", "told", "second")
        cut = {name: getattr(self, name)[start:stop].copy() for name in names}
        cut["second"][[0, -1]] = 0
        return replace(self, **cut)


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


def chord(degrees: float) -> float:
    """Distance between two unit vectors at this angle, for small angles."""
    return radians(degrees)


def scale(settings: FitSettings) -> Float[np.ndarray, " 3"]:
    """Standard deviations of the root's acceleration."""
    return np.asarray(settings.root_acceleration)
