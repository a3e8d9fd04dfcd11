"""Architecture search (ENAS): shared weights and a controller learn in turn (docs/explanation/architecture-search.md).

Setup → fit (an epoch: weights, then controller) → found.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import log
from pathlib import Path
from statistics import fmean
from time import perf_counter
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor
from torch.nn import functional
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts

from kinelift.models.enas.architecture import AnyGenotype
from kinelift.models.enas.batch_norm import batch_statistics
from kinelift.models.enas.controller import Controller
from kinelift.recognition.search.reinforce import Reinforce
from kinelift.recognition.search.search_result import Candidate, Found
from kinelift.recognition.search.search_settings import SearchSettings, shared_weights, space_of
from kinelift.weights.run import Run, load_state, save_state


@runtime_checkable
class Source(Protocol):
    """Where training examples come from."""

    def draw(self, count: int, generator: np.random.Generator) -> tuple[Float[Tensor, "B 3 H W"], Int[Tensor, " B"]]:
        """``count`` motion images, −1…1, and their labels."""


class Search:
    """A search in progress. ``fit`` yields a record an epoch; ``save`` and ``restore`` carry it over an interruption.

    Chance comes from one generator each for the examples, the controller, the random architectures that it is compared
    with, and dropout; all are part of the saved state.
    """

    def __init__(
        self,
        settings: SearchSettings,
        classes: int,
        source: Source,
        images: Float[Tensor, "V 3 H W"],
        labels: Int[Tensor, " V"],
        device: str = "cpu",
    ) -> None:
        """Train on ``source``, reward by accuracy on ``images`` and ``labels``: of other people than the source's."""
        self.settings, self.source, self.device = settings, source, device
        self.examples = np.random.default_rng(settings.seed)
        self.chance, self.comparison = (Generator().manual_seed(settings.seed + k) for k in (1, 2))
        order = torch.randperm(len(images), generator=Generator().manual_seed(settings.seed))
        self.images, self.labels = images[order].to(device), labels[order].to(device)
        with torch.random.fork_rng():
            torch.manual_seed(settings.seed)
            self.space: Any = space_of(settings)
            net = shared_weights(settings, classes)
            self.controller = Controller(self.space.decisions, settings.controller, self.chance)
            self.dropout = torch.get_rng_state()
        self.net: Any = net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.SGD(
            self.net.parameters(), settings.learning_rate, 0.9, weight_decay=settings.weight_decay, nesterov=True
        )
        self.schedule = CosineAnnealingWarmRestarts(self.optimizer, settings.restart, 2, settings.lowest_rate)
        self.teacher = Reinforce(self.controller, settings.reinforce)
        self.history: list[Mapping[str, float]] = []

    def fit(self) -> Iterator[Mapping[str, float]]:
        """Search the epochs that are left; one record each (see ``docs/explanation/architecture-search.md``)."""
        while len(self.history) < self.settings.epochs:
            began = perf_counter()
            loss = self.train_weights()
            with batch_statistics(self.net):
                record = {"epoch": len(self.history) + 1, "loss": loss, **self.train_controller(), **self.validate()}
            self.history.append({**record, "seconds": perf_counter() - began})
            yield self.history[-1]

    def train_weights(self) -> float:
        """One epoch of the shared weights; the mean loss."""
        self.net.train()
        count = self.settings.steps
        genotypes = self.random(count, self.chance) if self._warming() else self.sample(count, self.chance)
        with torch.random.fork_rng():
            torch.set_rng_state(self.dropout)
            losses = [self.step(genotype, k / count) for k, genotype in enumerate(genotypes)]
            self.dropout = torch.get_rng_state()
        return torch.stack(losses).mean().item()

    def step(self, genotype: AnyGenotype, part: float) -> Float[Tensor, ""]:
        """The weights of ``genotype`` learn from one batch, when ``part`` of the epoch is over; the loss."""
        self.schedule.step(len(self.history) + part)
        images, labels = self.source.draw(self.settings.batch, self.examples)
        logits = self.net.heads(self._moved(images), genotype)
        main, auxiliary = (functional.cross_entropy(each, labels.to(self.device)) for each in logits)
        self.optimizer.zero_grad(set_to_none=True)
        (main + self.settings.auxiliary * auxiliary).backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), self.settings.gradient)
        self.optimizer.step()
        return main.detach()

    def train_controller(self) -> Mapping[str, float]:
        """The controller's steps of one epoch, none while warming up: mean reward, baseline."""
        rewards = []
        for _ in range(0 if self._warming() else self.settings.controller_steps):
            samples = self.controller.sample(self.settings.samples, self.chance)
            rewards.append(self.rewards(self._decoded(samples.choices)))
            self.teacher.learn(samples, rewards[-1])
        if not rewards:
            return {}
        return {"reward": torch.stack(rewards).mean().item(), "baseline": self.teacher.baseline or 0.0}

    @torch.no_grad()
    def rewards(self, genotypes: Sequence[AnyGenotype]) -> Float[Tensor, " N"]:
        """Accuracies on one batch of validation images, the same for all."""
        rows = torch.randperm(len(self.images), generator=self.chance)[: self.settings.reward_batch]
        images, labels = self.images[rows], self.labels[rows]
        return torch.tensor([self._right(images, labels, genotype) / len(rows) for genotype in genotypes])

    def validate(self) -> Mapping[str, float]:
        """The controller's entropy as a share of the largest; accuracies of its likeliest and, on average, of random
        architectures.
        """
        count = self.settings.samples
        with torch.no_grad():
            entropy = self.controller.sample(count, self.comparison).entropy.mean().item()
        largest = sum(log(decision.choices) for decision in self.space.decisions)
        likeliest = self.accuracy(self.space.decode(self.controller.likeliest()))
        random = fmean(self.accuracy(genotype) for genotype in self.random(count, self.comparison))
        return {"entropy": entropy / largest, "likeliest": likeliest, "random": random}

    @torch.no_grad()
    def accuracy(self, genotype: AnyGenotype) -> float:
        """Share of all validation images that ``genotype`` gets right with the shared weights."""
        parts = -(-len(self.images) // self.settings.reward_batch)
        batches = zip(self.images.tensor_split(parts), self.labels.tensor_split(parts), strict=True)
        return sum(self._right(images, labels, genotype) for images, labels in batches) / len(self.images)

    def sample(self, count: int, chance: Generator) -> list[AnyGenotype]:
        """Architectures that the controller draws."""
        with torch.no_grad():
            return self._decoded(self.controller.sample(count, chance).choices)

    def random(self, count: int, chance: Generator) -> list[AnyGenotype]:
        """Uniformly random architectures."""
        choices = [torch.randint(decision.choices, (count,), generator=chance) for decision in self.space.decisions]
        return self._decoded(torch.stack(choices, dim=1))

    def found(self) -> Found:
        """Candidates of the controller and random ones, scored on all validation images."""
        chance, count = Generator().manual_seed(self.settings.seed + 3), self.settings.candidates
        with batch_statistics(self.net):
            drawn, random = (
                [Candidate(genotype, self.accuracy(genotype)) for genotype in draw(count, chance)]
                for draw in (self.sample, self.random)
            )
        return Found(self.settings, _ranked(drawn), _ranked(random), tuple(self.history))

    def save(self, path: Path, run: Run) -> None:
        """Write all that ``restore`` needs, with the inputs of ``run``."""
        state = {
            "net": self.net.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "teacher": self.teacher.state(),
            "examples": self.examples.bit_generator.state,
            "chance": self.chance.get_state(),
            "comparison": self.comparison.get_state(),
            "dropout": self.dropout,
            "history": [dict(record) for record in self.history],
        }
        save_state(path, state, run)

    def restore(self, path: Path, run: Run) -> None:
        """Go on where ``save`` was called, as if the search had not been interrupted.

        Raises ``ResumeError`` if that was a search with other inputs; only the number of epochs may be raised.
        """
        state = load_state(path, run)
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.teacher.restore(state["teacher"])
        self.examples.bit_generator.state = state["examples"]
        self.chance.set_state(state["chance"])
        self.comparison.set_state(state["comparison"])
        self.dropout = state["dropout"]
        self.history = state["history"]

    def _warming(self) -> bool:
        return len(self.history) < self.settings.warm_up

    def _right(self, images: Tensor, labels: Tensor, genotype: AnyGenotype) -> int:
        return int((self.net(self._moved(images), genotype).argmax(dim=1) == labels).sum())

    def _moved(self, images: Tensor) -> Tensor:
        return images.to(self.device, memory_format=torch.channels_last)

    def _decoded(self, choices: Int[Tensor, "N D"]) -> list[AnyGenotype]:
        return [self.space.decode(each) for each in choices.tolist()]


def _ranked(candidates: list[Candidate]) -> tuple[Candidate, ...]:
    return tuple(sorted(candidates, key=lambda candidate: -candidate.accuracy))
