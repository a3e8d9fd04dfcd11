"""The files of a training run: the state to resume from, the log, and the final checkpoint."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kinelift.lifting.measuring.error_plots import save, training_curves
from kinelift.lifting.network import LifterNetwork
from kinelift.lifting.training.trainer import Trainer
from kinelift.poses.output import make_folder
from kinelift.poses.overwriting import check_outputs
from kinelift.weights.run import Run

_STATE_BYTES = 16
"""What a state takes for each weight: the weight, its moving average and the two moments of Adam."""


def begin(trainer: Trainer, out: Path, run: Run, start: Path | None) -> None:
    """Resume an interrupted run after its last epoch, or begin a new one, with the weights of ``start`` if given.

    Raises:
        ResumeError: The interrupted run had other inputs than ``run``.
    """
    state = out.with_suffix(".state")
    written = [state, out.with_suffix(".jsonl"), out.with_suffix(".png")]
    size = _STATE_BYTES * sum(weights.numel() for weights in trainer.net.parameters())
    check_outputs(written, [start] if start else [], size)
    make_folder(out.parent)
    if state.exists():
        trainer.restore(state, run)
        return
    if start:
        trainer.start_from(LifterNetwork.load(start))
    if trainer.fabric.is_global_zero:
        out.with_suffix(".jsonl").unlink(missing_ok=True)


def logged(trainer: Trainer, out: Path, run: Run, actions: int | None = None) -> Iterator[Mapping[str, float]]:
    """Train the remaining epochs, saving the state and appending the record to the log after each.

    With ``actions``, the number of actions trained on, records also count unit-epochs.
    """
    for result in trainer.fit():
        record = result if actions is None else {"unit_epochs": actions * trainer.epoch, **result}
        trainer.save(out.with_suffix(".state"), run)
        if trainer.fabric.is_global_zero:
            with out.with_suffix(".jsonl").open("a") as lines:
                lines.write(json.dumps(record) + "\n")
        yield record


def finish(trainer: Trainer, out: Path, run: Run, about: Mapping[str, Any], start: Path | None) -> None:
    """Write the checkpoint, with a record of its inputs, and the training curves next to it."""
    if trainer.fabric.is_global_zero:
        trained = {"date": f"{datetime.now(UTC):%Y-%m-%d}", **about, **run.facts()}
        if start:
            trained["start"] = dict(LifterNetwork.load(start).about)
        trainer.result(trained).save(out)
        records = [json.loads(line) for line in out.with_suffix(".jsonl").read_text().splitlines()]
        save(training_curves({out.stem: records}), out.with_suffix(".png"))
    trainer.fabric.barrier()  # no process may exit while another is still communicating
