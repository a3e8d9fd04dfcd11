"""What the network sees of a window of keypoints, and the frame of reference in which it answers.

A normalisation takes keypoints on the plane z = 1 of the camera and gives the network's input together with, for every
frame, the rotation from the camera frame to the frame of an answer for it. A checkpoint names the one that it was
trained with.
"""

from collections.abc import Callable
from typing import TypeAlias

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from poses.errors import WeightsError

Normalised: TypeAlias = tuple[Float[Tensor, "B R J 3"], Float[Tensor, "B R 3 3"]]
Normalisation: TypeAlias = Callable[[Float[Tensor, "B R J 2"], Bool[Tensor, "B R J"]], Normalised]

MIN_SIZE = 1e-3
"""Smallest angular size (rad) of a person: keeps a window with one seen joint finite."""


def facing(plane: Float[Tensor, "B R J 2"], seen: Bool[Tensor, "B R J"]) -> Normalised:
    """Turn the camera to face the person, then scale by the person's angular size over the window.

    The result depends neither on where the person stands in the picture nor on the focal length. The third feature
    is 1 where the joint was seen; an unseen joint is (0, 0, 0). All three steps use seen joints only.
    """
    rays = torch.cat([plane, torch.ones_like(plane[..., :1])], -1)
    weight = seen.to(plane.dtype)[..., None]
    unit = torch.where(seen[..., None], rays / rays.norm(dim=-1, keepdim=True), 0.0)
    rotation = turn_to(unit.sum((1, 2)))
    turned = turn(torch.where(seen[..., None], rays, 0.0), rotation)
    flat = turned[..., :2] / turned[..., 2:].clamp_min(0.1)
    middle = (flat * weight).sum(2, keepdim=True) / weight.sum(2, keepdim=True).clamp_min(1)
    square = ((flat - middle).square() * weight).sum((1, 2, 3)) / weight.sum((1, 2, 3)).clamp_min(1)
    size = square.sqrt().clamp_min(MIN_SIZE)[:, None, None, None]
    return torch.cat([flat / size * weight, weight], -1), rotation[:, None].expand(-1, plane.shape[1], -1, -1)


def frame(plane: Float[Tensor, "B R J 2"], seen: Bool[Tensor, "B R J"]) -> Normalised:
    """``facing`` for every frame on its own, so that a frame's input never changes when others follow: for streams."""
    features, rotation = facing(plane.flatten(0, 1)[:, None], seen.flatten(0, 1)[:, None])
    return features.reshape(*plane.shape[:3], 3), rotation.reshape(*plane.shape[:2], 3, 3)


def screen(plane: Float[Tensor, "B R J 2"], seen: Bool[Tensor, "B R J"]) -> Normalised:
    """Screen coordinates in the manner of Pavllo et al. 2019: the camera's plane as it is, no rotation.

    Coordinates are multiples of the focal length rather than of half the picture's width, so that the field of view
    is at least undone. The third feature is 1 where the joint was seen; an unseen joint is (0, 0, 0).
    """
    weight = seen.to(plane.dtype)[..., None]
    same = torch.eye(3, dtype=plane.dtype, device=plane.device).expand(*plane.shape[:2], 3, 3)
    return torch.cat([torch.where(seen[..., None], plane, 0.0), weight], -1), same


def turn_to(direction: Float[Tensor, "B 3"]) -> Float[Tensor, "B 3 3"]:
    """The rotation without roll that brings ``direction`` (camera axes, any length) onto +z.

    Rows are the new axes in the old frame. The zero vector counts as +z.
    """
    forward = torch.tensor([0.0, 0.0, 1e-9], dtype=direction.dtype, device=direction.device)
    z = torch.nn.functional.normalize(direction + forward, dim=-1, eps=1e-12)
    down = torch.tensor([0.0, 1.0, 0.0], dtype=direction.dtype, device=direction.device).expand_as(z)
    x = torch.nn.functional.normalize(torch.linalg.cross(down, z), dim=-1)
    return torch.stack([x, torch.linalg.cross(z, x), z], 1)


def turn(points: Float[Tensor, "B R J 3"], rotation: Float[Tensor, "B 3 3"]) -> Float[Tensor, "B R J 3"]:
    """All points of a window by its rotation, as one product a window."""
    return (points.flatten(1, 2) @ rotation.transpose(1, 2)).unflatten(1, points.shape[1:3])


_BY_NAME: dict[str, Normalisation] = {"facing": facing, "frame": frame, "screen": screen}


def normalisation(name: str) -> Normalisation:
    """The normalisation that a checkpoint names. Raises ``WeightsError`` for one that this version lacks."""
    if name not in _BY_NAME:
        raise WeightsError(f"Unknown input normalisation {name!r}. This version knows: {', '.join(_BY_NAME)}.")
    return _BY_NAME[name]
