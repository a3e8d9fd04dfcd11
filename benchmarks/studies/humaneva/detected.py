"""Keypoints of an imitated detector, for recordings that come with true keypoints only.

Their errors have the sizes that ``kinelift.lifting.synthesis.noise`` has for the program's detector: a level per
recording, of which a part is new in every frame and the rest drifts, and joints that are far off for a moment.
"""

import math
from dataclasses import replace

import torch
from torch import Generator

from kinelift.lifting.datasets.sequences import Sequence, SequenceBank
from kinelift.lifting.synthesis import random
from kinelift.lifting.synthesis.noise import MEASURED, interpolated_noise

STRAY_SECONDS, STRAY_DISTANCE = 0.2, 0.5
"""How long a joint is far off on average, and how far in each direction, relative to the person's size."""
PERIOD = 4.0
"""Seconds within which a joint is far off once, with the probability ``MEASURED.stray``."""


def detected(bank: SequenceBank, seed: int = 0) -> SequenceBank:
    """The same recordings as an imitated detector sees them. It sees every keypoint that ``bank`` has."""
    generator = Generator().manual_seed(seed)
    return SequenceBank(tuple(_detected(one, generator) for one in bank))


def _detected(one: Sequence, generator: Generator) -> Sequence:
    keypoints = torch.from_numpy(one.keypoints).double()
    size = (keypoints - keypoints.mean(1, keepdim=True)).square().sum(-1).mean().sqrt()
    times = torch.arange(len(one)) / one.rate
    low, high = map(math.log, MEASURED.level)
    level = random.uniform((1,), low, high, generator).exp()
    shape = (1, *keypoints.shape[1:])
    jitter = random.normal(tuple(keypoints.shape), generator)
    drift = interpolated_noise(times, MEASURED.drift_seconds, shape, generator)[0]
    error = level * (MEASURED.jitter * jitter + (1 - MEASURED.jitter**2) ** 0.5 * drift)
    for part in torch.arange(len(one)).split(round(PERIOD * one.rate)):
        astray = random.interval(1, shape[1], times[part], STRAY_SECONDS, generator)[0]
        astray &= random.bernoulli((1, shape[1]), MEASURED.stray, generator)
        error[part] += STRAY_DISTANCE * random.normal(shape, generator) * astray[..., None]
    return replace(one, keypoints=(keypoints + size * error).float().numpy())
