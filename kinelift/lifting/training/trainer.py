"""A training run of a lifter: setup → fit → step → validate."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Generator, Tensor, nn

from kinelift.lifting.coordinates import normalisation
from kinelift.lifting.datasets.chunks import ChunkSampler
from kinelift.lifting.datasets.dataset_split import Bank
from kinelift.lifting.losses.objective import Objective
from kinelift.lifting.measuring.metrics import mpjpe, p_mpjpe
from kinelift.lifting.network import LifterNetwork, Net
from kinelift.lifting.network import framing as framing_of
from kinelift.lifting.synthesis.bank import MotionBank
from kinelift.lifting.synthesis.sampler import Sampler
from kinelift.lifting.training.learner import Learner, Networks
from kinelift.lifting.training.sample_sources import (
    RecordedSamples,
    SampleSource,
    SyntheticSamples,
    endless,
    frame_rate,
    skeletons_of,
)
from kinelift.lifting.training.schedule import learning_rate, norm_momentum, set_norm_momentum
from kinelift.lifting.training.train_settings import TrainSettings
from kinelift.lifting.training_batch import Batch, Framing
from kinelift.models.temporal import TemporalNet
from kinelift.poses.errors import SettingsError
from kinelift.poses.lookahead import prefetch
from kinelift.weights.run import Run, load_state, save_state

VALIDATION_SAMPLES = 2048
"""Answered frames that are validated on."""


class Trainer:
    """A run in progress. ``fit`` yields a record an epoch; ``save`` and ``restore`` carry it over an interruption.

    With ``unlabelled`` material, every batch holds as many samples of it as of the other; its truth is not looked at.
    """

    def __init__(
        self, settings: TrainSettings, train: Bank, validation: Bank, fabric: Fabric, unlabelled: Bank | None = None
    ) -> None:
        self.settings, self.fabric = settings, fabric
        torch.manual_seed(settings.seed)
        self.layouts, self.rate = skeletons_of(train), frame_rate(train, settings.rate)
        self.net, self.root_net = settings.network(*self.layouts), settings.root_network(self.layouts[0])
        framing = self._framing(unlabelled is not None)
        self.samples = max(settings.batch // framing.targets // fabric.world_size, 1)
        networks = Networks(self.net, self.root_net)
        # The running mean of the weights; where there is none, the weights themselves.
        self.mean = (deepcopy(networks) if settings.averaging else networks).eval().to(fabric.device)
        self.model, self.optimizer = fabric.setup(networks, _optimizer(settings, networks))
        self.learner = self._learner(framing)
        self.source, self.validation_source = self._source(train), self._source(validation)
        self.steps = self.source.steps(self.samples)
        self.generator = Generator(fabric.device).manual_seed(settings.seed + fabric.global_rank)
        self.unlabelled = None
        if unlabelled is not None:
            other = Generator(fabric.device).manual_seed(settings.seed + 7919 + fabric.global_rank)
            self.unlabelled = self._source(unlabelled), other
        torch.manual_seed(settings.seed + 1000 * fabric.global_rank)
        self.epoch = 0

    def fit(self) -> Iterator[Mapping[str, float]]:
        """Train the epochs that are left.

        A record each: ``train_…``, the mean of every weighted loss term times 1000 (mm, where it is a length);
        validation errors in mm; seconds.
        """
        while self.epoch < self.settings.epochs:
            began = perf_counter()
            self.model.train()
            set_norm_momentum(self.model, norm_momentum(self.settings, self.epoch))
            first = self.epoch * self.steps
            found = [self.step(first + k, *batches) for k, batches in enumerate(self._batches())]
            self.epoch += 1
            trained = {f"train_{name}": 1000 * value for name, value in _means(found).items()}
            seconds = perf_counter() - began
            yield {"epoch": self.epoch, **trained, **self.validate(), "seconds": seconds}

    def step(self, number: int, batch: Batch, unlabelled: Batch | None = None) -> Mapping[str, Tensor]:
        """Learn from one batch; its weighted loss terms."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.settings, number, self.steps)
        terms = self.learner.terms(batch) if unlabelled is None else self.learner.mixed_terms(batch, unlabelled)
        self.optimizer.zero_grad(set_to_none=True)
        self.fabric.backward(torch.stack(list(terms.values())).sum())
        self.optimizer.step()
        if self.settings.averaging:
            self._average(min(self.settings.averaging, (number + 1) / (number + 10)))
        return {name: term.detach() for name, term in terms.items()}

    @torch.no_grad()
    def validate(self) -> Mapping[str, float]:
        """Errors (mm) of the averaged weights on fixed samples of the validation material, flawed as in training."""
        self.mean.eval()
        batch = self.validation_source.validation_batch(max(VALIDATION_SAMPLES // self.learner.framing.targets, 1))
        answer = self.learner.answer(batch, self.mean)[0].double().cpu().numpy()
        truth = batch.target.double().cpu().numpy()
        return {"mpjpe": 1000 * mpjpe(answer, truth), "p_mpjpe": 1000 * p_mpjpe(answer, truth)}

    def start_from(self, network: LifterNetwork) -> None:
        """Begin with the weights of a trained network; a causal one may begin with those of a symmetric one.

        Raises ``SettingsError`` if it has another shape.
        """
        allowed = {
            name: getattr(self.net.config, name) for name in ("dropout", "causal") if hasattr(self.net.config, name)
        }
        if type(network.net) is not type(self.net) or replace(network.net.config, **allowed) != self.net.config:
            raise SettingsError("The checkpoint to start from has another shape than this run's network.")
        self.net.load_state_dict(network.net.state_dict())
        self.mean.net.load_state_dict(network.net.state_dict())

    def result(self, about: Mapping[str, Any]) -> LifterNetwork:
        """The averaged network, ready to be saved."""
        mean = deepcopy(self.mean).eval().cpu()
        return self._network(mean.net, mean.trajectory, about)

    def save(self, path: Path, run: Run) -> None:
        """Write all that ``restore`` needs, with its ``run``. Every process calls it; the first one writes."""
        chances = [self._gathered(state) for state in self._chances()]
        if not self.fabric.is_global_zero:
            return
        state = {
            "epoch": self.epoch,
            "net": self._learned(),
            "mean": self.mean.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "chances": chances,
        }
        save_state(path, state, run)

    def restore(self, path: Path, run: Run) -> None:
        """Go on where ``save`` was called, as if the run had not been interrupted.

        Raises ``ResumeError`` if that was a run with other inputs; only the number of epochs may be raised.
        """
        state = load_state(path, run)
        self.epoch = state["epoch"]
        self.model.load_state_dict(state["net"])
        self.mean.load_state_dict(state["mean"])
        self.optimizer.load_state_dict(state["optimizer"])
        mine = [chance[self.fabric.global_rank].clone() for chance in state["chances"]]
        for generator, chance in zip(self._generators(), mine, strict=False):
            generator.set_state(chance)
        torch.set_rng_state(mine[len(self._generators())])
        if self.fabric.device.type == "cuda":
            torch.cuda.set_rng_state(mine[-1], self.fabric.device)

    @torch.no_grad()
    def _average(self, decay: float) -> None:
        """Let the running mean follow the weights."""
        for mean, new in zip(self.mean.state_dict().values(), self._learned().values(), strict=True):
            mean.lerp_(new, 1 - decay) if mean.is_floating_point() else mean.copy_(new)

    def _learned(self) -> dict[str, Tensor]:
        """The weights that are being trained, by the names of ``Networks``."""
        return self.model.state_dict()

    def _generators(self) -> list[Generator]:
        """Those that draw the samples."""
        return [self.generator] if self.unlabelled is None else [self.generator, self.unlabelled[1]]

    def _chances(self) -> list[Tensor]:
        """Where this process's random numbers are: those of the samples, and those of dropout on CPU and GPU."""
        states = [generator.get_state() for generator in self._generators()]
        states.append(torch.get_rng_state())
        if self.fabric.device.type == "cuda":
            states.append(torch.cuda.get_rng_state(self.fabric.device))
        return states

    def _gathered(self, state: Tensor) -> Tensor:
        """A row for each process."""
        everyone = self.fabric.all_gather(state)
        assert isinstance(everyone, Tensor)
        return everyone.reshape(-1, len(state)).cpu()

    def _batches(self) -> Iterator[tuple[Batch, ...]]:
        """What each step of an epoch learns from; after the warm-up, unlabelled samples come with it."""
        mine = prefetch(self.source.epoch(self.epoch, self.samples, self.generator))
        if self.unlabelled is None or self.epoch < self.settings.semi.warmup:
            return ((batch,) for batch in mine)
        other, generator = self.unlabelled
        return zip(mine, endless(other, self.samples, generator), strict=False)

    def _source(self, bank: Bank) -> SampleSource:
        settings, framing, fabric = self.settings, self.learner.framing, self.fabric
        if isinstance(bank, MotionBank):
            return SyntheticSamples(
                Sampler(bank.to(fabric.device), framing, self.rate, settings.synthesis), settings.steps
            )
        chunks = ChunkSampler.of(bank, framing, settings.flip).to(fabric.device)
        return RecordedSamples(chunks, settings.normalisation, settings.seed, fabric.global_rank, fabric.world_size)

    def _network(self, net: Net, trajectory: TemporalNet | None, about: Mapping[str, Any]) -> LifterNetwork:
        kept = self.rate, self.settings.normalisation, *self.layouts
        return LifterNetwork(net, *kept, about=about, trajectory=trajectory)

    def _framing(self, semi: bool) -> Framing:
        """Checks on the way that the settings agree with each other."""
        settings, window = self.settings, framing_of(self.net.config)
        if window.outputs > 1 and settings.span > 1:
            raise SettingsError(
                f"A {settings.kind} network answers {window.outputs} frames at once: leave --span at 1."
            )
        framing = replace(window, span=settings.span)
        needed = Objective(settings.loss, self.layouts[1]).frames_needed
        if framing.targets < needed:
            raise SettingsError(
                f"The loss needs {needed} consecutive answers, and a sample has {framing.targets}. Set --span {needed}."
            )
        if semi and self.root_net is None:
            raise SettingsError("Unlabelled samples need a trajectory network. Set --trajectory 1.")
        if settings.trajectory and not normalisation(settings.normalisation).keeps_distance:
            raise SettingsError("A trajectory needs an input that keeps distance: set --normalisation screen.")
        return framing

    def _learner(self, framing: Framing) -> Learner:
        settings = self.settings
        objective = Objective(settings.loss, self.layouts[1])
        weights = settings.trajectory, settings.semi
        twofold = settings.kind == "two-stream"
        return Learner(self.model, framing, settings.normalisation, objective, *weights, *self.layouts, twofold)


def _optimizer(settings: TrainSettings, networks: nn.Module) -> torch.optim.Optimizer:
    kinds = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}
    how = {"weight_decay": settings.weight_decay, "amsgrad": settings.amsgrad, "fused": True}
    return kinds[settings.optimizer](networks.parameters(), settings.learning_rate, **how)


def _means(found: list[Mapping[str, Tensor]]) -> dict[str, float]:
    """The mean of every term over the steps that had it."""
    terms = defaultdict(list)
    for step in found:
        for name, value in step.items():
            terms[name].append(value)
    return {name: torch.stack(values).mean().item() for name, values in terms.items()}
