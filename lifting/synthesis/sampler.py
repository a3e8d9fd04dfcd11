"""Motion capture → what a camera and a detector would have made of it → batches for training."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor

from lifting.synthesis import random
from lifting.synthesis.bank import COCO, MotionBank
from lifting.synthesis.body import BodySettings, mixed, varied
from lifting.synthesis.noise import NoiseSettings, corrupted, displaced
from lifting.synthesis.view import ViewSettings, draw_view

NEAREST = 0.1
"""Joints closer to the camera than this (metres) are not seen."""


@dataclass(frozen=True)
class SynthesisSettings:
    """All that is varied. ``speed`` is the range of time warps."""

    body: BodySettings = field(default_factory=BodySettings)
    view: ViewSettings = field(default_factory=ViewSettings)
    noise: NoiseSettings = field(default_factory=NoiseSettings)
    speed: tuple[float, float] = (0.75, 1.3)


@dataclass(frozen=True, eq=False)
class Batch:
    """Windows as a detector sees them and the true pose of one frame each.

    ``plane``: COCO-17 keypoints on the plane z = 1 of the camera; ``seen``: which of them were found;
    ``target``: H36M-17 joints relative to the hip, metres, camera axes.
    """

    plane: Float[Tensor, "B R 17 2"]
    seen: Bool[Tensor, "B R 17"]
    target: Float[Tensor, "B 17 3"]


@dataclass(frozen=True, eq=False)
class Sampler:
    """Draws batches from a bank for a network that sees frames at ``times`` (s) and answers for ``times[tap]``."""

    bank: MotionBank
    times: Float[Tensor, " R"]
    tap: int
    settings: SynthesisSettings = field(default_factory=SynthesisSettings)

    def draw(self, count: int, generator: Generator) -> Batch:
        """``count`` windows, every one with its own movement, body, camera and mistakes."""
        view = draw_view(count, self.settings.view, generator)
        points = view.camera_frame(varied(self._motion(count, generator), self.settings.body, generator))
        target = points[:, self.tap, :17] - points[:, self.tap, :1]
        noise = self.settings.noise
        flawed = random.chance((count,), 1 - noise.clean, generator)
        shown = displaced(points[:, :, COCO], flawed, noise, generator)
        plane = shown[..., :2] / shown[..., 2:].clamp_min(NEAREST)
        inside = view.inside(plane) & (shown[..., 2] > NEAREST)
        plane, seen = corrupted(plane, inside, flawed, self.times, noise, generator)
        return Batch(plane, seen & (shown[..., 2] > NEAREST), target)

    def _motion(self, count: int, generator: Generator) -> Float[Tensor, "B R 22 3"]:
        speed = random.uniform((count, 1), *self.settings.speed, generator)
        motion, other = (self._clips(count, speed, generator) for _ in range(2))
        blend = random.chance((count, 1, 1, 1), self.settings.body.mix, generator)
        return torch.where(blend, mixed(motion, other), motion)

    def _clips(self, count: int, speed: Tensor, generator: Generator) -> Float[Tensor, "B R 22 3"]:
        clips, centre = self.bank.draw(count, generator)
        steps = (self.times - self.times[self.tap]) * speed * self.bank.rates[clips][:, None]
        return self.bank.at(clips, centre[:, None] + steps)
