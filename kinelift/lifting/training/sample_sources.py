"""Sources of training samples: synthesised from motion capture, or cut from recorded sequences."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from kinelift.lifting.coordinates import normalisation, on_picture
from kinelift.lifting.datasets.chunks import Chunks, ChunkSampler
from kinelift.lifting.datasets.dataset_split import Bank
from kinelift.lifting.losses.terms import reproject
from kinelift.lifting.synthesis.bank import JOINTS, KEYPOINTS, MotionBank
from kinelift.lifting.synthesis.sampler import Sampler
from kinelift.lifting.training_batch import Batch
from kinelift.poses import Skeleton
from kinelift.poses.errors import DataError, SettingsError


@runtime_checkable
class SampleSource(Protocol):
    """Yields batches of ``count`` samples; only the last batch of an epoch may be smaller."""

    def steps(self, count: int) -> int:
        """Batches per epoch."""

    def epoch(self, number: int, count: int, generator: Generator) -> Iterator[Batch]:
        """The batches of epoch ``number``."""

    def validation_batch(self, count: int) -> Batch:
        """A fixed set of samples for validation."""

    @property
    def complete(self) -> bool:
        """Whether every keypoint of every sample is visible."""


@dataclass(frozen=True, eq=False)
class SyntheticSamples:
    """Newly synthesised samples for every batch; ``length`` batches make an epoch."""

    sampler: Sampler
    length: int

    def steps(self, count: int) -> int:
        """``length``, whatever the batch size."""
        return self.length

    def epoch(self, number: int, count: int, generator: Generator) -> Iterator[Batch]:
        """New samples drawn with ``generator``."""
        return (self.sampler.draw(count, generator) for _ in range(self.length))

    def validation_batch(self, count: int) -> Batch:
        """A fixed draw, with the detector noise of training."""
        return self.sampler.draw(count, Generator(self.sampler.bank.points.device).manual_seed(1))

    @property
    def complete(self) -> bool:
        """Imitated detectors miss keypoints."""
        return False


@dataclass(frozen=True, eq=False)
class RecordedSamples:
    """Every target frame of recorded sequences once per epoch, divided among ``world`` processes.

    The order depends on ``seed`` and the number of the epoch only. With ``projected``, the clean keypoints are the true
    joints as the sequence's own camera shows them; every input frame must be a target frame.

    Raises:
        DataError: With ``projected``, a keypoint has no true joint of its name.
    """

    chunks: ChunkSampler
    normalisation: str
    seed: int
    rank: int = 0
    world: int = 1
    projected: bool = False

    def __post_init__(self) -> None:
        source, target = self.chunks.source, self.chunks.target
        missing = [name for name in source.joints if name not in target.joints]
        if self.projected and (missing or self.chunks.truth is None):
            raise DataError(
                f"One stream of a two-stream network trains on true keypoints. These data have no true pose of "
                f"{', '.join(missing) or 'anyone'}. Use keypoints of joints whose true positions are known, or "
                f"--streams 1."
            )

    def steps(self, count: int) -> int:
        """Batches per process and epoch. Remaining batches, fewer than there are processes, are left out.

        Raises:
            SettingsError: There are fewer batches than processes.
        """
        if not (steps := self.chunks.steps(count) // self.world):
            raise SettingsError(
                f"{len(self.chunks)} samples in batches of {count} are too few for {self.world} processes. "
                f"Use fewer processes or smaller batches."
            )
        return steps

    def epoch(self, number: int, count: int, generator: Generator) -> Iterator[Batch]:
        """This process's share of the batches, in random order."""
        order = Generator(generator.device).manual_seed(1_000_003 * self.seed + number)
        stop = self.steps(count) * self.world
        return map(self._batch, itertools.islice(self.chunks.epoch(count, order), self.rank, stop, self.world))

    def validation_batch(self, count: int) -> Batch:
        """A fixed random draw without mirroring."""
        original = replace(self.chunks, mirrored=False)
        return self._batch(original.draw(count, Generator(original.keypoints.device).manual_seed(1)))

    @property
    def complete(self) -> bool:
        """Whether every keypoint of the sequences is visible."""
        return self.chunks.complete

    def _batch(self, chunks: Chunks) -> Batch:
        truth = chunks.truth
        if truth is None:
            shape = len(chunks), self.chunks.framing.targets, len(self.chunks.target), 3
            truth = chunks.keypoints.new_full(shape, torch.nan)
        root = truth[:, :, self.chunks.target.root]
        points = chunks.rays
        if self._on_picture:
            points = _pictured(chunks.keypoints, chunks.sizes)
        unknown, none = points.new_full((), torch.nan), points.new_zeros(()).expand(len(chunks), 3)
        clean = self._projections(chunks) if self.projected else unknown.expand_as(points)
        up = unknown.expand_as(none)
        scale = 2 * chunks.cameras[:, :2] / chunks.sizes[:, :1]
        return Batch(points, chunks.rays, scale, clean, chunks.seen, truth - root[:, :, None], root, up, none)

    @property
    def _on_picture(self) -> bool:
        return normalisation(self.normalisation).inputs is on_picture

    def _projections(self, chunks: Chunks) -> Float[Tensor, "B N J 2"]:
        """The true joints, by the names of the keypoints, in the input coordinates of the normalisation."""
        assert chunks.truth is not None, "checked at the start"
        joints = chunks.truth[:, :, [self.chunks.target.index(name) for name in self.chunks.source.joints]]
        if self._on_picture:
            return _pictured(reproject(joints, chunks.cameras), chunks.sizes)
        return joints[..., :2] / joints[..., 2:]


def _pictured(pixels: Float[Tensor, "B W J 2"], sizes: Float[Tensor, "B 2"]) -> Float[Tensor, "B W J 2"]:
    """``coordinates.on_picture`` for batches of images of different sizes."""
    return (2 * pixels - sizes[:, None, None]) / sizes[:, None, None, :1]


def skeletons_of(bank: Bank) -> tuple[Skeleton, Skeleton]:
    """The skeletons of the keypoints and of the poses."""
    return (KEYPOINTS, JOINTS) if isinstance(bank, MotionBank) else (bank.source, bank.target)


def frame_rate(bank: Bank, requested: float) -> float:
    """The frame rate of the network's input: ``requested`` for motion capture, their own for recorded sequences.

    Raises:
        SettingsError: The sequences have different frame rates.
    """
    if isinstance(bank, MotionBank):
        return requested
    rates = sorted({sequence.rate for sequence in bank})
    if len(rates) > 1:
        raise SettingsError(
            f"The sequences have different frame rates: {', '.join(map(str, rates))}. Use sequences of one rate."
        )
    return rates[0]


def endless(source: SampleSource, count: int, generator: Generator) -> Iterator[Batch]:
    """Repeat epochs without end, leaving out incomplete batches.

    Raises:
        SettingsError: An epoch has no complete batch.
    """
    for number in itertools.count():
        batch = None
        for batch in (b for b in source.epoch(number, count, generator) if len(b.points) == count):
            yield batch
        if batch is None:
            raise SettingsError(
                f"The unlabelled data have fewer than {count} samples, which a batch needs. Use smaller batches."
            )
