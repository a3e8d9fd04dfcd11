"""Training of a lifter: setup → fit → step → validate."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import asdict, dataclass, field, replace
from math import cos, pi
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from jaxtyping import Float
from lightning_fabric import Fabric
from torch import Generator, Tensor

from lifting.coordinates import normalisation
from lifting.metrics import mpjpe, p_mpjpe
from lifting.network import LifterNetwork
from lifting.synthesis.bank import MotionBank
from lifting.synthesis.sampler import Batch, Sampler, SynthesisSettings
from models.temporal import StridedTwin, TemporalConfig, TemporalNet
from poses.errors import SettingsError
from weights.state import load_state, save_state


@dataclass(frozen=True)
class TrainSettings:
    """One run. The learning rate warms up over ``warmup`` steps, then falls to 0 along a cosine."""

    channels: int = 1024
    widths: tuple[int, ...] = (3, 3, 3)
    dropout: float = 0.1
    causal: bool = False
    rate: float = 20.0
    normalisation: str = "facing"
    epochs: int = 75
    steps: int = 100
    batch: int = 512
    learning_rate: float = 1.5e-3
    weight_decay: float = 0.01
    warmup: int = 200
    averaging: float = 0.999
    """Decay of the running mean of the weights, which is what is validated and saved."""
    seed: int = 0
    synthesis: SynthesisSettings = field(default_factory=SynthesisSettings)


class Trainer:
    """A run in progress. ``fit`` yields a record an epoch; ``state`` and ``restore`` carry it over an interruption."""

    def __init__(self, settings: TrainSettings, train: MotionBank, validation: MotionBank, fabric: Fabric) -> None:
        self.settings, self.fabric = settings, fabric
        torch.manual_seed(settings.seed)
        shape = TemporalConfig(17, 3, 17, settings.widths, settings.channels, settings.dropout, settings.causal)
        self.net = TemporalNet(shape)
        self.mean = deepcopy(self.net).eval().to(fabric.device)
        optimizer = torch.optim.AdamW(
            self.net.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.model, self.optimizer = fabric.setup(StridedTwin(self.net), optimizer)
        self.sampler = self._sampler(train, settings.synthesis)
        self.examiner = self._sampler(validation, settings.synthesis)
        self.generator = Generator(fabric.device).manual_seed(settings.seed + fabric.global_rank)
        torch.manual_seed(settings.seed + 1000 * fabric.global_rank)
        self.epoch = 0

    def fit(self) -> Iterator[Mapping[str, float]]:
        """Train the epochs that are left; one record each: losses and validation errors in mm, seconds."""
        while self.epoch < self.settings.epochs:
            began = perf_counter()
            self.model.train()
            first = self.epoch * self.settings.steps
            losses = [self.step(first + k, batch) for k, batch in enumerate(ahead(self._batches()))]
            self.epoch += 1
            trained = 1000 * torch.stack(losses).mean().item()
            seconds = perf_counter() - began
            yield {"epoch": self.epoch, "train_mpjpe": trained, **self.validate(), "seconds": seconds}

    def step(self, number: int, batch: Batch) -> Tensor:
        """Learn from one batch; its loss (metres)."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * self._schedule(number)
        loss = self.loss(batch)
        self.optimizer.zero_grad(set_to_none=True)
        self.fabric.backward(loss)
        self.optimizer.step()
        decay = min(self.settings.averaging, (number + 1) / (number + 10))
        with torch.no_grad():
            for mean, new in zip(self.mean.state_dict().values(), self.net.state_dict().values(), strict=True):
                mean.lerp_(new, 1 - decay) if mean.is_floating_point() else mean.copy_(new)
        return loss.detach()

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        """MPJPE in the frame of reference that the normalisation chooses."""
        windows, rotation = normalisation(self.settings.normalisation)(batch.plane, batch.seen)
        target = batch.target @ rotation[:, self.sampler.tap].transpose(1, 2)
        return (self.model(windows).float() - target).norm(dim=-1).mean()

    @torch.no_grad()
    def validate(self, count: int = 2048) -> Mapping[str, float]:
        """Errors (mm) of the averaged weights on fixed windows of the validation subjects, flawed as in training."""
        batch = self.examiner.draw(count, Generator(self.fabric.device).manual_seed(1))
        windows, rotation = normalisation(self.settings.normalisation)(batch.plane, batch.seen)
        predicted = (StridedTwin(self.mean)(windows) @ rotation[:, self.sampler.tap]).double().cpu().numpy()
        truth = batch.target.double().cpu().numpy()
        return {"mpjpe": 1000 * mpjpe(predicted, truth), "p_mpjpe": 1000 * p_mpjpe(predicted, truth)}

    def start_from(self, network: LifterNetwork) -> None:
        """Begin with the weights of a trained network; a causal one may begin with those of a symmetric one.

        Raises ``SettingsError`` if it has another shape.
        """
        config = replace(network.net.config, dropout=self.settings.dropout, causal=self.settings.causal)
        if config != self.net.config:
            raise SettingsError("The checkpoint to start from has another shape than this run's network.")
        self.net.load_state_dict(network.net.state_dict())
        self.mean.load_state_dict(network.net.state_dict())

    def result(self, about: Mapping[str, Any]) -> LifterNetwork:
        """The averaged network, ready to be saved."""
        net = deepcopy(self.mean).cpu()
        return LifterNetwork(net, self.settings.rate, self.settings.normalisation, about=about)

    def save(self, path: Path) -> None:
        """Write all that ``restore`` needs. Every process calls it; the first one writes."""
        chances = [self._gathered(state) for state in self._chances()]
        if not self.fabric.is_global_zero:
            return
        state = {
            "settings": _lasting(self.settings),
            "epoch": self.epoch,
            "net": self.net.state_dict(),
            "mean": self.mean.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "chances": chances,
        }
        save_state(path, state)

    def restore(self, path: Path) -> None:
        """Go on where ``save`` was called, as if the run had not been interrupted.

        Raises ``SettingsError`` if that was a run with other settings; only the number of epochs may change.
        """
        state = load_state(path)
        if state["settings"] != _lasting(self.settings):
            raise SettingsError(f"{path} belongs to a run with other settings. Delete it, or name another output.")
        self.epoch = state["epoch"]
        self.net.load_state_dict(state["net"])
        self.mean.load_state_dict(state["mean"])
        self.optimizer.load_state_dict(state["optimizer"])
        mine = [chance[self.fabric.global_rank].clone() for chance in state["chances"]]
        self.generator.set_state(mine[0])
        torch.set_rng_state(mine[1])
        if len(mine) > 2:
            torch.cuda.set_rng_state(mine[2], self.fabric.device)

    def _gathered(self, state: Tensor) -> Tensor:
        """A row for each process."""
        everyone = self.fabric.all_gather(state)
        assert isinstance(everyone, Tensor)
        return everyone.reshape(-1, len(state)).cpu()

    def _chances(self) -> list[Tensor]:
        """Where this process's random numbers are: those of the samples, and those of dropout on CPU and GPU."""
        states = [self.generator.get_state(), torch.get_rng_state()]
        if self.fabric.device.type == "cuda":
            states.append(torch.cuda.get_rng_state(self.fabric.device))
        return states

    def _batches(self) -> Iterator[Batch]:
        share = self.settings.batch // self.fabric.world_size
        return (self.sampler.draw(share, self.generator) for _ in range(self.settings.steps))

    def _sampler(self, bank: MotionBank, synthesis: SynthesisSettings) -> Sampler:
        network = LifterNetwork(self.net, self.settings.rate)
        return Sampler(bank.to(self.fabric.device), network.times.to(self.fabric.device), network.tap, synthesis)

    def _schedule(self, step: int) -> float:
        total = self.settings.epochs * self.settings.steps
        return min((step + 1) / self.settings.warmup, 0.5 + 0.5 * cos(pi * step / total))


def _lasting(settings: TrainSettings) -> str:
    """The settings that a resumed run must share."""
    return json.dumps(asdict(replace(settings, epochs=0)))


def ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """The same batches, each drawn by a second thread while the one before is in use."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = thread.submit(next, batches, None)
            yield batch
