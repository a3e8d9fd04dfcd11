"""The training loop of a lifter."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Generator, Tensor

from kinelift.lifting.adapt import adapted
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
from kinelift.lifting.training.norm_statistics import recompute
from kinelift.lifting.training.sample_sources import (
    RecordedSamples,
    SampleSource,
    SyntheticSamples,
    endless,
    frame_rate,
    skeletons_of,
)
from kinelift.lifting.training.schedule import learning_rate, make_optimizer, norm_momentum, set_norm_momentum
from kinelift.lifting.training.train_settings import TrainSettings
from kinelift.lifting.training_batch import Batch, Framing
from kinelift.models.temporal import TemporalNet
from kinelift.poses.errors import SettingsError
from kinelift.poses.lookahead import prefetch
from kinelift.weights.run import Run, load_state, restoring, save_state

VALIDATION_SAMPLES = 2048
"""Predicted frames used for validation."""


class Trainer:
    """A training run. ``fit`` yields a record per epoch; ``save`` and ``restore`` allow it to be interrupted."""

    def __init__(
        self, settings: TrainSettings, train: Bank, validation: Bank, fabric: Fabric, unlabelled: Bank | None = None
    ) -> None:
        """Set up a run.

        Args:
            settings: Settings of the run.
            train: Training data.
            validation: Validation data.
            fabric: Device, precision and processes.
            unlabelled: Data for semi-supervised training: every step also takes as many samples of it, whose true
                poses are not used.

        Raises:
            SettingsError: The settings contradict each other or the data.
        """
        self.settings, self.fabric = settings, fabric
        torch.manual_seed(settings.seed)
        self.skeletons, self.rate = skeletons_of(train), frame_rate(train, settings.rate)
        self.net, self.root_net = settings.network(*self.skeletons), settings.root_network(self.skeletons[0])
        framing = self._framing(unlabelled is not None)
        self.samples = max(settings.batch // framing.targets // fabric.world_size, 1)
        networks = Networks(self.net, self.root_net)
        # The moving average of the weights, or the weights themselves if they are not averaged.
        self.mean = (deepcopy(networks) if settings.averaging else networks).eval().to(fabric.device)
        self.model, self.optimizer = fabric.setup(networks, make_optimizer(settings, networks))
        self.learner = self._learner(framing)
        self.source, self.validation_source = self._source(train), self._source(validation)
        self.steps = self.source.steps(self.samples)
        self.generator = Generator(fabric.device).manual_seed(settings.seed + fabric.global_rank)
        self.unlabelled = None
        if unlabelled is not None:
            generator = Generator(fabric.device).manual_seed(settings.seed + 7919 + fabric.global_rank)
            self.unlabelled = self._source(unlabelled), generator
        self.learner = replace(self.learner, complete=all(source.complete for source in self._sources()))
        torch.manual_seed(settings.seed + 1000 * fabric.global_rank)
        self.epoch = 0

    def fit(self) -> Iterator[Mapping[str, float]]:
        """Train the remaining epochs.

        Yields:
            A record per epoch: ``train_…``, the mean of each weighted loss term times 1000 (mm for lengths); validation
            errors in mm; seconds.
        """
        while self.epoch < self.settings.epochs:
            start = perf_counter()
            self.model.train()
            set_norm_momentum(self.model, norm_momentum(self.settings, self.epoch))
            first_step = self.epoch * self.steps
            terms = [self.step(first_step + k, *batches) for k, batches in enumerate(self._batches())]
            self.epoch += 1
            trained = {f"train_{name}": 1000 * value for name, value in _means(terms).items()}
            seconds = perf_counter() - start
            yield {"epoch": self.epoch, **trained, **self.validate(), "seconds": seconds}

    def step(self, number: int, batch: Batch, unlabelled: Batch | None = None) -> Mapping[str, Tensor]:
        """Take one optimiser step, and return the weighted loss terms."""
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
        """Errors (mm) of the network of ``result`` on fixed validation samples, with the noise of training."""
        networks = self.recomputed(self.settings.norm_batches).eval()
        batch = self.validation_source.validation_batch(max(VALIDATION_SAMPLES // self.learner.framing.targets, 1))
        predicted = self.learner.predict(batch, networks)[0].double().cpu().numpy()
        truth = batch.target.double().cpu().numpy()
        return {"mpjpe": 1000 * mpjpe(predicted, truth), "p_mpjpe": 1000 * p_mpjpe(predicted, truth)}

    def recomputed(self, batches: int) -> Networks:
        """The averaged networks, with the statistics of batch normalisation of ``batches`` training batches.

        The batches are the same at every call, and training goes on as if this had not been called.

        Args:
            batches: 0 for the networks themselves, with their running statistics; any other number gives a copy.
        """
        if not batches:
            return self.mean
        networks = deepcopy(self.mean)
        recompute(networks, self.learner, self._fixed_batches(batches), self.settings.seed)
        return networks

    def start_from(self, network: LifterNetwork) -> None:
        """Initialise the weights from a trained network. Only dropout, causality and additional joints may differ.

        Raises:
            SettingsError: The network has another shape.
            WeightsError: The network's joints are not those of the data.
        """
        if (network.source, network.target) != self.skeletons:
            network = adapted(network, self.settings.normalisation, *self.skeletons)
        may_differ = {
            name: getattr(self.net.config, name) for name in ("dropout", "causal") if hasattr(self.net.config, name)
        }
        if type(network.net) is not type(self.net) or replace(network.net.config, **may_differ) != self.net.config:
            raise SettingsError("The checkpoint to start from has another shape. Use its kind, channels and widths.")
        self.net.load_state_dict(network.net.state_dict())
        self.mean.net.load_state_dict(network.net.state_dict())

    def result(self, about: Mapping[str, Any]) -> LifterNetwork:
        """The averaged network, described by ``about``."""
        networks = deepcopy(self.recomputed(self.settings.norm_batches)).eval().cpu()
        return self._network(networks.net, networks.trajectory, about)

    def save(self, path: Path, run: Run) -> None:
        """Write the state for ``restore`` and its inputs. Every process must call it; the first one writes."""
        random_states = [self._gather(state) for state in self._random_states()]
        if not self.fabric.is_global_zero:
            return
        state = {
            "epoch": self.epoch,
            "net": self._weights(),
            "mean": self.mean.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "chances": random_states,
        }
        save_state(path, state, run)

    def restore(self, path: Path, run: Run) -> None:
        """Continue from ``save`` as if the run had not been interrupted.

        Raises:
            WeightsError: The file does not hold such a state.
            ResumeError: The state belongs to a run with other inputs. Only the number of epochs may increase.
        """
        state = load_state(path, run)
        with restoring(path):
            self.epoch = state["epoch"]
            self.model.load_state_dict(state["net"])
            self.mean.load_state_dict(state["mean"])
            self.optimizer.load_state_dict(state["optimizer"])
            random_states = [states[self.fabric.global_rank].clone() for states in state["chances"]]
            for generator, random_state in zip(self._generators(), random_states, strict=False):
                generator.set_state(random_state)
            torch.set_rng_state(random_states[len(self._generators())])
            if self.fabric.device.type == "cuda":
                torch.cuda.set_rng_state(random_states[-1], self.fabric.device)

    @torch.no_grad()
    def _average(self, decay: float) -> None:
        """Update the moving average of the weights."""
        pairs = list(zip(self.mean.state_dict().values(), self._weights().values(), strict=True))
        means, values = (
            list(each) for each in zip(*(pair for pair in pairs if pair[0].is_floating_point()), strict=True)
        )
        torch._foreach_lerp_(means, values, 1 - decay)
        for mean, new in pairs:
            if not mean.is_floating_point():
                mean.copy_(new)

    def _weights(self) -> dict[str, Tensor]:
        """The weights in training, by the names of ``Networks``."""
        weights: dict[str, Tensor] = self.model.state_dict()
        return weights

    def _generators(self) -> list[Generator]:
        """The generators that draw samples."""
        return [self.generator] if self.unlabelled is None else [self.generator, self.unlabelled[1]]

    def _random_states(self) -> list[Tensor]:
        """The states of this process's random generators: for samples, and for dropout on CPU and GPU."""
        states = [generator.get_state() for generator in self._generators()]
        states.append(torch.get_rng_state())
        if self.fabric.device.type == "cuda":
            states.append(torch.cuda.get_rng_state(self.fabric.device))
        return states

    def _gather(self, state: Tensor) -> Tensor:
        """The states of all processes, one row each."""
        gathered = self.fabric.all_gather(state)
        assert isinstance(gathered, Tensor)
        return gathered.reshape(-1, len(state)).cpu()

    def _batches(self) -> Iterator[tuple[Batch, ...]]:
        """The batches of each step of an epoch; after the warm-up, with a batch of unlabelled samples."""
        labelled = prefetch(self.source.epoch(self.epoch, self.samples, self.generator))
        if self.unlabelled is None or self.epoch < self.settings.semi.warmup:
            return ((batch,) for batch in labelled)
        unlabelled, generator = self.unlabelled
        return zip(labelled, endless(unlabelled, self.samples, generator), strict=False)

    def _fixed_batches(self, count: int) -> Iterator[Batch]:
        """The first ``count`` batches of an epoch that is never trained on, without its last one, which may be small.

        An epoch of one batch gives that one.
        """
        device, seed = self.fabric.device, self.settings.seed
        batches = self.source.epoch(self.settings.epochs, self.samples, Generator(device).manual_seed(seed))
        few = islice(batches, min(count, max(self.steps - 1, 1)))
        if self.unlabelled is None:
            return few
        more = endless(self.unlabelled[0], self.samples, Generator(device).manual_seed(seed + 7919))
        return map(Batch.joined, few, more)

    def _sources(self) -> list[SampleSource]:
        """The sources of all samples."""
        unlabelled = [] if self.unlabelled is None else [self.unlabelled[0]]
        return [self.source, self.validation_source, *unlabelled]

    def _source(self, bank: Bank) -> SampleSource:
        settings, framing, fabric = self.settings, self.learner.framing, self.fabric
        if isinstance(bank, MotionBank):
            return SyntheticSamples(
                Sampler(bank.to(fabric.device), framing, self.rate, settings.synthesis), settings.steps
            )
        if normalisation(settings.normalisation).has_up:
            raise SettingsError("Recorded sequences do not tell the direction up. Set --normalisation frame.")
        chunks = ChunkSampler.of(bank, framing, settings.flip).to(fabric.device)
        processes = fabric.global_rank, fabric.world_size
        return RecordedSamples(chunks, settings.normalisation, settings.seed, *processes, self._clean_stream)

    def _network(self, net: Net, trajectory: TemporalNet | None, about: Mapping[str, Any]) -> LifterNetwork:
        description = self.rate, self.settings.normalisation, *self.skeletons
        return LifterNetwork(net, *description, about=about, trajectory=trajectory)

    def _framing(self, semi: bool) -> Framing:
        """The frames of a sample. Checks that the settings agree with each other."""
        settings, window = self.settings, framing_of(self.net.config)
        if window.outputs > 1 and settings.span > 1:
            raise SettingsError(
                f"A {settings.kind} network predicts {window.outputs} frames at once. Leave --span at 1."
            )
        framing = replace(window, span=settings.span)
        needed = Objective(settings.loss, self.skeletons[1]).frames_needed
        if framing.targets < needed:
            raise SettingsError(
                f"The loss needs {needed} consecutive frames, but a sample has {framing.targets}. Set --span {needed}."
            )
        if semi and self.root_net is None:
            raise SettingsError("Unlabelled samples need a trajectory network. Set --trajectory 1.")
        if settings.trajectory and not normalisation(settings.normalisation).keeps_distance:
            raise SettingsError("A trajectory network needs an input that keeps distance. Set --normalisation screen.")
        return framing

    def _learner(self, framing: Framing) -> Learner:
        settings = self.settings
        objective = Objective(settings.loss, self.skeletons[1])
        weights = settings.trajectory, settings.semi
        common = framing, settings.normalisation, objective, *weights, *self.skeletons
        return Learner(self.model, *common, self._clean_stream)

    @property
    def _clean_stream(self) -> bool:
        """Whether a stream of the network trains on clean keypoints."""
        return self.settings.kind == "two-stream" and self.settings.streams == 2


def _means(steps: list[Mapping[str, Tensor]]) -> dict[str, float]:
    """The mean of each term over the steps that have it."""
    terms = defaultdict(list)
    for step in steps:
        for name, value in step.items():
            terms[name].append(value)
    return {name: torch.stack(values).mean().item() for name, values in terms.items()}
