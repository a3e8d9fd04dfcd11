"""Random virtual cameras: their position, orientation and field of view."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor

from kinelift.lifting.coordinates import turn, turn_to
from kinelift.lifting.synthesis import random


@dataclass(frozen=True)
class ViewSettings:
    """Distribution of cameras, in degrees and metres. Heights are above the floor; the hip is at height ``hip``."""

    field_of_view: tuple[float, float] = (35.0, 90.0)
    distance: tuple[float, float] = (2.0, 8.0)
    height: tuple[float, float] = (0.3, 3.0)
    elevation: tuple[float, float] = (-40.0, 75.0)
    """Range of downward angles in the ``steep`` share of samples. In the others the angle follows from the height."""
    steep: float = 0.2
    roll: float = 4.0
    """Standard deviation of the camera's roll."""
    rolled: float = 0.2
    """Share of samples whose camera is rolled on purpose or by its mount."""
    most_roll: float = 35.0
    """Largest roll in that share."""
    spread: float = 0.8
    """The hip lies within this share of the image's half width and half height."""
    hip: float = 0.95


@dataclass(frozen=True, eq=False)
class View:
    """One camera per sample.

    Attributes:
        rotation: World (Y up, the person at the origin) to camera axes (y down).
        translation: Position of the world's origin in the camera frame.
        half_size: Half width and half height of the image on the plane z = 1.
    """

    rotation: Float[Tensor, "B 3 3"]
    translation: Float[Tensor, "B 3"]
    half_size: Float[Tensor, "B 2"]

    def to_camera(self, points: Float[Tensor, "B R J 3"]) -> Float[Tensor, "B R J 3"]:
        """Transform points from the world to the camera frame."""
        return turn(points, self.rotation) + self.translation[:, None, None]

    def inside(self, plane: Float[Tensor, "B R J 2"]) -> Bool[Tensor, "B R J"]:
        """Tell which points on the plane z = 1 lie in the image."""
        return (plane.abs() <= self.half_size[:, None, None]).all(-1)


def draw_view(count: int, settings: ViewSettings, generator: Generator) -> View:
    """Draw cameras of random field of view, distance, height, pitch, roll and aspect ratio.

    The person is anywhere in the image. The camera's heading is fixed, because the bodies have random headings.
    """
    half_size = _image_half_size(count, settings, generator)
    hip = random.uniform((count, 2), -settings.spread, settings.spread, generator) * half_size
    ray = torch.cat([hip, torch.ones_like(hip[:, :1])], -1)
    ray = ray / ray.norm(dim=-1, keepdim=True)
    distance = random.uniform((count,), *settings.distance, generator)
    down = _elevation(distance, settings, generator)
    # The camera faces the person at that elevation, and is then turned so that the person lies along `ray`.
    upright = torch.diag(torch.tensor([1.0, -1.0, -1.0], device=ray.device))
    facing = random.rotation_about("x", down) @ upright
    away = turn_to(ray).transpose(1, 2)
    slight = settings.roll * random.normal((count,), generator)
    strong = random.uniform((count,), -settings.most_roll, settings.most_roll, generator)
    angle = torch.where(random.bernoulli((count,), settings.rolled, generator), strong, slight)
    roll = random.rotation_about("z", torch.deg2rad(angle))
    return View(away @ roll @ facing, ray * distance[:, None], half_size)


def _image_half_size(count: int, settings: ViewSettings, generator: Generator) -> Float[Tensor, "B 2"]:
    """Draw half sizes on the plane z = 1: 4:3 to 16:9, landscape or portrait, field of view along the longer side."""
    angle = torch.deg2rad(random.uniform((count,), *settings.field_of_view, generator)) / 2
    long = angle.tan()
    short = long * random.uniform((count,), 9 / 16, 3 / 4, generator)
    portrait = random.bernoulli((count, 1), 0.4, generator)
    return torch.where(portrait, torch.stack([short, long], -1), torch.stack([long, short], -1))


def _elevation(distance: Tensor, settings: ViewSettings, generator: Generator) -> Float[Tensor, " B"]:
    """Draw the angle (radians) at which the camera looks down on the person."""
    height = random.uniform(distance.shape, *settings.height, generator)
    level = torch.asin(((height - settings.hip) / distance).clamp(-0.9, 0.9))
    steep = torch.deg2rad(random.uniform(distance.shape, *settings.elevation, generator))
    return torch.where(random.bernoulli(distance.shape, settings.steep, generator), steep, level)
