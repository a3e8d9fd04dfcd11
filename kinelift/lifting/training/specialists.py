"""Action-specific training (Bai): a specialist for every action, compared with a generalist of equal training effort.

Effort is counted in unit-epochs: passes over the training data of one action. An epoch over A actions is A unit-epochs.
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
    """Errors of generalist and specialist on the test videos of one action."""

    action: str
    label: str
    """The recogniser's name for the action."""
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
    """Train the generalist for ``settings.epochs``, then a specialist for every action with as many unit-epochs.

    Checkpoints that an interrupted call completed are reused.

    Args:
        settings: Of the generalist.
        split: Training, validation and test data.
        names: Label by action.
        folder: Where to write the checkpoints.
        fabric: Device and precision.

    Yields:
        A comparison after each specialist.

    Raises:
        DataError: An action is missing in the training or test data.
        ResumeError: A checkpoint in ``folder`` was trained from other inputs.
    """
    for part in (split.train, split.test):
        dataset_split.select_actions(part, tuple(names))
    all_actions = dataset_split.select_actions(split.train, tuple(names))
    generalist = _trained(settings, all_actions, split.validation, folder / "generalist.safetensors", fabric)
    for action, label in names.items():
        file = f"{label}.safetensors"
        train, test = (dataset_split.select_actions(part, (action,)) for part in (split.train, split.test))
        specialist = _trained(_with_equal_effort(settings, train, len(names)), train, test, folder / file, fabric)
        errors = (_errors(lifter, test) for lifter in (generalist, specialist))
        yield Comparison(action, label, file, *errors)


def save_table(folder: Path, settings: TrainSettings, comparisons: list[Comparison]) -> None:
    """Write the table that ``SpecialistLifter.load`` reads."""
    rows = [{**vars(c), "specialist_wins": c.specialist_wins} for c in comparisons]
    units = settings.epochs * len(comparisons)
    table = {"generalist": "generalist.safetensors", "unit_epochs": units, "actions": rows}
    with replacing(folder / TABLE) as part:
        part.write_text(to_json(table))


def markdown(comparisons: list[Comparison]) -> str:
    """A Markdown table of MPJPE / MPJVE (mm, mm per frame) by action, and the unweighted mean over actions."""
    rows = [(c.action, c.generalist, c.specialist) for c in comparisons]
    lines = [f"| {name} | {_cell(general)} | {_cell(special)} |" for name, general, special in rows]
    means = [
        " / ".join(f"{sum(getattr(row[k], key) for row in rows) / len(rows):.1f}" for key in ("mpjpe", "mpjve"))
        for k in (1, 2)
    ]
    head = ["| action | generalist, MPJPE / MPJVE | specialist, MPJPE / MPJVE |", "|---|---:|---:|"]
    return "\n".join([*head, *lines, f"| mean over actions | {means[0]} | {means[1]} |"])


def labels(bank: Bank, requested: Mapping[str, str]) -> dict[str, str]:
    """The label of each action to train: ``requested``, or all actions of ``bank`` with their names in lower case."""
    return dict(requested) or {action: action.lower() for action in dataset_split.action_names(bank)}


def _trained(settings: TrainSettings, train: Bank, validation: Bank, path: Path, fabric: Fabric) -> Lifter:
    """Load the lifter at ``path`` if it exists, else train it."""
    run = run_of(settings, train, validation, fabric)
    if path.exists():
        run.check(path, LifterNetwork.load(path).about)
    else:
        trainer = Trainer(settings, train, validation, fabric)
        for _ in trainer.fit():
            pass
        trainer.result(run.facts()).save(path)
    return Lifter.load(path, "cpu")


def _with_equal_effort(settings: TrainSettings, train: Bank, count: int) -> TrainSettings:
    """Settings to spend the generalist's unit-epochs on one of ``count`` actions.

    An epoch of recorded sequences is one pass over them, so a specialist needs ``count`` times as many. An epoch of
    synthesised samples is a fixed number of batches.
    """
    return replace(settings, epochs=settings.epochs * count) if isinstance(train, SequenceBank) else settings


def _errors(lifter: Lifter, test: Bank) -> Errors:
    return report(dataset_split.test_trials(test, 2, None, 0), predictions(lifter)).overall


def _cell(errors: Errors) -> str:
    return f"{errors.mpjpe:.1f} / {errors.mpjve:.1f}"
