"""Training of an action network."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from math import cos, pi
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional

from kinelift.models.enas.architecture import AnyGenotype, build_network, make_config
from kinelift.models.enas.genotype import HAND_CHOSEN
from kinelift.recognition.calibration import Calibration
from kinelift.recognition.encoding.spmf import Encoding
from kinelift.recognition.network import ActionNetwork, motion_images
from kinelift.recognition.training.augment import Augmentation, Sampler
from kinelift.recognition.training.corpus import Corpus
from kinelift.recognition.training.scores import Scores, clip_scores
from kinelift.recognition.windows import WindowPlan
from kinelift.weights.run import Run, load_state, restoring, save_state


@dataclass(frozen=True)
class ImageSampler:
    """Draws augmented motion images for a training or a search."""

    sampler: Sampler
    encoding: Encoding

    def draw(self, count: int, generator: Generator) -> tuple[Float[Tensor, "B 3 H W"], Int[Tensor, " B"]]:
        """Draw ``count`` images, from −1 to 1, and their labels."""
        windows, labels = self.sampler.draw(count, generator)
        return motion_images(windows, self.encoding), torch.from_numpy(labels)


@dataclass(frozen=True)
class TrainSettings:
    """``epochs`` of ``steps`` batches. The learning rate rises for a twentieth of the run, then falls like a cosine."""

    channels: int = 16
    """Channels per node in the first stage; doubled at each reduction."""
    stages: int = 3
    """Stages of the network."""
    grid: tuple[int, int] = (1, 1)
    """Rows and columns of parts that the image is divided into; the classifier sees each part separately."""
    epochs: int = 16
    """Number of epochs."""
    steps: int = 25
    """Batches per epoch."""
    batch: int = 64
    """Windows per batch."""
    learning_rate: float = 3e-3
    """Peak learning rate."""
    weight_decay: float = 0.05
    """Of AdamW."""
    label_smoothing: float = 0.1
    """Probability that is spread over all labels."""
    auxiliary: float = 0.0
    """Weight of a second classifier in the middle of the network; 0 = none."""
    seed: int = 0
    """Seed of all random numbers."""
    plan: WindowPlan = field(default_factory=WindowPlan)
    encoding: Encoding = field(default_factory=Encoding)
    augmentation: Augmentation = field(default_factory=Augmentation)
    calibration: Calibration = field(default_factory=Calibration)


class Trainer:
    """A run in progress. ``fit`` yields one record per epoch; ``save`` and ``restore`` make it resumable.

    Randomness comes from one generator for the samples and one for dropout. Both are part of the saved state.
    """

    def __init__(
        self,
        settings: TrainSettings,
        train: Corpus,
        validation: Corpus | None = None,
        genotype: AnyGenotype = HAND_CHOSEN,
        device: str = "cpu",
    ) -> None:
        self.settings, self.device, self.validation, self.labels = settings, device, validation, train.names
        self.source = ImageSampler(Sampler(train, settings.augmentation), settings.encoding)
        self.generator = np.random.default_rng(settings.seed)
        with torch.random.fork_rng():
            torch.manual_seed(settings.seed)
            sizes = {name: getattr(settings, name) for name in ("channels", "stages", "grid")}
            net = build_network(make_config(len(self.labels), genotype, auxiliary=settings.auxiliary > 0, **sizes))
            self.net = net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
            self.dropout = torch.get_rng_state()
        self.optimizer = torch.optim.AdamW(self.net.parameters(), weight_decay=settings.weight_decay)
        self.epoch = 0

    def fit(self) -> Iterator[Mapping[str, float]]:
        """Train the remaining epochs. Yields one record each: loss, accuracies on held-out clips, seconds."""
        while self.epoch < self.settings.epochs:
            started = perf_counter()
            self.net.train()
            with torch.random.fork_rng():
                torch.set_rng_state(self.dropout)
                losses = [self.step(self.epoch * self.settings.steps + k) for k in range(self.settings.steps)]
                self.dropout = torch.get_rng_state()
            self.epoch += 1
            loss = torch.stack(losses).mean().item()
            yield {"epoch": self.epoch, "loss": loss, **self.validate(), "seconds": perf_counter() - started}

    def step(self, number: int) -> Float[Tensor, ""]:
        """Train on one batch; returns its loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * self._schedule(number)
        images, labels = self.source.draw(self.settings.batch, self.generator)
        loss = self.loss(images.to(self.device), labels.to(self.device))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def loss(self, images: Float[Tensor, "B 3 H W"], labels: Int[Tensor, " B"]) -> Float[Tensor, ""]:
        """Cross-entropy of the classifier, plus that of the auxiliary one if there is one."""
        smoothing = self.settings.label_smoothing
        main, *auxiliary = (
            functional.cross_entropy(logits, labels, label_smoothing=smoothing) for logits in self.net.heads(images)
        )
        return main + self.settings.auxiliary * sum(auxiliary) if auxiliary else main

    def validate(self) -> Mapping[str, float]:
        """Accuracy of windows and of clips on the held-out clips; empty if there are none."""
        if self.validation is None or not len(self.validation):
            return {}
        scores = self.scores(self.validation)
        return {"windows": scores.window_accuracy, "clips": scores.accuracy, "mean_recall": scores.mean_recall}

    def scores(self, corpus: Corpus) -> Scores:
        """Scores of the network on the labelled windows of ``corpus``."""
        return clip_scores(corpus, self.result({}).probabilities(corpus.windows()))

    def result(self, about: Mapping[str, Any]) -> ActionNetwork:
        """The network in its present state, ready for use; ``about`` goes into its checkpoint."""
        settings = self.settings
        net = deepcopy(self.net).eval()
        return ActionNetwork(net, self.labels, settings.encoding, settings.plan, settings.calibration, about)

    def save(self, path: Path, run: Run) -> None:
        """Write everything that ``restore`` needs, with the inputs of ``run``."""
        state = {
            "epoch": self.epoch,
            "net": self.net.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "samples": self.generator.bit_generator.state,
            "dropout": self.dropout,
        }
        save_state(path, state, run)

    def restore(self, path: Path, run: Run) -> None:
        """Continue where ``save`` was called, as if the run had not been interrupted.

        Raises:
            WeightsError: The file does not hold such a state.
            ResumeError: That run had other inputs. Only the number of epochs may be raised.
        """
        state = load_state(path, run)
        with restoring(path):
            self.epoch = state["epoch"]
            self.net.load_state_dict(state["net"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.generator.bit_generator.state = state["samples"]
            self.dropout = state["dropout"]

    def _schedule(self, step: int) -> float:
        total = self.settings.epochs * self.settings.steps
        return min((step + 1) / max(total / 20, 1), 0.5 + 0.5 * cos(pi * step / total))
