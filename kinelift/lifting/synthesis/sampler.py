"""Training batches from motion capture, as seen by a virtual camera and a simulated detector."""

import math
from dataclasses import dataclass, field
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from kinelift.lifting.synthesis import random
from kinelift.lifting.synthesis.bank import COCO, TARGET, MotionBank
from kinelift.lifting.synthesis.body import BodySettings, augment, is_low_posture, replace_upper_body
from kinelift.lifting.synthesis.noise import NoiseSettings, apply_detector_offsets, corrupt
from kinelift.lifting.synthesis.view import ViewSettings, draw_view
from kinelift.lifting.training_batch import Batch, Framing

MIN_DEPTH = 0.1
"""Metres. Joints closer to the camera are not visible."""


@dataclass(frozen=True)
class SynthesisSettings:
    """All random variation. ``speed`` is the range of playback speeds."""

    body: BodySettings = field(default_factory=BodySettings)
    view: ViewSettings = field(default_factory=ViewSettings)
    noise: NoiseSettings = field(default_factory=NoiseSettings)
    speed: tuple[float, float] = (0.75, 1.3)
    told_up: float = 0.6
    """Share of samples in which the network is told the direction up."""
    up_error: float = 3.0
    """Degrees: standard deviation of that direction, in each of two axes."""


@dataclass(frozen=True, eq=False)
class Sampler:
    """Draws batches of ``framing`` from a bank, for a network that works at ``rate`` frames per second."""

    bank: MotionBank
    framing: Framing
    rate: float
    settings: SynthesisSettings = field(default_factory=SynthesisSettings)

    def draw(self, count: int, generator: Generator) -> Batch:
        """Draw ``count`` samples, each with a motion, body, camera and detector errors of its own.

        Returns:
            A batch whose ``points`` are ``bank.KEYPOINTS`` on the plane z = 1. Its ``target`` holds ``bank.JOINTS`` in
            metres, relative to the root, in camera axes.
        """
        view = draw_view(count, self.settings.view, generator)
        points = view.to_camera(augment(self._motion(count, generator), self.settings.body, generator))
        noise = self.settings.noise
        flawed = random.bernoulli((count,), 1 - noise.clean, generator)
        shown = apply_detector_offsets(points[:, :, COCO], flawed, noise, generator)
        plane = _project(shown)
        inside = view.inside(plane) & (shown[..., 2] > MIN_DEPTH)
        plane, seen = corrupt(plane, inside, flawed, self._times, noise, generator)
        truth = points[:, self.framing.target_slice][:, :, TARGET]
        clean, target = _project(points[:, :, COCO]), truth - truth[:, :, :1]
        up, scale = view.rotation[:, :, 1], (1 / view.half_size[:, :1]).expand(-1, 2)
        seen = seen & (shown[..., 2] > MIN_DEPTH)
        return Batch(plane, plane, scale, clean, seen, target, truth[:, :, 0], up, self._told(up, generator))

    def _told(self, up: Float[Tensor, "B 3"], generator: Generator) -> Float[Tensor, "B 3"]:
        """The direction up as the network is told it: with an error, or 0."""
        error = math.radians(self.settings.up_error) * random.normal(up.shape, generator)
        told = random.bernoulli((len(up), 1), self.settings.told_up, generator)
        return torch.where(told, torch.nn.functional.normalize(up + error, dim=-1), 0.0)

    @property
    def _times(self) -> Float[Tensor, " W"]:
        return self.framing.times(self.rate).to(self.bank.points.device)

    @cached_property
    def _low_postures(self) -> tuple[Int[Tensor, " L"], Float[Tensor, " L"]]:
        """Clips and frames in which people sit, squat, kneel or lie."""
        return self.bank.find_frames(is_low_posture)

    def _motion(self, count: int, generator: Generator) -> Float[Tensor, "B R J 3"]:
        """Draw motion in which some upper bodies come from another clip."""
        speed = random.uniform((count, 1), *self.settings.speed, generator)
        motion, other = (self._clips(count, speed, generator) for _ in range(2))
        blend = random.bernoulli((count, 1, 1, 1), self.settings.body.mix, generator)
        return torch.where(blend, replace_upper_body(motion, other), motion)

    def _clips(self, count: int, speed: Tensor, generator: Generator) -> Float[Tensor, "B R J 3"]:
        """Draw windows of clips, some of them around low postures."""
        clips, centre = self.bank.draw(count, generator)
        low_clips, low_frames = self._low_postures
        if len(low_clips):
            pick = torch.randint(len(low_clips), (count,), generator=generator, device=generator.device)
            use_low = random.bernoulli((count,), self.settings.body.low, generator)
            clips = torch.where(use_low, low_clips[pick], clips)
            centre = torch.where(use_low, low_frames[pick], centre)
        middle = self._times[self.framing.target_slice].mean()
        steps = (self._times - middle) * speed * self.bank.rates[clips][:, None]
        return self.bank.interpolate(clips, centre[:, None] + steps)


def _project(joints: Float[Tensor, "B W J 3"]) -> Float[Tensor, "B W J 2"]:
    return joints[..., :2] / joints[..., 2:].clamp_min(MIN_DEPTH)
