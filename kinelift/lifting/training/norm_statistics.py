"""Statistics of batch normalisation, computed anew for the weights at the end of training.

Running statistics follow weights of earlier steps. With the small momentum and the short training of some schedules
they lag behind so far that errors on other data are a third higher, and differ from epoch to epoch
(docs/decisions/025-norm-statistics-are-recomputed.md).
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.optim.swa_utils import update_bn

from kinelift.lifting.training.learner import Learner, Networks
from kinelift.lifting.training_batch import Batch


def recompute(networks: Networks, learner: Learner, batches: Iterable[Batch], seed: int) -> None:
    """Give every batch normalisation the plain mean of the statistics of ``batches``, which have equal weight.

    Batches pass through as in training, with dropout, whose masks depend on ``seed`` only.

    Args:
        networks: On the device of the batches. Changed in place, and in evaluation mode afterwards.
        learner: How the networks were trained.
        batches: Training batches, at least one.
        seed: For the dropout masks.
    """
    with _seeded(next(networks.parameters()).device, seed):
        update_bn(batches, _OnBatches(networks, learner).eval())


class _OnBatches(nn.Module):
    """Networks that take whole batches, as ``update_bn`` needs."""

    def __init__(self, networks: Networks, learner: Learner) -> None:
        super().__init__()
        self.networks, self.learner = networks, learner

    def forward(self, batch: Batch) -> None:
        self.learner.predict(batch, self.networks)


@contextmanager
def _seeded(device: torch.device, seed: int) -> Iterator[None]:
    """Draw from generators seeded anew; those of the program go on afterwards as if nothing had been drawn."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
