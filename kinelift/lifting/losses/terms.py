"""The terms of a lifter's loss: positions, velocities, motion, bone lengths, and reprojection.

Poses are (B, N, K, 3): N consecutive frames, K joints, metres, camera axes. Every term is a mean over all elements.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from kinelift.poses import Skeleton
from kinelift.poses.camera import distort

MIN_DEPTH = 0.2
"""Metres: smallest depth used in the projection; joints predicted nearer or behind the camera are clamped to it."""
EPSILON = 1e-6
"""Square metres: keeps the gradient of a length finite for bones of zero length."""

Poses: TypeAlias = Float[Tensor, "B N K 3"]
Loss: TypeAlias = Float[Tensor, ""]


def mpjpe(predicted: Poses, target: Poses) -> Loss:
    """Mean per-joint position error (Pavllo et al. 2019, section 3)."""
    error: Loss = (predicted - target).norm(dim=-1).mean()
    return error


def weighted_mpjpe(predicted: Poses, target: Poses, weight: Float[Tensor, "B N"]) -> Loss:
    """``mpjpe`` with a weight per frame.

    For trajectories the weight is 1 / depth of the true root, so distant people count less (Pavllo et al. 2019,
    section 4).
    """
    error: Loss = (weight[..., None] * (predicted - target).norm(dim=-1)).mean()
    return error


def velocity(predicted: Poses, target: Poses) -> Loss:
    """``mpjpe`` of the differences between consecutive frames, metres per frame. Needs two frames."""
    return mpjpe(predicted.diff(dim=1), target.diff(dim=1))


def subtraction(now: Poses, later: Poses) -> Poses:
    """Displacement of each joint, metres."""
    return later - now


def inner(now: Poses, later: Poses) -> Float[Tensor, "B N K 1"]:
    """Inner product of the two positions, square metres."""
    product: Float[Tensor, "B N K 1"] = (now * later).sum(-1, keepdim=True)
    return product


def cross(now: Poses, later: Poses) -> Poses:
    """Cross product of the two positions, square metres: the best operator in the paper."""
    product: Poses = torch.linalg.cross(now, later)
    return product


OPERATORS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "subtraction": subtraction,
    "inner": inner,
    "cross": cross,
}


def motion(predicted: Poses, target: Poses, operator: str, intervals: Sequence[int]) -> Loss:
    """Motion loss (Wang et al. 2020, section 3.1): L1 distance between the motion encodings of prediction and target.

    For each interval this is the mean over samples, joints and pairs of frames, where the paper takes a sum
    (equation 4), so that the weight does not depend on their numbers. Combined with a mean position error, the weight
    corresponds to the paper's λ, except that N frames have only N - τ pairs.

    Args:
        predicted: Needs one frame more than the longest interval.
        target: The true poses.
        operator: Name of the operator in ``OPERATORS`` that encodes each joint's positions at two times.
        intervals: Distances between the two times, frames; the losses of all intervals are summed.
    """
    encode = OPERATORS[operator]
    terms = []
    for interval in intervals:
        encoded, reference = (encode(x[:, :-interval], x[:, interval:]) for x in (predicted, target))
        terms.append((encoded - reference).abs().sum(-1).mean())
    return torch.stack(terms).sum()


def lengths(poses: Poses, skeleton: Skeleton) -> Float[Tensor, "B N L"]:
    """Length of every bone, metres."""
    return (bones(poses, skeleton).square().sum(-1) + EPSILON).sqrt()


def bones(poses: Poses, skeleton: Skeleton) -> Float[Tensor, "B N L 3"]:
    """Vector of every bone from its parent joint to its child joint, metres."""
    parents, children = (list(ends) for ends in zip(*skeleton.bones, strict=True))
    return poses[:, :, children] - poses[:, :, parents]


def bone_length(predicted: Poses, target: Poses, skeleton: Skeleton) -> Loss:
    """Mean absolute error of the bone lengths, metres."""
    return (lengths(predicted, skeleton) - lengths(target, skeleton)).abs().mean()


def bone_difference(labelled: Poses, unlabelled: Float[Tensor, "U M K 3"], skeleton: Skeleton) -> Loss:
    """Difference between the mean bone lengths of two batches; mean over bones, metres.

    The soft constraint of semi-supervised training (Pavllo et al. 2019, section 4): people without ground truth should
    have bones of about the same length as the others.
    """
    return (lengths(labelled, skeleton).mean((0, 1)) - lengths(unlabelled, skeleton).mean((0, 1))).abs().mean()


def to_plane(points: Poses) -> Float[Tensor, "B N K 2"]:
    """Project points in front of the camera onto the plane z = 1, where focal length and distortion do not matter."""
    plane: Float[Tensor, "B N K 2"] = points[..., :2] / points[..., 2:]
    return plane


def reprojection(
    joints: Poses,
    keypoints: Float[Tensor, "B N K 2"],
    visible: Bool[Tensor, "B N K"],
    project: Callable[[Poses], Float[Tensor, "B N K 2"]] = to_plane,
) -> Loss:
    """Mean distance between projected joints and their keypoints (Pavllo et al. 2019, section 4).

    Args:
        joints: Trajectory + root-relative positions, metres, camera frame.
        keypoints: In the units of ``project``.
        visible: Joints to count; the keypoints of the others are ignored.
        project: By default onto the plane z = 1, where one loss serves all cameras. With a camera's intrinsics,
            keypoints and loss are in its units, such as pixels.
    """
    in_front = torch.cat([joints[..., :2], joints[..., 2:].clamp_min(MIN_DEPTH)], -1)
    projected = project(in_front)
    error = (projected - keypoints.where(visible[..., None], projected.detach())).norm(dim=-1)
    mean: Loss = (error * visible).sum() / visible.sum().clamp_min(1)
    return mean


def reproject(points: Float[Tensor, "B *N 3"], parameters: Float[Tensor, "B 11"]) -> Float[Tensor, "B *N 2"]:
    """Differentiable ``Camera.project`` for batches.

    Args:
        points: In the camera frame, in front of the camera; clamp z beforehand.
        parameters: Of each sample's own camera (``Camera.parameters``).

    Returns:
        Pixels.
    """
    intrinsics = parameters.view(len(parameters), *(1,) * (points.dim() - 2), 11)
    plane = points[..., :2] / points[..., 2:]
    distorted = torch.stack(distort(plane[..., 0], plane[..., 1], *intrinsics[..., 4:].unbind(-1)), -1)
    return distorted * intrinsics[..., :2] + intrinsics[..., 2:4]
