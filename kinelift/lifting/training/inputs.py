"""The inputs of a lifter's training, to be stored with its results."""

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
    """What a ``Trainer`` with these arguments depends on.

    Precision, device and the number of processes are those of ``fabric``: the state holds random numbers of each.
    ``start``: the checkpoint to begin with. ``chosen``: more that the result has to tell, such as the actions.
    """
    if start is not None and not start.is_file():
        raise WeightsError(f"No checkpoint at {start} to start from. Name a file that exists.")
    inputs = {
        "training data": contents(train),
        "validation data": contents(validation),
        "unlabelled data": None if unlabelled is None else contents(unlabelled),
        "start": None if start is None else {"sha256": sha256(start)},
    }
    place = {
        "precision": fabric.strategy.precision.precision,
        "device": fabric.device.type,
        "processes": fabric.world_size,
    }
    return Run(inputs, {**asdict(settings), **place, **chosen})


def contents(bank: Bank) -> dict[str, Any]:
    """How much there is, and a fingerprint of all of it. The order counts: what a seed draws depends on it."""
    frames = int(bank.lengths.sum()) if isinstance(bank, MotionBank) else bank.frames
    return {"clips": len(bank), "frames": frames, "sha256": fingerprint(_clips(bank))}


def _clips(bank: Bank) -> Iterator[tuple[Any, ...]]:
    """All that a network learns of every clip, one after the other."""
    if isinstance(bank, MotionBank):
        for k, named in enumerate(zip(bank.names, bank.subjects, bank.actions, strict=True)):
            yield *named, bank.rates[k], bank.clip(k)
        return
    for one in bank:
        layouts = one.source.name, one.target.name
        seen = one.camera.parameters, one.size, one.rate, one.keypoints, one.truth
        yield one.subject, one.action, one.view, *layouts, *seen
