"""Training with several processes equals training with one: samples are divided, gradients averaged."""

import os
import subprocess
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lightning_fabric import Fabric
from torch import Generator, Tensor

from kinelift.lifting.datasets.chunks import ChunkSampler
from kinelift.lifting.training.presets import HumanEva
from kinelift.lifting.training.sample_sources import RecordedSamples, endless
from kinelift.lifting.training.trainer import Trainer
from kinelift.lifting.training_batch import Framing
from kinelift.poses.errors import SettingsError
from tests.lifting.recordings import bank

ROOT = Path(__file__).resolve().parents[2]
ALONE = {**os.environ, "OMP_NUM_THREADS": "1"}
SMALL = replace(HumanEva(), channels=16, batch=40, dropout=0.0, trajectory=1.0, normalisation="screen")
COUNT, TOTAL = 2, 240
"""Processes, and samples of ``bank("S1", "S2")``: 60 frames each, and their mirror images."""


def recorded(rank: int = 0, world: int = 1, frames: int = 60) -> RecordedSamples:
    """The share of a process."""
    chunks = ChunkSampler.of(bank("S1", "S2", frames=frames), Framing(27, 1, 13), mirrored=True)
    return RecordedSamples(chunks, "screen", seed=3, rank=rank, world=world)


def drawn(source: RecordedSamples, epoch: int, count: int) -> list[set[tuple[float, ...]]]:
    """The samples of every batch, identified by their root position, which is different in every frame."""
    return [{tuple(root[0].tolist()) for root in batch.root} for batch in source.epoch(epoch, count, Generator())]


@settings(max_examples=15)
@given(epoch=st.integers(0, 99), count=st.integers(5, 50), world=st.integers(1, 4))
def test_shares_are_disjoint_and_complete(epoch: int, count: int, world: int) -> None:
    """Only the last batches may be missing, fewer than there are processes."""
    shares = [drawn(recorded(rank, world), epoch, count) for rank in range(world)]
    assert {len(share) for share in shares} == {recorded(0, world).steps(count)}
    together = [batch for share in shares for batch in share]
    assert sum(map(len, together)) == len(set().union(*together))
    assert TOTAL - len(set().union(*together)) < world * count
    if -(-TOTAL // count) % world == 0:
        assert len(set().union(*together)) == TOTAL


def test_a_step_of_all_is_one_large_batch() -> None:
    whole, halves = drawn(recorded(), 5, 40), [drawn(recorded(rank, COUNT), 5, 20) for rank in range(COUNT)]
    assert whole == [first | second for first, second in zip(*halves, strict=True)]


def test_epochs_are_in_another_order() -> None:
    assert drawn(recorded(), 0, 40) != drawn(recorded(), 1, 40)
    assert drawn(recorded(), 1, 40) == drawn(recorded(), 1, 40)


def test_more_processes_than_batches_are_rejected() -> None:
    with pytest.raises(SettingsError, match="too few for 3 processes"):
        recorded(0, 3).steps(120)


def test_endless_batches_are_complete() -> None:
    batches = islice(endless(recorded(), 100, Generator()), 5)
    assert [len(batch.points) for batch in batches] == [100] * 5
    with pytest.raises(SettingsError, match="fewer than 241 samples"):
        next(endless(recorded(), 241, Generator()))


@pytest.mark.slow
def test_two_processes_have_the_gradient_of_one(tmp_path: Path) -> None:
    """A batch of 40 in one process, and two of 20 in two, which hold the same samples.

    Batch normalisations are in evaluation mode: in training each process normalises with the statistics of its own
    half, so gradients are then close, but not equal.
    """
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(COUNT)]
    command = [*torchrun, "-m", "tests.lifting.test_distributed", str(tmp_path / "two.pt")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=ALONE)
    assert done.returncode == 0, done.stderr
    two = torch.load(tmp_path / "two.pt", weights_only=True)
    torch.testing.assert_close(two, gradients(Fabric(accelerator="cpu", devices=1)), rtol=1e-4, atol=1e-7)
    assert all(bool(gradient.any()) for gradient in two.values())


def gradients(fabric: Fabric) -> dict[str, Tensor]:
    """The gradients of both networks in the first step."""
    trainer = Trainer(SMALL, bank("S1", "S2"), bank("S9"), fabric)
    trainer.model.eval()
    trainer.step(0, next(iter(trainer.source.epoch(0, trainer.samples, trainer.generator))))
    assert trainer.root_net is not None
    both = [*trainer.net.named_parameters("net"), *trainer.root_net.named_parameters("trajectory")]
    return {name: weight.grad for name, weight in both if weight.grad is not None}


if __name__ == "__main__":
    together = Fabric(accelerator="cpu", devices=COUNT)
    together.launch()
    assert together.world_size == COUNT
    found = gradients(together)
    if together.is_global_zero:
        torch.save(found, sys.argv[1])
    together.barrier()
