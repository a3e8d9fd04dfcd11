"""Where predicted joints would be seen, against where they were seen."""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from kinelift.lifting.losses.position import Loss, Poses

NEAREST = 0.2
"""Metres: joints that are predicted nearer to the camera, or behind it, count as this far."""


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
