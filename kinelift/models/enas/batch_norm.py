"""Evaluation by batch statistics, for supernets: many architectures share their batch norms' running statistics."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def batch_statistics(net: nn.Module) -> Iterator[None]:
    """Put ``net`` in evaluation mode, but let its batch norms use the statistics of each batch.

    Running statistics do not change. The previous mode is restored at the end.
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
