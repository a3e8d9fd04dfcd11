"""A training with its files: the state that it can go on from, the log, and the report of an earlier measurement."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kinelift.recognition.training.trainer import Trainer
from kinelift.weights.run import Run, records_inputs


def begin(trainer: Trainer, out: Path, run: Run) -> bool:
    """Go on after the last epoch of an interrupted training; whether there was one.

    Raises ``ResumeError`` if it had other inputs than ``run``.
    """
    state = out.with_suffix(".state")
    if state.exists():
        trainer.restore(state, run)
        return True
    out.with_suffix(".jsonl").unlink(missing_ok=True)
    return False


def logged(trainer: Trainer, out: Path, run: Run) -> Iterator[Mapping[str, float]]:
    """Train the epochs that are left. After each one the state is kept, and its record is a line in the log."""
    with out.with_suffix(".jsonl").open("a") as lines:
        for record in trainer.fit():
            trainer.save(out.with_suffix(".state"), run)
            lines.write(json.dumps(record) + "\n")
            lines.flush()
            yield record


def measured(report: Path, run: Run) -> Mapping[str, Any] | None:
    """The figures in ``report`` if they were measured with the inputs of ``run``; else, or without it, None.

    A run that does not measure (0 ``folds``) takes figures of any number of folds.
    """
    try:
        facts = json.loads(report.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    if not records_inputs(facts):
        return None
    folds = run.settings["folds"] or facts["settings"].get("folds")
    same = replace(run, settings={**run.settings, "folds": folds})
    return None if same.differences(facts) else facts
