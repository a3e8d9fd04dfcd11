"""The optimiser, and schedules of its learning rate and of the momentum of batch normalisation."""

from bisect import bisect_right
from math import cos, pi
from typing import Any

import torch
from torch import nn

from kinelift.lifting.training.train_settings import TrainSettings


def make_optimizer(settings: TrainSettings, networks: nn.Module) -> torch.optim.Optimizer:
    """The optimiser of the settings.

    In a U-shaped GCN only the weights of convolutions decay (Wang et al. 2020, section 4); in other networks all do.
    """
    optimizer = torch.optim.AdamW if settings.optimizer == "adamw" else torch.optim.Adam
    decay, amsgrad = settings.weight_decay, settings.amsgrad
    groups: list[dict[str, Any]] = [{"params": list(networks.parameters())}]
    if settings.kind == "ugcn":
        weights = [module.weight for module in networks.modules() if isinstance(module, nn.Conv2d)]
        others = [each for each in networks.parameters() if not any(each is weight for weight in weights)]
        groups = [{"params": weights}, {"params": others, "weight_decay": 0.0}]
    return optimizer(groups, settings.learning_rate, weight_decay=decay, amsgrad=amsgrad, fused=True)


def learning_rate(settings: TrainSettings, step: int, steps: int) -> float:
    """The learning rate at ``step`` (from 0), with ``steps`` per epoch: a linear warm-up, then the schedule."""
    epoch = step // steps
    factors = {
        "cosine": lambda: 0.5 + 0.5 * cos(pi * step / (settings.epochs * steps)),
        "exponential": lambda: settings.decay**epoch,
        "steps": lambda: settings.decay ** bisect_right(settings.milestones, epoch),
    }
    factor: float = factors[settings.schedule]()
    return settings.learning_rate * min((step + 1) / max(settings.warmup, 1), factor)


def norm_momentum(settings: TrainSettings, epoch: int) -> float:
    """Momentum in epoch ``epoch`` (from 0): the first value of the settings, decaying exponentially to the second.

    As in the published schedule the second is reached after the last epoch, so no epoch trains with it.
    """
    start, end = settings.norm_momentum
    momentum: float = start * (end / start) ** (epoch / settings.epochs)
    return momentum


def set_norm_momentum(net: nn.Module, momentum: float) -> None:
    """Set the momentum of every batch normalisation of ``net``."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.momentum = momentum
