"""What lifters learn from and are tested on: motion capture before virtual cameras, or recorded sequences."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from kinelift.lifting.datasets.sequences import SequenceBank
from kinelift.lifting.measuring.trials import Trial, trials
from kinelift.lifting.synthesis.bank import MotionBank
from kinelift.lifting.synthesis.noise import NoiseSettings
from kinelift.poses.errors import DataError

Bank: TypeAlias = MotionBank | SequenceBank

TEST_SUBJECTS = ("2", "8", "14", "32", "38")
"""Of the CMU subset, for the shipped checkpoints."""
VALIDATION_SUBJECTS = ("7", "16", "43")
EXTRA_DATASETS = ("hdm05", "sfu")
"""Data sets that the shipped lifters do not learn from: their subjects' names begin so."""
PUBLISHED_TEST_SUBJECTS = ("S9", "S11", "TS1", "TS2", "TS3", "TS4", "TS5", "TS6")
"""Of Human3.6M and MPI-INF-3DHP."""


@dataclass(frozen=True, eq=False)
class Split:
    """Subjects to learn from, to watch the training by, and to measure the result on."""

    train: Bank
    validation: Bank
    test: Bank


def load(path: Path) -> Bank:
    """A file of ``lifting prepare`` or of ``lifting convert``. Raises ``DataError`` for any other."""
    try:
        with np.load(path, allow_pickle=False) as file:
            recorded = "layouts" in file.files
    except Exception:  # damaged bytes can raise anything; the bank says what is wrong
        recorded = False
    return SequenceBank.load(path) if recorded else MotionBank.load(path)


def split(bank: Bank, tested: str = "cmu", learned: Collection[str] = ()) -> Split:
    """The subjects' usual parts: ours of the CMU subset, the published ones of recorded data sets.

    ``tested`` is the data set that motion capture is tested on: ``"cmu"``, or one of ``EXTRA_DATASETS``. Subjects of
    the extra data sets are not trained on, except those of ``learned``. Published protocols have no validation
    subjects: there, training is monitored on the test ones, but nothing is chosen by them. Raises ``DataError`` where
    nobody is left to test on.
    """
    if isinstance(bank, MotionBank):
        extra = {one: one.split("-")[0] for one in bank.subjects if one.split("-")[0] in EXTRA_DATASETS}
        measured = TEST_SUBJECTS if tested == "cmu" else {one for one, home in extra.items() if home == tested}
        if not measured:
            raise DataError(f"There is nobody of {tested} in this file. Prepare it with a folder named {tested}.")
        unseen = {one for one, home in extra.items() if home not in learned}
        learn = bank.without_subjects({*TEST_SUBJECTS, *VALIDATION_SUBJECTS, *unseen})
        return Split(learn, bank.with_subjects(VALIDATION_SUBJECTS), bank.with_subjects(measured))
    test = bank.where(lambda one: _tested(one.subject) and one.truth is not None)
    return Split(bank.where(lambda one: not _tested(one.subject) and one.truth is not None), test, test)


def showing(bank: Bank, actions: Collection[str]) -> Bank:
    """The part of ``bank`` that shows these actions, named exactly; all of it if none is named."""
    if not actions:
        return bank
    if isinstance(bank, SequenceBank):
        return bank.only(actions=actions)
    if unknown := sorted(set(actions) - set(bank.actions)):
        raise DataError(f"No action {', '.join(unknown)} here. There are: {'; '.join(sorted(set(bank.actions)))}.")
    others = [name for name, action in zip(bank.names, bank.actions, strict=True) if action not in actions]
    return bank.without_clips(others)


def of(bank: Bank, people: Collection[str]) -> Bank:
    """The part of ``bank`` with these subjects; all of it if none is named. Raises ``DataError`` for unknown ones."""
    if not people:
        return bank
    if isinstance(bank, SequenceBank):
        return bank.only(subjects=people)
    if unknown := sorted(set(people) - set(bank.subjects)):
        raise DataError(f"No subject {', '.join(unknown)} here. There are: {', '.join(sorted(set(bank.subjects)))}.")
    return bank.with_subjects(people)


def actions(bank: Bank) -> tuple[str, ...]:
    """The names of what it shows, in order; repetitions of an action have one name."""
    return tuple(sorted(set(bank.actions if isinstance(bank, MotionBank) else (one.kind for one in bank))))


def tests(bank: Bank, cameras: int, noise: NoiseSettings | None, seed: int) -> Iterator[Trial]:
    """Test videos: motion capture before ``cameras`` random cameras, or recorded sequences as they are."""
    if isinstance(bank, MotionBank):
        return trials(bank, cameras, noise, seed)
    return (one.trial() for one in bank)


def _tested(subject: str) -> bool:
    """Whether published protocols test on this subject: those of HumanEva-I say so in their names."""
    return subject in PUBLISHED_TEST_SUBJECTS or subject.startswith("Validate/")
