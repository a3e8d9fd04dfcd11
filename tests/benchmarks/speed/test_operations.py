"""A training step is made of few operations, and none waits for a GPU."""

import torch

from benchmarks.speed.operations import WAITS, operations
from benchmarks.speed.training import Loop, fresh, made_up, per_step
from kinelift.lifting.training.presets import HumanEva


def test_views_do_not_count_and_masks_do() -> None:
    x, mask = torch.ones(4, 4), torch.ones(4, dtype=torch.bool)
    found = operations(lambda: (x.t()[1:] + 1, x[mask], x[torch.tensor([0, 2])]))
    assert found["add"] == 1
    assert found["nonzero"] == 1
    assert found["index"] == 1
    assert "t" not in found
    assert operations(lambda: x.sum().item())["_local_scalar_dense"] == 1


def test_a_step_has_at_most_1_6_times_the_operations_of_a_plain_loop() -> None:
    settings, bank = HumanEva(channels=8), made_up(2, 200)
    trainer, loop = fresh(settings, bank, "cpu"), Loop(settings, bank, torch.device("cpu"))
    trainer.step(0, next(trainer.source.epoch(0, trainer.samples, trainer.generator)))  # makes the optimiser's state
    loop.step(next(loop.order()))
    found = per_step(trainer, loop)
    assert 50 < found["loop"] < found["ours"] < 1.6 * found["loop"]


def test_a_step_does_not_wait_for_a_gpu() -> None:
    trainer = fresh(HumanEva(channels=8), made_up(2, 200), "cpu")
    batches = trainer.source.epoch(0, trainer.samples, trainer.generator)
    trainer.step(0, next(batches))
    assert not WAITS & set(operations(lambda: trainer.step(1, next(batches))))
