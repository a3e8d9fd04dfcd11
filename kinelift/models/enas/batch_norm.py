"""Judging a network whose running statistics mean nothing, because many architectures share its batch norms."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def batch_statistics(net: nn.Module) -> Iterator[None]:
    """Inside, ``net`` is in evaluation mode, but its batch norms use the statistics of each batch and keep their own.

    Afterwards it is in training mode as it was before, or in evaluation mode as it was before.
    """
    training = net.training
    norms = [(module, module.momentum) for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    net.eval()
    for norm, _ in norms:
        norm.train()
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum in norms:
            norm.momentum = momentum
        net.train(training)
