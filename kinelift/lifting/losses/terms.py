"""Distances between joints, and between their velocities.

Poses are (B, N, K, 3): N consecutive frames, K joints, metres, camera axes. All give the mean over everything.
"""

from typing import TypeAlias

from jaxtyping import Float
from torch import Tensor

Poses: TypeAlias = Float[Tensor, "B N K 3"]
Loss: TypeAlias = Float[Tensor, ""]


def mpjpe(predicted: Poses, target: Poses) -> Loss:
    """Mean per-joint position error (Pavllo et al. 2019, section 3)."""
    return (predicted - target).norm(dim=-1).mean()


def weighted_mpjpe(predicted: Poses, target: Poses, weight: Float[Tensor, "B N"]) -> Loss:
    """``mpjpe`` with a weight for every frame.

    For trajectories that is 1 / depth of the true root: what is far away matters less (Pavllo et al. 2019, section 4).
    """
    return (weight[..., None] * (predicted - target).norm(dim=-1)).mean()


def velocity(predicted: Poses, target: Poses) -> Loss:
    """``mpjpe`` of the differences between one frame and the next, metres a frame. Needs two frames."""
    return mpjpe(predicted.diff(dim=1), target.diff(dim=1))
