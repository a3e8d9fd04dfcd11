"""The baseline trains the same network on the same samples as Kinelift."""

from dataclasses import replace

import pytest
import torch

from benchmarks.speed.training import WIDTHS, Loop, compared, difference, fresh, made_up, samples_differ
from kinelift.lifting.training.presets import HumanEva

SETTINGS = replace(HumanEva(), widths=WIDTHS, channels=16, batch=32, dropout=0.0)


def test_outputs_and_samples_are_equal() -> None:
    bank = made_up(2, 40)
    trainer = fresh(SETTINGS, bank, "cpu")
    loop = Loop(SETTINGS, bank, torch.device("cpu"))
    assert difference(trainer, loop) < 1e-6
    assert samples_differ(trainer, loop) < 1e-6
    loop.truth[:80] += 0.01
    assert samples_differ(trainer, loop) == pytest.approx(0.01, abs=1e-6)


def test_an_epoch_is_every_frame_and_its_mirror_image() -> None:
    found = compared(SETTINGS, made_up(2, 40), "cpu", rounds=1, samples=0)
    assert found["steps"] == 5  # 2 sequences × 40 frames × 2 in batches of 32
