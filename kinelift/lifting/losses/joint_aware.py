"""Joint-aware terms (Gupta, table 1 and equation 1): squared differences of what limbs are and do.

The text names the quantities (hip to knee is its only example), sums their squared differences, and leaves open which
joints they are taken of, what a range of motion is, and how the terms are weighted. Here a limb is a bone of the
skeleton, and an angle is that between two bones that share a joint. Every term is the mean over all it is taken of, so
that its weight does not depend on the numbers of samples, frames and joints. Angles rather than joints stand in r and
θ̈, as the body turns about its joints. Velocities are differences between one frame and the next.
"""

from collections.abc import Iterator
from itertools import combinations

import torch
from jaxtyping import Float
from torch import Tensor

from kinelift.lifting.losses.terms import TINY, Loss, Poses, bones, lengths
from kinelift.poses import Skeleton


def angle(predicted: Poses, target: Poses, skeleton: Skeleton) -> Loss:
    """θ, angles between limbs that meet, rad²."""
    return _square(angles(predicted, skeleton), angles(target, skeleton))


def distance(predicted: Poses, target: Poses, skeleton: Skeleton) -> Loss:
    """d, distances between joints that the body keeps fixed: the lengths of its bones, m²."""
    return _square(lengths(predicted, skeleton), lengths(target, skeleton))


def symmetry(predicted: Poses, target: Poses, skeleton: Skeleton) -> Loss:
    """s, how much longer a limb is on the left than on the right, m²."""
    return _square(_asymmetry(predicted, skeleton), _asymmetry(target, skeleton))


def motion_range(predicted: Poses, target: Poses, skeleton: Skeleton) -> Loss:
    """r, how far every angle ranges, largest less smallest over the frames of a sample, rad². Needs two frames."""
    made, true = (angles(poses, skeleton) for poses in (predicted, target))
    return _square(made.amax(1) - made.amin(1), true.amax(1) - true.amin(1))


def joint_velocity(predicted: Poses, target: Poses) -> Loss:
    """ẋ, mean over joints of the squared length of the difference, (metres a frame)². Needs two frames."""
    return _square(predicted.diff(dim=1), target.diff(dim=1)) * 3


def joint_acceleration(predicted: Poses, target: Poses) -> Loss:
    """ẍ, mean over joints of the squared length of the difference, (metres a frame²)². Needs three frames."""
    return _square(predicted.diff(n=2, dim=1), target.diff(n=2, dim=1)) * 3


def angular_acceleration(predicted: Poses, target: Poses, skeleton: Skeleton) -> Loss:
    """θ̈, second differences of the angles between limbs, (rad a frame²)². Needs three frames."""
    return _square(angles(predicted, skeleton).diff(n=2, dim=1), angles(target, skeleton).diff(n=2, dim=1))


def angles(poses: Poses, skeleton: Skeleton) -> Float[Tensor, "B N A"]:
    """Angles (rad, 0 to π) between bones that share a joint: 0 where one goes on in the other's direction.

    Bones point away from the root. Gradients are finite, also where bones lie on one line or have no length.
    """
    vectors = bones(poses, skeleton)
    pairs = torch.tensor(list(_meeting(skeleton)), device=poses.device)
    one, other = vectors[:, :, pairs[:, 0]], vectors[:, :, pairs[:, 1]]
    across = (torch.linalg.cross(one, other).square().sum(-1) + TINY**2).sqrt()
    return torch.atan2(across, (one * other).sum(-1))


def _meeting(skeleton: Skeleton) -> Iterator[tuple[int, int]]:
    """Pairs of bones that share a joint."""
    for (i, one), (j, other) in combinations(enumerate(skeleton.bones), 2):
        if set(one) & set(other):
            yield i, j


def _asymmetry(poses: Poses, skeleton: Skeleton) -> Float[Tensor, "B N S"]:
    found = lengths(poses, skeleton)
    children = [child for _, child in skeleton.bones]
    left = [k for k, child in enumerate(children) if child in skeleton.left]
    right = [children.index(skeleton.mirror[children[k]]) for k in left]
    return found[:, :, left] - found[:, :, right]


def _square(predicted: Tensor, target: Tensor) -> Loss:
    return (predicted - target).square().mean()
