"""Where training samples come from: synthesised out of motion capture, or cut out of recorded sequences."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import torch
from torch import Generator

from kinelift.lifting.coordinates import normalisation, on_picture
from kinelift.lifting.datasets.chunks import Chunks, ChunkSampler
from kinelift.lifting.datasets.dataset_split import Bank
from kinelift.lifting.synthesis.bank import MotionBank
from kinelift.lifting.synthesis.sampler import Sampler
from kinelift.lifting.training_batch import Batch
from kinelift.poses import COCO17, H36M17, Skeleton
from kinelift.poses.errors import SettingsError


@runtime_checkable
class SampleSource(Protocol):
    """Batches have ``count`` samples; only the last one of an epoch may have fewer."""

    def steps(self, count: int) -> int:
        """Batches an epoch."""

    def epoch(self, number: int, count: int, generator: Generator) -> Iterator[Batch]:
        """The batches of epoch ``number``."""

    def validation_batch(self, count: int) -> Batch:
        """Always the same samples, for validation."""


@dataclass(frozen=True, eq=False)
class SyntheticSamples:
    """Samples that never come again; ``length`` batches count as an epoch."""

    sampler: Sampler
    length: int

    def steps(self, count: int) -> int:
        """``length``, whatever the batch."""
        return self.length

    def epoch(self, number: int, count: int, generator: Generator) -> Iterator[Batch]:
        """Fresh samples out of ``generator``."""
        return (self.sampler.draw(count, generator) for _ in range(self.length))

    def validation_batch(self, count: int) -> Batch:
        """Flawed as in training."""
        return self.sampler.draw(count, Generator(self.sampler.bank.points.device).manual_seed(1))


@dataclass(frozen=True, eq=False)
class RecordedSamples:
    """Every answered frame of recorded sequences once an epoch; each of ``world`` processes has its own share.

    Their order follows from ``seed`` and the number of the epoch. ``reads``: the normalisation that gets the keypoints.
    """

    chunks: ChunkSampler
    reads: str
    seed: int
    rank: int = 0
    world: int = 1

    def steps(self, count: int) -> int:
        """Batches of a process. Together they hold all frames, but for those that do not make a batch for everyone.

        Raises ``SettingsError`` if there is no batch for everyone.
        """
        if not (steps := self.chunks.steps(count) // self.world):
            raise SettingsError(
                f"{len(self.chunks)} samples in batches of {count} are too few for {self.world} processes. "
                f"Use fewer processes or smaller batches."
            )
        return steps

    def epoch(self, number: int, count: int, generator: Generator) -> Iterator[Batch]:
        """The share of this process, in random order."""
        order = Generator(generator.device).manual_seed(1_000_003 * self.seed + number)
        mine = itertools.islice(self.chunks.epoch(count, order), self.rank, self.steps(count) * self.world, self.world)
        return map(self._batch, mine)

    def validation_batch(self, count: int) -> Batch:
        """Random ones, not mirrored."""
        plain = replace(self.chunks, mirrored=False)
        return self._batch(plain.draw(count, Generator(plain.keypoints.device).manual_seed(1)))

    def _batch(self, chunks: Chunks) -> Batch:
        truth = chunks.truth
        if truth is None:
            unknown = len(chunks), self.chunks.framing.targets, len(self.chunks.target), 3
            truth = chunks.keypoints.new_full(unknown, torch.nan)
        root = truth[:, :, self.chunks.target.root]
        points = chunks.rays
        if normalisation(self.reads).inputs is on_picture:
            points = (2 * chunks.keypoints - chunks.sizes[:, None, None]) / chunks.sizes[:, None, None, :1]
        clean = points.where(chunks.seen[..., None], torch.nan)
        return Batch(points, chunks.rays, clean, chunks.seen, truth - root[:, :, None], root)


def skeletons_of(bank: Bank) -> tuple[Skeleton, Skeleton]:
    """Of keypoints and of answers."""
    return (COCO17, H36M17) if isinstance(bank, MotionBank) else (bank.source, bank.target)


def frame_rate(bank: Bank, requested: float) -> float:
    """Frames a second that a network sees: ``requested`` of motion capture; recorded sequences have their own."""
    if isinstance(bank, MotionBank):
        return requested
    rates = sorted({one.rate for one in bank})
    if len(rates) > 1:
        raise SettingsError(
            f"These sequences have several frame rates: {', '.join(map(str, rates))}. Choose one of them."
        )
    return rates[0]


def endless(source: SampleSource, count: int, generator: Generator) -> Iterator[Batch]:
    """Epoch after epoch, whole batches only. Raises ``SettingsError`` if there is none."""
    for number in itertools.count():
        batch = None
        for batch in (one for one in source.epoch(number, count, generator) if len(one.points) == count):
            yield batch
        if batch is None:
            raise SettingsError(f"The unlabelled data have no {count} samples for a batch. Use smaller batches.")
