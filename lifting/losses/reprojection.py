"""Where predicted joints would be seen, against where they were seen."""

from jaxtyping import Bool, Float
from torch import Tensor

from lifting.losses.position import Loss, Poses

NEAREST = 0.2
"""Metres: joints that are predicted nearer to the camera, or behind it, count as this far."""


def reprojection(placed: Poses, rays: Float[Tensor, "B N K 2"], seen: Bool[Tensor, "B N K"]) -> Loss:
    """Mean distance on the plane z = 1 between joints of ``placed`` (camera frame, root included) and ``rays``.

    Unseen joints do not count (Pavllo et al. 2019, section 4). On that plane lens and focal length are undone, so one
    loss serves all cameras.
    """
    flat = placed[..., :2] / placed[..., 2:].clamp_min(NEAREST)
    error = (flat - rays.where(seen[..., None], flat.detach())).norm(dim=-1)
    return (error * seen).sum() / seen.sum().clamp_min(1)
