"""Virtual cameras: where one may stand, how it may look, and what part of the person falls into its picture."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor

from kinelift.lifting.coordinates import turn, turn_to
from kinelift.lifting.synthesis import random


@dataclass(frozen=True)
class ViewSettings:
    """Ranges of the cameras: degrees and metres. Heights count from the floor, the person's hip being at ``hip``."""

    field_of_view: tuple[float, float] = (35.0, 90.0)
    distance: tuple[float, float] = (2.0, 8.0)
    height: tuple[float, float] = (0.3, 3.0)
    elevation: tuple[float, float] = (-40.0, 75.0)
    """Range of looking down on the person in the ``steep`` share of samples; in the others it follows from height."""
    steep: float = 0.2
    roll: float = 4.0
    """Standard deviation."""
    spread: float = 0.8
    """The person's hip lies within this share of the picture's half width and half height."""
    hip: float = 0.95


@dataclass(frozen=True, eq=False)
class View:
    """A camera for each sample: world (Y up, the person at 0) to camera axes (y down), and the picture's half size."""

    rotation: Float[Tensor, "B 3 3"]
    place: Float[Tensor, "B 3"]
    """Where the person's origin lies in the camera frame."""
    half: Float[Tensor, "B 2"]
    """Half width and half height of the picture on the plane z = 1."""

    def camera_frame(self, points: Float[Tensor, "B R J 3"]) -> Float[Tensor, "B R J 3"]:
        """World to camera axes."""
        return turn(points, self.rotation) + self.place[:, None, None]

    def inside(self, plane: Float[Tensor, "B R J 2"]) -> Bool[Tensor, "B R J"]:
        """Which points fall into the picture."""
        return (plane.abs() <= self.half[:, None, None]).all(-1)


def draw_view(count: int, settings: ViewSettings, generator: Generator) -> View:
    """Cameras of random field of view, distance, height, pitch, roll and format, the person anywhere in the picture.

    The heading is left to the body, which is turned at random anyway.
    """
    half = _picture(count, settings, generator)
    seat = random.uniform((count, 2), -settings.spread, settings.spread, generator) * half
    ray = torch.cat([seat, torch.ones_like(seat[:, :1])], -1)
    ray = ray / ray.norm(dim=-1, keepdim=True)
    distance = random.uniform((count,), *settings.distance, generator)
    down = _elevation(distance, settings, generator)
    # A camera that faces the person at that elevation, then turned so that the person lies along `ray`.
    upright = torch.diag(torch.tensor([1.0, -1.0, -1.0], device=ray.device))
    facing = random.about("x", down) @ upright
    away = turn_to(ray).transpose(1, 2)
    roll = random.about("z", torch.deg2rad(settings.roll * random.normal((count,), generator)))
    return View(away @ roll @ facing, ray * distance[:, None], half)


def _picture(count: int, settings: ViewSettings, generator: Generator) -> Float[Tensor, "B 2"]:
    """Half sizes on the plane z = 1: the field of view along the longer side, 4:3 to 16:9, landscape or portrait."""
    angle = torch.deg2rad(random.uniform((count,), *settings.field_of_view, generator)) / 2
    long = angle.tan()
    short = long * random.uniform((count,), 9 / 16, 3 / 4, generator)
    portrait = random.chance((count, 1), 0.4, generator)
    return torch.where(portrait, torch.stack([short, long], -1), torch.stack([long, short], -1))


def _elevation(distance: Tensor, settings: ViewSettings, generator: Generator) -> Float[Tensor, " B"]:
    """Angle (rad) at which the camera looks down on the person."""
    height = random.uniform(distance.shape, *settings.height, generator)
    level = torch.asin(((height - settings.hip) / distance).clamp(-0.9, 0.9))
    steep = torch.deg2rad(random.uniform(distance.shape, *settings.elevation, generator))
    return torch.where(random.chance(distance.shape, settings.steep, generator), steep, level)
