"""Input normalisation: from a window of keypoints to the network's input, and the axes of its output.

Each checkpoint names the normalisation that it was trained with.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from kinelift.poses import COCO17
from kinelift.poses.camera import Camera
from kinelift.poses.errors import WeightsError

Normalised: TypeAlias = tuple[Float[Tensor, "B R J F"], Float[Tensor, "B R 3 3"]]
Pixels: TypeAlias = Float[np.ndarray, "*N 2"]


@dataclass(frozen=True)
class Normalisation:
    """Turns windows of keypoints into the input of a network."""

    normalise: Callable[[Float[Tensor, "B R J 2"], Bool[Tensor, "B R J"]], Normalised]
    inputs: Callable[[Pixels, Camera, tuple[int, int]], Pixels]
    """Maps keypoints in pixels, the camera and the image's (width, height) to input coordinates; NaN stays NaN."""
    features: int = 3
    """Input features per joint."""
    keeps_distance: bool = False
    """Whether the features depend on the distance of the person, so that a network can estimate the root from them."""
    framewise: bool = False
    """Whether the features of a frame depend on that frame only."""
    fills: bool = False
    """Whether the features of an invisible joint come from the frames around it in which it is visible."""
    turns: bool = True
    """Whether the axes of the network's output may differ from the camera's."""
    has_up: bool = False
    """Whether the direction up is the last row of the network's input, after the joints, and of its output."""

    def __call__(
        self, points: Float[Tensor, "B R J 2"], visible: Bool[Tensor, "B R J"], up: Float[Tensor, "B 3"] | None = None
    ) -> tuple[Float[Tensor, "B R N F"], Float[Tensor, "B R 3 3"]]:
        """Normalise windows of keypoints.

        Args:
            points: Keypoints in the coordinates of ``inputs``.
            visible: Whether each keypoint was detected.
            up: Unit vectors in camera axes, or 0 where the direction up is not known; used if ``has_up``.

        Returns:
            The features, and for every frame the rotation from camera axes to the axes of the network's output.
        """
        features, rotation = self.normalise(points, visible)
        if self.has_up:
            known = points.new_zeros(len(points), 3) if up is None else up
            features = torch.cat([features, (rotation @ known[:, None, :, None]).mT], 2)
        return features, rotation


BODY = slice(len(COCO17))
"""The keypoints of the body, without the feet, in coco17 and coco23."""
MIN_SIZE = 1e-3
"""Smallest angular size (rad) of a person: keeps the input finite if only one joint is visible."""


def facing(plane: Float[Tensor, "B R J 2"], visible: Bool[Tensor, "B R J"], body: slice = slice(None)) -> Normalised:
    """Turn the camera to face the person, then scale by the person's angular size over the window.

    The result does not depend on the person's position in the image or on the focal length. The third feature is 1 if
    the joint is visible; an invisible joint is (0, 0, 0). Visible joints of ``body`` give position
    and size.
    """
    rays = torch.cat([plane, torch.ones_like(plane[..., :1])], -1)
    weight = visible.to(plane.dtype)[..., None]
    unit = torch.where(visible[..., None], rays / rays.norm(dim=-1, keepdim=True), 0.0)
    rotation = turn_to(unit[:, :, body].sum((1, 2)))
    turned = turn(torch.where(visible[..., None], rays, 0.0), rotation)
    projected = turned[..., :2] / turned[..., 2:].clamp_min(0.1)
    shown, used = projected[:, :, body], weight[:, :, body]
    centroid = (shown * used).sum(2, keepdim=True) / used.sum(2, keepdim=True).clamp_min(1)
    square = ((shown - centroid).square() * used).sum((1, 2, 3)) / used.sum((1, 2, 3)).clamp_min(1)
    size = square.sqrt().clamp_min(MIN_SIZE)[:, None, None, None]
    return torch.cat([projected / size * weight, weight], -1), rotation[:, None].expand(-1, plane.shape[1], -1, -1)


def frame(plane: Float[Tensor, "B R J 2"], visible: Bool[Tensor, "B R J"]) -> Normalised:
    """``facing`` applied to every frame separately. Later frames do not change the input, as streams require."""
    return _per_frame(plane, visible, slice(None))


def level(plane: Float[Tensor, "B R J 2"], visible: Bool[Tensor, "B R J"]) -> Normalised:
    """``frame`` for keypoints with feet, which many detectors lack: they do not change position and size."""
    return _per_frame(plane, visible, BODY)


def _per_frame(plane: Float[Tensor, "B R J 2"], visible: Bool[Tensor, "B R J"], body: slice) -> Normalised:
    features, rotation = facing(plane.flatten(0, 1)[:, None], visible.flatten(0, 1)[:, None], body)
    return features.reshape(*plane.shape[:3], 3), rotation.reshape(*plane.shape[:2], 3, 3)


def screen(plane: Float[Tensor, "B R J 2"], visible: Bool[Tensor, "B R J"]) -> Normalised:
    """Screen coordinates similar to Pavllo et al. 2019: the image plane, without rotation.

    Coordinates are multiples of the focal length rather than of half the image width, so they do not depend on the
    field of view. The third feature is 1 if the joint is visible; an invisible joint is (0, 0, 0).
    """
    weight = visible.to(plane.dtype)[..., None]
    identity = torch.eye(3, dtype=plane.dtype, device=plane.device).expand(*plane.shape[:2], 3, 3)
    return torch.cat([torch.where(visible[..., None], plane, 0.0), weight], -1), identity


def picture(points: Float[Tensor, "B R J 2"], visible: Bool[Tensor, "B R J"]) -> Normalised:
    """Screen coordinates exactly as in Pavllo et al. 2019 (``on_picture``), for weights published in that form.

    There is no visibility feature. An invisible joint takes its position from the nearest frame of the window in which
    it is visible, or else the mean position of the other joints.
    """
    identity = torch.eye(3, dtype=points.dtype, device=points.device).expand(*points.shape[:2], 3, 3)
    return fill_invisible(points, visible), identity


def fill_invisible(points: Float[Tensor, "B R J 2"], visible: Bool[Tensor, "B R J"]) -> Float[Tensor, "B R J 2"]:
    """Fill invisible joints from the nearest frame in which they are visible, else with the mean of the others.

    Windows without any visible joint are 0.
    """
    count = points.shape[1]
    frames = torch.arange(count, device=points.device)[:, None]
    before = torch.where(visible, frames, -2 * count).cummax(1).values
    after = torch.where(visible, frames, 3 * count).flip(1).cummin(1).values.flip(1)
    nearest = torch.where(frames - before <= after - frames, before, after).clamp(0, count - 1)
    visible_points = torch.where(visible[..., None], points, 0.0)
    filled = visible_points.gather(1, nearest[..., None].expand_as(visible_points))
    ever_visible = visible.any(1)[:, None, :, None]
    centroid = filled.sum(2, keepdim=True) / ever_visible.sum(2, keepdim=True).clamp_min(1)
    return torch.where(ever_visible, filled, centroid)


def turn_to(direction: Float[Tensor, "B 3"]) -> Float[Tensor, "B 3 3"]:
    """The rotation without roll that maps ``direction`` to +z.

    Args:
        direction: In camera axes, of any length. The zero vector counts as +z.

    Returns:
        The new axes as rows, in the old frame.
    """
    forward = torch.tensor([0.0, 0.0, 1e-9], dtype=direction.dtype, device=direction.device)
    z = torch.nn.functional.normalize(direction + forward, dim=-1, eps=1e-12)
    down = torch.tensor([0.0, 1.0, 0.0], dtype=direction.dtype, device=direction.device).expand_as(z)
    x = torch.nn.functional.normalize(torch.linalg.cross(down, z), dim=-1)
    return torch.stack([x, torch.linalg.cross(z, x), z], 1)


def turn(points: Float[Tensor, "B R J 3"], rotation: Float[Tensor, "B 3 3"]) -> Float[Tensor, "B R J 3"]:
    """Rotate all points of each window, in one matrix product per window."""
    rotated: Float[Tensor, "B R J 3"] = (points.flatten(1, 2) @ rotation.transpose(1, 2)).unflatten(
        1, points.shape[1:3]
    )
    return rotated


def on_plane(pixels: Pixels, camera: Camera, size: tuple[int, int]) -> Pixels:
    """Map pixels to the plane z = 1 of the camera."""
    return camera.plane(pixels)


def on_picture(pixels: Pixels, camera: Camera, size: tuple[int, int]) -> Pixels:
    """Map pixels to multiples of half the image width from its centre: x' = 2x/w − 1, y' = 2y/w − h/w.

    The pixels of a camera that turns become those of the camera held at the reference axes.
    """
    if camera.rotations is not None:
        plane = camera.plane(pixels)
        pixels = camera.still.project(np.concatenate([plane, np.ones_like(plane[..., :1])], -1))
    return np.asarray((2 * pixels - np.asarray(size)) / size[0])


_BY_NAME: Mapping[str, Normalisation] = {
    "facing": Normalisation(facing, on_plane),
    "frame": Normalisation(frame, on_plane, framewise=True),
    "level": Normalisation(level, on_plane, framewise=True, has_up=True),
    "screen": Normalisation(screen, on_plane, keeps_distance=True, framewise=True, turns=False),
    "picture": Normalisation(picture, on_picture, features=2, keeps_distance=True, fills=True, turns=False),
}


def normalisation(name: str) -> Normalisation:
    """The normalisation with this name.

    Raises:
        WeightsError: This version has no such normalisation.
    """
    if name not in _BY_NAME:
        raise WeightsError(f"Unknown input normalisation {name!r}. This version has: {', '.join(_BY_NAME)}.")
    return _BY_NAME[name]
