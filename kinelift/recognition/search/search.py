"""Architecture search (ENAS): train shared weights and a controller in turn.

See docs/explanation/architecture-search.md.
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
from kinelift.recognition.search.search_result import Candidate, SearchResult
from kinelift.recognition.search.search_settings import SearchSettings, shared_weights, space_of
from kinelift.weights.run import Run, load_state, restoring, save_state


@runtime_checkable
class ImageSource(Protocol):
    """Source of training images."""

    def draw(self, count: int, generator: np.random.Generator) -> tuple[Float[Tensor, "B 3 H W"], Int[Tensor, " B"]]:
        """Draw ``count`` motion images, from −1 to 1, and their labels."""


class Search:
    """A search in progress. ``fit`` yields one record per epoch; ``save`` and ``restore`` make it resumable.

    Randomness comes from one generator each for the images, the controller, the random architectures that it is
    compared with, and dropout. All are part of the saved state.
    """

    def __init__(
        self,
        settings: SearchSettings,
        classes: int,
        source: ImageSource,
        images: Float[Tensor, "V 3 H W"],
        labels: Int[Tensor, " V"],
        device: str = "cpu",
    ) -> None:
        """Set up the first epoch.

        Args:
            settings: Of the search.
            classes: Number of labels.
            source: Images to train on.
            images: Images to validate on, of other subjects.
            labels: Of ``images``.
            device: cpu or cuda.
        """
        self.settings, self.source, self.device = settings, source, device
        self.data_generator = np.random.default_rng(settings.seed)
        self.generator, self.comparison_generator = (Generator().manual_seed(settings.seed + k) for k in (1, 2))
        order = torch.randperm(len(images), generator=Generator().manual_seed(settings.seed))
        self.images, self.labels = images[order].to(device), labels[order].to(device)
        with torch.random.fork_rng():
            torch.manual_seed(settings.seed)
            self.space: Any = space_of(settings)
            net = shared_weights(settings, classes)
            self.controller = Controller(self.space.decisions, settings.controller, self.generator)
            self.dropout = torch.get_rng_state()
        self.net: Any = net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.SGD(
            self.net.parameters(), settings.learning_rate, 0.9, weight_decay=settings.weight_decay, nesterov=True
        )
        self.schedule = CosineAnnealingWarmRestarts(self.optimizer, settings.restart, 2, settings.lowest_rate)
        self.reinforce = Reinforce(self.controller, settings.reinforce)
        self.history: list[Mapping[str, float]] = []

    def fit(self) -> Iterator[Mapping[str, float]]:
        """Search the remaining epochs. Yields one record each, see ``docs/explanation/architecture-search.md``."""
        while len(self.history) < self.settings.epochs:
            started = perf_counter()
            loss = self.train_weights()
            with batch_statistics(self.net):
                record = {"epoch": len(self.history) + 1, "loss": loss, **self.train_controller(), **self.validate()}
            self.history.append({**record, "seconds": perf_counter() - started})
            yield self.history[-1]

    def train_weights(self) -> float:
        """Train the shared weights for one epoch; returns the mean loss."""
        self.net.train()
        count = self.settings.steps
        genotypes = (
            self.sample_uniform(count, self.generator) if self._warming_up() else self.sample(count, self.generator)
        )
        with torch.random.fork_rng():
            torch.set_rng_state(self.dropout)
            losses = [self.step(genotype, k / count) for k, genotype in enumerate(genotypes)]
            self.dropout = torch.get_rng_state()
        return torch.stack(losses).mean().item()

    def step(self, genotype: AnyGenotype, progress: float) -> Float[Tensor, ""]:
        """Train the weights of one architecture on one batch.

        Args:
            genotype: The architecture.
            progress: Elapsed share of the epoch, for the learning rate.

        Returns:
            The loss.
        """
        self.schedule.step(len(self.history) + progress)
        images, labels = self.source.draw(self.settings.batch, self.data_generator)
        logits = self.net.heads(self._on_device(images), genotype)
        main, auxiliary = (functional.cross_entropy(each, labels.to(self.device)) for each in logits)
        self.optimizer.zero_grad(set_to_none=True)
        (main + self.settings.auxiliary * auxiliary).backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), self.settings.gradient)
        self.optimizer.step()
        return main.detach()

    def train_controller(self) -> Mapping[str, float]:
        """Train the controller for one epoch; returns mean reward and baseline, nothing while warming up."""
        rewards = []
        for _ in range(0 if self._warming_up() else self.settings.controller_steps):
            samples = self.controller.sample(self.settings.samples, self.generator)
            rewards.append(self.rewards(self._decode(samples.choices)))
            self.reinforce.learn(samples, rewards[-1])
        if not rewards:
            return {}
        return {"reward": torch.stack(rewards).mean().item(), "baseline": self.reinforce.baseline or 0.0}

    @torch.no_grad()
    def rewards(self, genotypes: Sequence[AnyGenotype]) -> Float[Tensor, " N"]:
        """Accuracies of several architectures on the same batch of validation images."""
        rows = torch.randperm(len(self.images), generator=self.generator)[: self.settings.reward_batch]
        images, labels = self.images[rows], self.labels[rows]
        return torch.tensor([self._count_correct(images, labels, genotype) / len(rows) for genotype in genotypes])

    def validate(self) -> Mapping[str, float]:
        """Measure the controller.

        Returns:
            Its entropy as a share of the largest possible, the accuracy of its most probable architecture, and the mean
            accuracy of random architectures.
        """
        count = self.settings.samples
        with torch.no_grad():
            entropy = self.controller.sample(count, self.comparison_generator).entropy.mean().item()
        max_entropy = sum(log(decision.choices) for decision in self.space.decisions)
        likeliest = self.accuracy(self.space.decode(self.controller.likeliest()))
        random = fmean(self.accuracy(genotype) for genotype in self.sample_uniform(count, self.comparison_generator))
        return {"entropy": entropy / max_entropy, "likeliest": likeliest, "random": random}

    @torch.no_grad()
    def accuracy(self, genotype: AnyGenotype) -> float:
        """Accuracy of an architecture on all validation images, with the shared weights."""
        parts = -(-len(self.images) // self.settings.reward_batch)
        batches = zip(self.images.tensor_split(parts), self.labels.tensor_split(parts), strict=True)
        return sum(self._count_correct(images, labels, genotype) for images, labels in batches) / len(self.images)

    def sample(self, count: int, generator: Generator) -> list[AnyGenotype]:
        """Architectures sampled from the controller."""
        with torch.no_grad():
            return self._decode(self.controller.sample(count, generator).choices)

    def sample_uniform(self, count: int, generator: Generator) -> list[AnyGenotype]:
        """Uniformly random architectures."""
        choices = [torch.randint(decision.choices, (count,), generator=generator) for decision in self.space.decisions]
        return self._decode(torch.stack(choices, dim=1))

    def result(self) -> SearchResult:
        """Candidates of the controller and random ones, scored on all validation images."""
        generator, count = Generator().manual_seed(self.settings.seed + 3), self.settings.candidates
        with batch_statistics(self.net):
            sampled, random = (
                [Candidate(genotype, self.accuracy(genotype)) for genotype in draw(count, generator)]
                for draw in (self.sample, self.sample_uniform)
            )
        return SearchResult(self.settings, _ranked(sampled), _ranked(random), tuple(self.history))

    def save(self, path: Path, run: Run) -> None:
        """Write everything that ``restore`` needs, with the inputs of ``run``."""
        state = {
            "net": self.net.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "teacher": self.reinforce.state(),
            "examples": self.data_generator.bit_generator.state,
            "chance": self.generator.get_state(),
            "comparison": self.comparison_generator.get_state(),
            "dropout": self.dropout,
            "history": [dict(record) for record in self.history],
        }
        save_state(path, state, run)

    def restore(self, path: Path, run: Run) -> None:
        """Continue where ``save`` was called, as if the search had not been interrupted.

        Raises:
            WeightsError: The file does not hold such a state.
            ResumeError: That search had other inputs. Only the number of epochs may be raised.
        """
        state = load_state(path, run)
        with restoring(path):
            self.net.load_state_dict(state["net"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.reinforce.restore(state["teacher"])
            self.data_generator.bit_generator.state = state["examples"]
            self.generator.set_state(state["chance"])
            self.comparison_generator.set_state(state["comparison"])
            self.dropout = state["dropout"]
            self.history = state["history"]

    def _warming_up(self) -> bool:
        return len(self.history) < self.settings.warm_up

    def _count_correct(self, images: Tensor, labels: Tensor, genotype: AnyGenotype) -> int:
        return int((self.net(self._on_device(images), genotype).argmax(dim=1) == labels).sum())

    def _on_device(self, images: Tensor) -> Tensor:
        return images.to(self.device, memory_format=torch.channels_last)

    def _decode(self, choices: Int[Tensor, "N D"]) -> list[AnyGenotype]:
        return [self.space.decode(each) for each in choices.tolist()]


def _ranked(candidates: list[Candidate]) -> tuple[Candidate, ...]:
    return tuple(sorted(candidates, key=lambda candidate: -candidate.accuracy))
