"""Records the inputs of a training run, to be stored with its results."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric

from kinelift.lifting.datasets.dataset_split import Bank
from kinelift.lifting.synthesis.bank import MotionBank
from kinelift.lifting.training.train_settings import TrainSettings
from kinelift.poses.errors import WeightsError
from kinelift.weights.registry import sha256
from kinelift.weights.run import Run, fingerprint


def run_of(
    settings: TrainSettings,
    train: Bank,
    validation: Bank,
    fabric: Fabric,
    unlabelled: Bank | None = None,
    start: Path | None = None,
    **chosen: Any,
) -> Run:
    """The record of everything that the result of a ``Trainer`` depends on.

    Args:
        settings: As for ``Trainer``.
        train: As for ``Trainer``.
        validation: As for ``Trainer``.
        fabric: Gives precision, device and number of processes, which the stored random states depend on.
        unlabelled: As for ``Trainer``.
        start: The checkpoint with the initial weights.
        chosen: Further facts to record, such as the actions.

    Raises:
        WeightsError: There is no file at ``start``.
    """
    if start is not None and not start.is_file():
        raise WeightsError(f"No checkpoint at {start} to start from. Check the path given as --start.")
    inputs = {
        "training data": contents(train),
        "validation data": contents(validation),
        "unlabelled data": None if unlabelled is None else contents(unlabelled),
        "start": None if start is None else {"sha256": sha256(start)},
    }
    environment = {
        "precision": fabric.strategy.precision.precision,
        "device": fabric.device.type,
        "processes": fabric.world_size,
    }
    return Run(inputs, {**asdict(settings), **environment, **chosen})


def contents(bank: Bank) -> dict[str, Any]:
    """Numbers of clips and frames, and a fingerprint of the content. Its order matters: seeded draws depend on it."""
    frames = int(bank.lengths.sum()) if isinstance(bank, MotionBank) else bank.frames
    return {"clips": len(bank), "frames": frames, "sha256": fingerprint(_clips(bank))}


def _clips(bank: Bank) -> Iterator[tuple[Any, ...]]:
    """Everything that training reads, clip by clip."""
    if isinstance(bank, MotionBank):
        for k, labels in enumerate(zip(bank.names, bank.subjects, bank.actions, strict=True)):
            yield *labels, bank.rates[k], bank.clip(k)
        return
    for clip in bank:
        skeletons = clip.source.name, clip.target.name
        arrays = clip.camera.parameters, clip.size, clip.rate, clip.keypoints, clip.truth
        yield clip.subject, clip.action, clip.view, *skeletons, *arrays
