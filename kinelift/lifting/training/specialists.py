"""Action-specific training (Bai): a specialist for every action, against the generalist at equal work.

Work is counted in unit-epochs: one pass over the training data of one action. An epoch over A actions is A of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from lightning_fabric import Fabric

from kinelift.lifting.datasets import dataset_split
from kinelift.lifting.datasets.dataset_split import Bank, Split
from kinelift.lifting.datasets.sequences import SequenceBank
from kinelift.lifting.lifter import Lifter
from kinelift.lifting.measuring.evaluation import Errors, predictions, report, to_json
from kinelift.lifting.network import LifterNetwork
from kinelift.lifting.specialist_lifter import TABLE
from kinelift.lifting.training.inputs import run_of
from kinelift.lifting.training.train_settings import TrainSettings
from kinelift.lifting.training.trainer import Trainer
from kinelift.poses.output import replacing


@dataclass(frozen=True)
class Comparison:
    """Errors (mm) on one action's test videos. ``label``: what a recogniser calls the action."""

    action: str
    label: str
    file: str
    generalist: Errors
    specialist: Errors

    @property
    def specialist_wins(self) -> bool:
        """Whether the specialist has the lower MPJPE."""
        return self.specialist.mpjpe < self.generalist.mpjpe


def train_all(
    settings: TrainSettings, split: Split, names: Mapping[str, str], folder: Path, fabric: Fabric
) -> Iterator[Comparison]:
    """Train the generalist for ``settings.epochs``, then a specialist for as many unit-epochs on every action.

    ``names``: label by action. Writes the checkpoints to ``folder``; a comparison follows each. Of an interrupted
    training, the checkpoints that are complete are used again. Raises ``DataError`` for an action that is not both
    learned and tested, ``ResumeError`` for a checkpoint in ``folder`` that was made from other inputs.
    """
    for part in (split.train, split.test):
        dataset_split.showing(part, tuple(names))
    everything = dataset_split.showing(split.train, tuple(names))
    generalist = _trained(settings, everything, split.validation, folder / "generalist.safetensors", fabric)
    for action, label in names.items():
        file = f"{label}.safetensors"
        mine = dataset_split.showing(split.train, (action,)), dataset_split.showing(split.test, (action,))
        specialist = _trained(_as_much(settings, mine[0], len(names)), *mine, folder / file, fabric)
        errors = (_errors(lifter, mine[1]) for lifter in (generalist, specialist))
        yield Comparison(action, label, file, *errors)


def save_table(folder: Path, settings: TrainSettings, comparisons: list[Comparison]) -> None:
    """What ``SpecialistLifter.load`` reads, and people too."""
    rows = [{**vars(one), "specialist_wins": one.specialist_wins} for one in comparisons]
    units = settings.epochs * len(comparisons)
    table = {"generalist": "generalist.safetensors", "unit_epochs": units, "actions": rows}
    with replacing(folder / TABLE) as part:
        part.write_text(to_json(table))


def markdown(comparisons: list[Comparison]) -> str:
    """MPJPE / MPJVE (mm, mm a frame) of both by action, and the plain mean over actions."""
    rows = [(one.action, one.generalist, one.specialist) for one in comparisons]
    lines = [f"| {name} | {_cell(general)} | {_cell(special)} |" for name, general, special in rows]
    means = [
        " / ".join(f"{sum(getattr(row[k], key) for row in rows) / len(rows):.1f}" for key in ("mpjpe", "mpjve"))
        for k in (1, 2)
    ]
    head = ["| action | generalist, MPJPE / MPJVE | specialist, MPJPE / MPJVE |", "|---|---:|---:|"]
    return "\n".join([*head, *lines, f"| mean over actions | {means[0]} | {means[1]} |"])


def labels(bank: Bank, requested: Mapping[str, str]) -> dict[str, str]:
    """The label of every action to train for: ``requested``, or all actions of ``bank``, their names in lower case."""
    return dict(requested) or {action: action.lower() for action in dataset_split.actions(bank)}


def _trained(settings: TrainSettings, train: Bank, validation: Bank, path: Path, fabric: Fabric) -> Lifter:
    """The lifter as its checkpoint has it: the one at ``path`` if it was made from the same inputs, else a new one."""
    run = run_of(settings, train, validation, fabric)
    if path.exists():
        run.check(path, LifterNetwork.load(path).about)
    else:
        trainer = Trainer(settings, train, validation, fabric)
        for _ in trainer.fit():
            pass
        trainer.result(run.facts()).save(path)
    return Lifter.load(path, "cpu")


def _as_much(settings: TrainSettings, mine: Bank, count: int) -> TrainSettings:
    """The generalist's unit-epochs, all on one of ``count`` actions.

    An epoch of recorded sequences is a pass, so there are ``count`` times as many; one of synthesised samples is a
    fixed number of batches, whatever they show.
    """
    return replace(settings, epochs=settings.epochs * count) if isinstance(mine, SequenceBank) else settings


def _errors(lifter: Lifter, test: Bank) -> Errors:
    return report(dataset_split.tests(test, 2, None, 0), predictions(lifter)).overall


def _cell(errors: Errors) -> str:
    return f"{errors.mpjpe:.1f} / {errors.mpjve:.1f}"
