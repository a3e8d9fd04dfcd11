"""Projection inside training: of tensors, by the cameras of a batch."""

import torch
from jaxtyping import Float
from torch import Tensor

from kinelift.poses.camera import moved


def reproject(points: Float[Tensor, "B *N 3"], parameters: Float[Tensor, "B 11"]) -> Float[Tensor, "B *N 2"]:
    """``Camera.project`` for training: every sample of a batch by the ``parameters`` of its own camera.

    Differentiable. Points must lie in front of the camera; keep z away from zero beforehand.
    """
    numbers = parameters.view(len(parameters), *(1,) * (points.dim() - 2), 11)
    plane = points[..., :2] / points[..., 2:]
    bent = torch.stack(moved(plane[..., 0], plane[..., 1], *numbers[..., 4:].unbind(-1)), -1)
    return bent * numbers[..., :2] + numbers[..., 2:4]
