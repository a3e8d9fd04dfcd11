"""What the network sees of a window of keypoints, and the axes in which it answers.

A checkpoint names the normalisation that it was trained with.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from kinelift.poses.camera import Camera
from kinelift.poses.errors import WeightsError

Normalised: TypeAlias = tuple[Float[Tensor, "B R J F"], Float[Tensor, "B R 3 3"]]
Pixels: TypeAlias = Float[np.ndarray, "*N 2"]


@dataclass(frozen=True)
class Normalisation:
    """Calling it turns the keypoints of windows, in its ``inputs`` coordinates, into what the network gets.

    ``features``: numbers a joint that the network gets; ``keeps_distance``: they still tell near from far, so that a
    network can learn from them where the root is; ``framewise``: those of a frame depend on that frame alone.
    """

    normalise: Callable[[Float[Tensor, "B R J 2"], Bool[Tensor, "B R J"]], Normalised]
    inputs: Callable[[Pixels, Camera, tuple[int, int]], Pixels]
    """Keypoints in pixels, the camera, the picture's (width, height) → the coordinates that it takes; NaN stays."""
    features: int = 3
    keeps_distance: bool = False
    framewise: bool = False

    def __call__(self, points: Float[Tensor, "B R J 2"], seen: Bool[Tensor, "B R J"]) -> Normalised:
        """The network's input and, for every frame, the rotation from camera axes to those of an answer for it."""
        return self.normalise(points, seen)


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


def picture(points: Float[Tensor, "B R J 2"], seen: Bool[Tensor, "B R J"]) -> Normalised:
    """Screen coordinates exactly as in Pavllo et al. 2019 (``on_picture``), for weights published in that form.

    The network is not told what was seen. An unseen joint is where it is seen next in time within the window, before
    or after; one that is never seen is in the middle of the others.
    """
    same = torch.eye(3, dtype=points.dtype, device=points.device).expand(*points.shape[:2], 3, 3)
    return held(points, seen), same


def held(points: Float[Tensor, "B R J 2"], seen: Bool[Tensor, "B R J"]) -> Float[Tensor, "B R J 2"]:
    """Unseen joints filled: from the nearest frame that shows the joint, else with the mean of the frame's others.

    Windows that show nothing are 0.
    """
    count = points.shape[1]
    frames = torch.arange(count, device=points.device)[:, None]
    before = torch.where(seen, frames, -2 * count).cummax(1).values
    after = torch.where(seen, frames, 3 * count).flip(1).cummin(1).values.flip(1)
    nearest = torch.where(frames - before <= after - frames, before, after).clamp(0, count - 1)
    known = torch.where(seen[..., None], points, 0.0)
    filled = known.gather(1, nearest[..., None].expand_as(known))
    ever = seen.any(1)[:, None, :, None]
    middle = filled.sum(2, keepdim=True) / ever.sum(2, keepdim=True).clamp_min(1)
    return torch.where(ever, filled, middle)


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


def on_plane(pixels: Pixels, camera: Camera, size: tuple[int, int]) -> Pixels:
    """Pixels to the plane z = 1 of the camera."""
    return camera.plane(pixels)


def on_picture(pixels: Pixels, camera: Camera, size: tuple[int, int]) -> Pixels:
    """Pixels to multiples of half the picture's width from its middle: x' = 2x/w − 1, y' = 2y/w − h/w."""
    return (2 * pixels - np.asarray(size)) / size[0]


_BY_NAME: Mapping[str, Normalisation] = {
    "facing": Normalisation(facing, on_plane),
    "frame": Normalisation(frame, on_plane, framewise=True),
    "screen": Normalisation(screen, on_plane, keeps_distance=True, framewise=True),
    "picture": Normalisation(picture, on_picture, features=2, keeps_distance=True),
}


def normalisation(name: str) -> Normalisation:
    """The normalisation that a checkpoint names. Raises ``WeightsError`` for one that this version lacks."""
    if name not in _BY_NAME:
        raise WeightsError(f"Unknown input normalisation {name!r}. This version knows: {', '.join(_BY_NAME)}.")
    return _BY_NAME[name]
