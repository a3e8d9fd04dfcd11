"""The terms of a lifter's loss: positions, velocities, motion, bone lengths, and reprojection.

Poses are (B, N, K, 3): N consecutive frames, K joints, metres, camera axes. All give the mean over everything.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from kinelift.poses import Skeleton
from kinelift.poses.camera import distort

NEAREST = 0.2
"""Metres: joints that are predicted nearer to the camera, or behind it, count as this far."""
TINY = 1e-6
"""Square metres: keeps the gradient of a length finite where a bone has none."""

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


def subtraction(now: Poses, later: Poses) -> Poses:
    """How far a joint came."""
    return later - now


def inner(now: Poses, later: Poses) -> Float[Tensor, "B N K 1"]:
    """Inner product of the two places, square metres."""
    return (now * later).sum(-1, keepdim=True)


def cross(now: Poses, later: Poses) -> Poses:
    """Cross product of the two places, square metres: the paper's best."""
    return torch.linalg.cross(now, later)


OPERATORS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "subtraction": subtraction,
    "inner": inner,
    "cross": cross,
}


def motion(predicted: Poses, target: Poses, operator: str, intervals: Sequence[int]) -> Loss:
    """Motion loss (Wang et al. 2020, section 3.1): L1 distance between the encodings of prediction and target.

    An operator encodes each joint's places at two times; the distances are summed over ``intervals`` (frames).

    For every interval it is the mean over samples, joints and pairs of frames, where the paper has a sum (equation 4);
    its weight so depends on none of their numbers. Beside a position error that is a mean too, it stands for the
    paper's λ beside one that is a sum, except that N frames have only N - τ pairs. Needs one frame more than the
    longest interval.
    """
    encode = OPERATORS[operator]
    terms = []
    for interval in intervals:
        made, true = (encode(x[:, :-interval], x[:, interval:]) for x in (predicted, target))
        terms.append((made - true).abs().sum(-1).mean())
    return torch.stack(terms).sum()


def lengths(poses: Poses, skeleton: Skeleton) -> Float[Tensor, "B N L"]:
    """Length of every bone, metres."""
    return (bones(poses, skeleton).square().sum(-1) + TINY).sqrt()


def bones(poses: Poses, skeleton: Skeleton) -> Float[Tensor, "B N L 3"]:
    """Every bone from its parent joint to its child joint, metres."""
    parents, children = (list(ends) for ends in zip(*skeleton.bones, strict=True))
    return poses[:, :, children] - poses[:, :, parents]


def bone_length(predicted: Poses, target: Poses, skeleton: Skeleton) -> Loss:
    """Mean absolute error of the bones' lengths, metres."""
    return (lengths(predicted, skeleton) - lengths(target, skeleton)).abs().mean()


def bone_difference(labelled: Poses, unlabelled: Float[Tensor, "U M K 3"], skeleton: Skeleton) -> Loss:
    """How far every bone's mean length over one batch is from that over the other; mean over bones, metres.

    The soft constraint of semi-supervised training (Pavllo et al. 2019, section 4): people without truth have bones
    about as long as the others.
    """
    return (lengths(labelled, skeleton).mean((0, 1)) - lengths(unlabelled, skeleton).mean((0, 1))).abs().mean()


def flat(placed: Poses) -> Float[Tensor, "B N K 2"]:
    """Where joints in front of the camera lie on its plane z = 1: there, lens and focal length are undone."""
    return placed[..., :2] / placed[..., 2:]


def reprojection(
    placed: Poses,
    keypoints: Float[Tensor, "B N K 2"],
    seen: Bool[Tensor, "B N K"],
    project: Callable[[Poses], Float[Tensor, "B N K 2"]] = flat,
) -> Loss:
    """Mean distance between ``keypoints`` and where ``project`` puts the joints ``placed`` in the camera frame.

    ``placed``: trajectory + root-relative positions, metres. Unseen joints do not count, whatever their keypoints
    (Pavllo et al. 2019, section 4). On the plane z = 1, the default, one loss serves all cameras; with a camera's
    intrinsics in ``project``, keypoints and loss are in its units, such as pixels.
    """
    inside = torch.cat([placed[..., :2], placed[..., 2:].clamp_min(NEAREST)], -1)
    found = project(inside)
    error = (found - keypoints.where(seen[..., None], found.detach())).norm(dim=-1)
    return (error * seen).sum() / seen.sum().clamp_min(1)


def reproject(points: Float[Tensor, "B *N 3"], parameters: Float[Tensor, "B 11"]) -> Float[Tensor, "B *N 2"]:
    """``Camera.project`` for training: every sample of a batch by the ``parameters`` of its own camera.

    Differentiable. Points must lie in front of the camera; keep z away from zero beforehand.
    """
    numbers = parameters.view(len(parameters), *(1,) * (points.dim() - 2), 11)
    plane = points[..., :2] / points[..., 2:]
    bent = torch.stack(distort(plane[..., 0], plane[..., 1], *numbers[..., 4:].unbind(-1)), -1)
    return bent * numbers[..., :2] + numbers[..., 2:4]
