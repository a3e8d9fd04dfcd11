"""Motion capture → what a camera and a detector would have made of it → batches for training."""

from dataclasses import dataclass, field
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from kinelift.lifting.synthesis import random
from kinelift.lifting.synthesis.bank import COCO, TARGET, MotionBank
from kinelift.lifting.synthesis.body import BodySettings, low, mixed, varied
from kinelift.lifting.synthesis.noise import NoiseSettings, corrupted, displaced
from kinelift.lifting.synthesis.view import ViewSettings, draw_view
from kinelift.lifting.training_batch import Batch, Framing

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
class Sampler:
    """Draws batches of ``framing`` from a bank, for a network that sees ``rate`` frames a second."""

    bank: MotionBank
    framing: Framing
    rate: float
    settings: SynthesisSettings = field(default_factory=SynthesisSettings)

    def draw(self, count: int, generator: Generator) -> Batch:
        """``count`` samples, every one with its own movement, body, camera and mistakes.

        ``Batch.points`` are COCO-17 keypoints on the plane z = 1, ``Batch.target`` H36M-17 joints.
        """
        view = draw_view(count, self.settings.view, generator)
        points = view.camera_frame(varied(self._motion(count, generator), self.settings.body, generator))
        noise = self.settings.noise
        flawed = random.chance((count,), 1 - noise.clean, generator)
        shown = displaced(points[:, :, COCO], flawed, noise, generator)
        plane = _plane(shown)
        inside = view.inside(plane) & (shown[..., 2] > NEAREST)
        plane, seen = corrupted(plane, inside, flawed, self._times, noise, generator)
        truth = points[:, self.framing.target_slice][:, :, TARGET]
        clean, target = _plane(points[:, :, COCO]), truth - truth[:, :, :1]
        return Batch(plane, plane, clean, seen & (shown[..., 2] > NEAREST), target, truth[:, :, 0])

    @property
    def _times(self) -> Float[Tensor, " W"]:
        return self.framing.times(self.rate).to(self.bank.points.device)

    @cached_property
    def _low(self) -> tuple[Int[Tensor, " L"], Float[Tensor, " L"]]:
        """Clips and frames of the bank in which people sit, squat, kneel or lie."""
        return self.bank.where(low)

    def _motion(self, count: int, generator: Generator) -> Float[Tensor, "B R J 3"]:
        speed = random.uniform((count, 1), *self.settings.speed, generator)
        motion, other = (self._clips(count, speed, generator) for _ in range(2))
        blend = random.chance((count, 1, 1, 1), self.settings.body.mix, generator)
        return torch.where(blend, mixed(motion, other), motion)

    def _clips(self, count: int, speed: Tensor, generator: Generator) -> Float[Tensor, "B R J 3"]:
        clips, centre = self.bank.draw(count, generator)
        places, frames = self._low
        if len(places):
            pick = torch.randint(len(places), (count,), generator=generator, device=generator.device)
            seated = random.chance((count,), self.settings.body.low, generator)
            clips, centre = torch.where(seated, places[pick], clips), torch.where(seated, frames[pick], centre)
        middle = self._times[self.framing.target_slice].mean()
        steps = (self._times - middle) * speed * self.bank.rates[clips][:, None]
        return self.bank.at(clips, centre[:, None] + steps)


def _plane(joints: Float[Tensor, "B W J 3"]) -> Float[Tensor, "B W J 2"]:
    return joints[..., :2] / joints[..., 2:].clamp_min(NEAREST)
