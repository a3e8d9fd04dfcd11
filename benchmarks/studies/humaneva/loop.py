"""The training loop of ``benchmarks.speed.training`` with the published schedule, in place of Kinelift's."""

from collections.abc import Iterator, Mapping
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from benchmarks.speed.training import Loop
from kinelift.lifting.datasets.sequences import SequenceBank
from kinelift.lifting.training.schedule import norm_momentum, set_norm_momentum
from kinelift.lifting.training.train_settings import TrainSettings
from kinelift.lifting.training.trainer import Trainer


class PublishedLoop(Loop):
    """Batches in the order of NumPy's permutations, as in the published code of Pavllo et al. 2019."""

    def __init__(self, settings: TrainSettings, bank: SequenceBank, device: torch.device) -> None:
        torch.manual_seed(settings.seed)
        super().__init__(settings, bank, device)
        self.settings, self.random = settings, np.random.RandomState(1234 + settings.seed)

    def epoch(self, number: int) -> float:
        """Train on every sample once, and return the mean position error, m."""
        self.net.train()
        set_norm_momentum(self.net, norm_momentum(self.settings, number))
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * self.settings.decay**number
        return torch.stack([self.step(chosen) for chosen in self.order()]).mean().item()

    def order(self) -> Iterator[Tensor]:
        """The samples of each batch of an epoch."""
        order = torch.from_numpy(self.random.permutation(len(self.starts)))
        yield from order.to(self.device).split(self.batch)


def fit(trainer: Trainer, bank: SequenceBank) -> Iterator[Mapping[str, float]]:
    """Train a loop with the settings of ``trainer``, whose network gets the weights after each epoch.

    Yields:
        A record per epoch, like ``Trainer.fit``.
    """
    loop = PublishedLoop(trainer.settings, bank, trainer.fabric.device)
    for number in range(trainer.settings.epochs):
        start = perf_counter()
        error = loop.epoch(number)
        seconds = perf_counter() - start
        weights = zip(trainer.net.state_dict(), loop.net.state_dict().values(), strict=True)
        trainer.net.load_state_dict(dict(weights))
        yield {"epoch": number + 1, "train_mpjpe": 1000 * error, "seconds": seconds}
