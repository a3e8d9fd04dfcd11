"""Action-specific training (Bai): a specialist for every action, compared with a generalist of equal training effort.

Effort is counted in unit-epochs: passes over the training data of one action. An epoch over A actions is A unit-epochs.
Every one is logged with its error on validation data, and so is an epoch of the generalist. Which of the two lifts an
action in the program is decided on validation data too. The test data are for the table alone.
"""

import re
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
from kinelift.lifting.training.session import begin, finish, logged
from kinelift.lifting.training.train_settings import TrainSettings
from kinelift.lifting.training.trainer import Trainer
from kinelift.poses.output import replacing

MARGIN = 0.05
"""Share by which a specialist's MPJPE on validation data must be lower, so that chance does not decide."""
_NOT_IN_NAMES = re.compile(r"[^\w-]+")
"""What a label may have and the name of its file may not, such as a slash."""
HELD_OUT = 0.2
"""Share at the end of every recorded sequence that validates instead of training, for want of validation subjects."""


@dataclass(frozen=True)
class Comparison:
    """Errors of generalist and specialist on the videos of one action."""

    action: str
    label: str
    """The recogniser's name for the action."""
    file: str
    generalist: Errors
    """On test data."""
    specialist: Errors
    """On test data."""
    generalist_validation: Errors | None
    """None if the validation data lack the action."""
    specialist_validation: Errors | None

    @property
    def specialist_wins(self) -> bool:
        """Whether the specialist has the lower MPJPE on validation data, by more than ``MARGIN``."""
        general, special = self.generalist_validation, self.specialist_validation
        return bool(general and special and special.mpjpe < (1 - MARGIN) * general.mpjpe)


def train_all(
    settings: TrainSettings, split: Split, names: Mapping[str, str], folder: Path, fabric: Fabric
) -> Iterator[Comparison]:
    """Train the generalist for ``settings.epochs``, then a specialist for every action with as many unit-epochs.

    An interrupted call is continued after its last epoch; what it completed is reused.

    Args:
        settings: Of the generalist.
        split: Training, validation and test data. Recorded sequences validate on ``held_out`` parts of the training
            data instead.
        names: Label by action.
        folder: Where to write the checkpoints, and next to each a log with a JSON line per epoch.
        fabric: Device and precision.

    Yields:
        A comparison after each specialist.

    Raises:
        DataError: An action is missing in the training or test data.
        ResumeError: A checkpoint or state in ``folder`` comes from other inputs.
    """
    for part in (split.train, split.test):
        dataset_split.select_actions(part, tuple(names))
    all_actions, validation = _divided(split, tuple(names))
    generalist = _trained(settings, all_actions, validation, folder / "generalist.safetensors", fabric, len(names))
    for number, (action, label) in enumerate(names.items(), 1):
        file = f"{number}-{_NOT_IN_NAMES.sub('_', label)}.safetensors"
        train, test = (dataset_split.select_actions(part, (action,)) for part in (all_actions, split.test))
        has_action = action in dataset_split.action_names(validation)
        known = dataset_split.select_actions(validation, (action,)) if has_action else None
        effort = _with_equal_effort(settings, train, len(names))
        specialist = _trained(effort, train, known or validation, folder / file, fabric)
        tested = (_errors(lifter, test) for lifter in (generalist, specialist))
        validated = (known and _errors(lifter, known) for lifter in (generalist, specialist))
        yield Comparison(action, label, file, *tested, *validated)


def held_out(bank: SequenceBank) -> tuple[SequenceBank, SequenceBank]:
    """Divide every sequence: all but the last ``HELD_OUT`` of its frames, to train on, and the rest.

    Sequences of fewer than two frames train only.
    """
    cuts = [(one, len(one) - round(HELD_OUT * len(one))) for one in bank]
    first = SequenceBank(tuple(one.part(0, cut) for one, cut in cuts))
    return first, SequenceBank(tuple(one.part(cut, len(one)) for one, cut in cuts if cut < len(one)))


def _divided(split: Split, actions: tuple[str, ...]) -> tuple[Bank, Bank]:
    """The training data of these actions, and the data to validate on."""
    train = dataset_split.select_actions(split.train, actions)
    return held_out(train) if isinstance(train, SequenceBank) else (train, split.validation)


def save_table(folder: Path, settings: TrainSettings, comparisons: list[Comparison]) -> None:
    """Write the table that ``SpecialistLifter.load`` reads."""
    rows = [{**vars(c), "specialist_wins": c.specialist_wins} for c in comparisons]
    units = settings.epochs * len(comparisons)
    table = {"generalist": "generalist.safetensors", "unit_epochs": units, "margin": MARGIN, "actions": rows}
    with replacing(folder / TABLE) as part:
        part.write_text(to_json(table))


def markdown(comparisons: list[Comparison]) -> str:
    """A Markdown table by action, with the unweighted mean over actions.

    MPJPE / MPJVE (mm, mm per frame) on test data, MPJPE on validation data, and which of the two the program will use.
    """
    lines = [
        f"| {c.action} | {_cell(c.generalist)} | {_cell(c.specialist)} | {_mpjpe(c.generalist_validation)} | "
        f"{_mpjpe(c.specialist_validation)} | {'specialist' if c.specialist_wins else 'generalist'} |"
        for c in comparisons
    ]
    means = (_cell(Errors.mean([getattr(c, who) for c in comparisons])) for who in ("generalist", "specialist"))
    head = [
        "| action | generalist, MPJPE / MPJVE | specialist, MPJPE / MPJVE | generalist, validation MPJPE "
        "| specialist, validation MPJPE | used |",
        "|---|---:|---:|---:|---:|---|",
    ]
    return "\n".join([*head, *lines, f"| mean over actions | {' | '.join(means)} | | | |"])


def labels(bank: Bank, requested: Mapping[str, str]) -> dict[str, str]:
    """The label of each action to train: ``requested``, or all actions of ``bank`` with their names in lower case."""
    return dict(requested) or {action: action.lower() for action in dataset_split.action_names(bank)}


def _trained(
    settings: TrainSettings, train: Bank, validation: Bank, path: Path, fabric: Fabric, actions: int = 1
) -> Lifter:
    """Load the lifter at ``path`` if it exists, else train it or continue to. An epoch is ``actions`` unit-epochs."""
    run = run_of(settings, train, validation, fabric)
    if path.exists():
        run.check(path, LifterNetwork.load(path).about)
    else:
        trainer = Trainer(settings, train, validation, fabric)
        begin(trainer, path, run, None)
        for _ in logged(trainer, path, run, actions):
            pass
        finish(trainer, path, run, {}, None)
    path.with_suffix(".state").unlink(missing_ok=True)
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
    return errors.cell(("mpjpe", "mpjve"))


def _mpjpe(errors: Errors | None) -> str:
    return "–" if errors is None else errors.number("mpjpe")
