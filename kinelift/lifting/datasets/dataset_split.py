"""Splits of the data for training and testing lifters: motion capture or recorded sequences."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from kinelift.lifting.datasets.sequences import SequenceBank
from kinelift.lifting.synthesis.bank import MotionBank
from kinelift.lifting.synthesis.noise import NoiseSettings
from kinelift.lifting.synthesis.trials import Trial, trials
from kinelift.poses.archive import archive_keys
from kinelift.poses.errors import DataError

Bank: TypeAlias = MotionBank | SequenceBank

TEST_SUBJECTS = ("2", "8", "14", "32", "38")
"""Subjects of the CMU subset on which the shipped checkpoints are tested."""
VALIDATION_SUBJECTS = ("7", "16", "43")
EXTRA_DATASETS = ("hdm05", "sfu")
"""Data sets that the shipped lifters are not trained on. The names of their subjects begin with these."""
PUBLISHED_TEST_SUBJECTS = ("S9", "S11", "TS1", "TS2", "TS3", "TS4", "TS5", "TS6")
"""Test subjects of Human3.6M and MPI-INF-3DHP."""


@dataclass(frozen=True, eq=False)
class Split:
    """Data for training, for monitoring the training, and for measuring the result."""

    train: Bank
    validation: Bank
    test: Bank


def load(path: Path) -> Bank:
    """Load a file of ``lifting prepare`` or ``lifting convert``.

    Raises:
        DataError: It is not such a file.
    """
    try:
        recorded = "layouts" in archive_keys(path)
    except DataError:  # the bank reports what is wrong
        recorded = False
    return SequenceBank.load(path) if recorded else MotionBank.load(path)


def split(bank: Bank, tested: str = "cmu", extra_training: Collection[str] = ()) -> Split:
    """Split the data by subject: our split of the CMU subset, the published splits of recorded data sets.

    Where motion capture has none of our validation subjects, one in five of the others takes their place.
    Published protocols have no validation subjects. There, training is monitored on the test subjects, but nothing is
    chosen by them.

    Args:
        bank: The data.
        tested: Data set for testing on motion capture: ``"cmu"`` or one of ``EXTRA_DATASETS``.
        extra_training: Data sets of ``EXTRA_DATASETS`` to train on. Others are excluded from training.

    Raises:
        DataError: There is no subject to train on, to validate on, or of the data set ``tested``.
    """
    if isinstance(bank, MotionBank):
        datasets = {one: one.split("-")[0] for one in bank.subjects if one.split("-")[0] in EXTRA_DATASETS}
        test_subjects = TEST_SUBJECTS if tested == "cmu" else {one for one, name in datasets.items() if name == tested}
        if not test_subjects:
            raise DataError(f"This file has no subject of {tested}. Prepare it with a folder named {tested}.")
        excluded = {one for one, name in datasets.items() if name not in extra_training}
        train = bank.without_subjects({*TEST_SUBJECTS, *VALIDATION_SUBJECTS, *excluded})
        validation = bank.with_subjects(VALIDATION_SUBJECTS)
        if not len(validation):
            held_out = _validation_subjects(train.subjects)
            train, validation = train.without_subjects(held_out), train.with_subjects(held_out)
        return Split(train, validation, bank.with_subjects(test_subjects))
    test = bank.filter(lambda one: _is_test_subject(one.subject) and one.truth is not None)
    return Split(bank.filter(lambda one: not _is_test_subject(one.subject) and one.truth is not None), test, test)


def _validation_subjects(subjects: Collection[str]) -> list[str]:
    names = sorted(set(subjects))
    if len(names) < 2:
        raise DataError(
            f"Training needs at least two subjects besides the test subjects, one of them to validate on; this file "
            f"has {len(names)}. Prepare more of them together: kinelift lifting prepare FOLDER ..."
        )
    return names[4::5] or names[-1:]


def select_actions(bank: Bank, actions: Collection[str]) -> Bank:
    """Select the data with these actions by their exact names; without names, all of it.

    Raises:
        DataError: An action is unknown.
    """
    if not actions:
        return bank
    if isinstance(bank, SequenceBank):
        return bank.select(actions=actions)
    if unknown := sorted(set(actions) - set(bank.actions)):
        raise DataError(f"No action {', '.join(unknown)} here. There are: {'; '.join(sorted(set(bank.actions)))}.")
    others = [name for name, action in zip(bank.names, bank.actions, strict=True) if action not in actions]
    return bank.without_clips(others)


def select_subjects(bank: Bank, subjects: Collection[str]) -> Bank:
    """Select the data of these subjects; without names, all of it.

    Raises:
        DataError: A subject is unknown.
    """
    if not subjects:
        return bank
    if isinstance(bank, SequenceBank):
        return bank.select(subjects=subjects)
    if unknown := sorted(set(subjects) - set(bank.subjects)):
        raise DataError(f"No subject {', '.join(unknown)} here. There are: {', '.join(sorted(set(bank.subjects)))}.")
    return bank.with_subjects(subjects)


def action_names(bank: Bank) -> tuple[str, ...]:
    """List the actions in alphabetical order; repetitions of an action count as one."""
    return tuple(sorted(set(bank.actions if isinstance(bank, MotionBank) else (one.kind for one in bank))))


def test_trials(bank: Bank, cameras: int, noise: NoiseSettings | None, seed: int) -> Iterator[Trial]:
    """Generate tests: motion capture seen by ``cameras`` random cameras, or recorded sequences unchanged."""
    if isinstance(bank, MotionBank):
        return trials(bank, cameras, noise, seed)
    return (one.trial() for one in bank)


def _is_test_subject(subject: str) -> bool:
    """Tell whether published protocols test on this subject. HumanEva-I marks it in the name."""
    return subject in PUBLISHED_TEST_SUBJECTS or subject.startswith("Validate/")
