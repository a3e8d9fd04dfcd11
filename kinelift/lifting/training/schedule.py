"""What changes in the course of a run: learning rate and momentum of batch normalisation."""

from bisect import bisect_right
from math import cos, pi

from torch import nn

from kinelift.lifting.training.train_settings import TrainSettings


def learning_rate(settings: TrainSettings, step: int, steps: int) -> float:
    """The rate of step number ``step`` (from 0) where an epoch has ``steps``: a linear warm-up, then the schedule."""
    epoch = step // steps
    falling = {
        "cosine": lambda: 0.5 + 0.5 * cos(pi * step / (settings.epochs * steps)),
        "exponential": lambda: settings.decay**epoch,
        "steps": lambda: settings.decay ** bisect_right(settings.milestones, epoch),
    }
    return settings.learning_rate * min((step + 1) / max(settings.warmup, 1), falling[settings.schedule]())


def norm_momentum(settings: TrainSettings, epoch: int) -> float:
    """Momentum in epoch number ``epoch`` (from 0): exponentially from the first to the second of the settings."""
    first, last = settings.norm_momentum
    return first * (last / first) ** (epoch / max(settings.epochs - 1, 1))


def set_norm_momentum(net: nn.Module, momentum: float) -> None:
    """Give it to every batch normalisation of ``net``."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.momentum = momentum
