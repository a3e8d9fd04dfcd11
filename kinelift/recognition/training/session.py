"""A training with its files: the state to resume from, the log, and the report of an earlier measurement."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kinelift.recognition.training.trainer import Trainer
from kinelift.weights.run import Run, records_inputs


def resume(trainer: Trainer, out: Path, run: Run) -> bool:
    """Continue after the last epoch of an interrupted training, if there is one.

    Returns:
        Whether there is one.

    Raises:
        ResumeError: It had other inputs than ``run``.
    """
    state = out.with_suffix(".state")
    if state.exists():
        trainer.restore(state, run)
        return True
    out.with_suffix(".jsonl").unlink(missing_ok=True)
    return False


def fit_with_log(trainer: Trainer, out: Path, run: Run) -> Iterator[Mapping[str, float]]:
    """Train the remaining epochs. After each one, save the state and append its record to the log."""
    with out.with_suffix(".jsonl").open("a") as lines:
        for record in trainer.fit():
            trainer.save(out.with_suffix(".state"), run)
            lines.write(json.dumps(record) + "\n")
            lines.flush()
            yield record


def matching_report(report: Path, run: Run) -> Mapping[str, Any] | None:
    """The figures in a report, if they were measured with the inputs of ``run``; otherwise None.

    A run that does not measure (0 ``folds``) accepts figures of any number of folds.
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
