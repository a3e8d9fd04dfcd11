"""Joint-aware terms (Gupta, table 1 and equation 1): squared differences of limb geometry and motion.

The text names the quantities (hip to knee is its only example) and sums their squared differences. It does not say
which joints are used, how the range of motion is defined, or how the terms are weighted. Here a limb is a bone of the
skeleton, and angles are between two bones that share a joint. Every term is a mean, so its weight does not depend on
the numbers of samples, frames and joints. r and θ̈ use angles rather than joint positions, because limbs rotate about
joints. Velocities are differences between consecutive frames.
"""

from collections.abc import Iterator
from itertools import combinations

import torch
from jaxtyping import Float
from torch import Tensor

from kinelift.lifting.losses.terms import EPSILON, Loss, Poses, bones, lengths
from kinelift.poses import Skeleton


def angle(predicted: Poses, target: Poses, skeleton: Skeleton) -> Loss:
    """θ, angles between adjacent limbs, rad²."""
    return _squared_error(angles(predicted, skeleton), angles(target, skeleton))


def distance(predicted: Poses, target: Poses, skeleton: Skeleton) -> Loss:
    """d, distances between rigidly connected joints, the bone lengths, m²."""
    return _squared_error(lengths(predicted, skeleton), lengths(target, skeleton))


def symmetry(predicted: Poses, target: Poses, skeleton: Skeleton) -> Loss:
    """s, difference between left and right limb lengths, m²."""
    return _squared_error(_asymmetry(predicted, skeleton), _asymmetry(target, skeleton))


def motion_range(predicted: Poses, target: Poses, skeleton: Skeleton) -> Loss:
    """r, range of every angle (maximum minus minimum) over the frames of a sample, rad². Needs two frames."""
    estimate, truth = (angles(poses, skeleton) for poses in (predicted, target))
    return _squared_error(estimate.amax(1) - estimate.amin(1), truth.amax(1) - truth.amin(1))


def joint_velocity(predicted: Poses, target: Poses) -> Loss:
    """ẋ, joint velocities: mean squared norm of the error, (metres per frame)². Needs two frames."""
    return _squared_error(predicted.diff(dim=1), target.diff(dim=1)) * 3


def joint_acceleration(predicted: Poses, target: Poses) -> Loss:
    """ẍ, joint accelerations: mean squared norm of the error, (metres per frame²)². Needs three frames."""
    return _squared_error(predicted.diff(n=2, dim=1), target.diff(n=2, dim=1)) * 3


def angular_acceleration(predicted: Poses, target: Poses, skeleton: Skeleton) -> Loss:
    """θ̈, second differences of the angles between limbs, (rad per frame²)². Needs three frames."""
    return _squared_error(angles(predicted, skeleton).diff(n=2, dim=1), angles(target, skeleton).diff(n=2, dim=1))


def angles(poses: Poses, skeleton: Skeleton) -> Float[Tensor, "B N A"]:
    """Angles (rad, 0 to π) between bones that share a joint: 0 if they point in the same direction.

    Bones point away from the root. Gradients are finite even for collinear bones and bones of zero length.
    """
    vectors = bones(poses, skeleton)
    pairs = torch.tensor(list(_adjacent_bones(skeleton)), device=poses.device)
    a, b = vectors[:, :, pairs[:, 0]], vectors[:, :, pairs[:, 1]]
    sine = (torch.linalg.cross(a, b).square().sum(-1) + EPSILON**2).sqrt()
    return torch.atan2(sine, (a * b).sum(-1))


def _adjacent_bones(skeleton: Skeleton) -> Iterator[tuple[int, int]]:
    """Pairs of bones that share a joint."""
    for (i, a), (j, b) in combinations(enumerate(skeleton.bones), 2):
        if set(a) & set(b):
            yield i, j


def _asymmetry(poses: Poses, skeleton: Skeleton) -> Float[Tensor, "B N S"]:
    bone_lengths = lengths(poses, skeleton)
    children = [child for _, child in skeleton.bones]
    left = [k for k, child in enumerate(children) if child in skeleton.left]
    right = [children.index(skeleton.mirror[children[k]]) for k in left]
    return bone_lengths[:, :, left] - bone_lengths[:, :, right]


def _squared_error(predicted: Tensor, target: Tensor) -> Loss:
    return (predicted - target).square().mean()
