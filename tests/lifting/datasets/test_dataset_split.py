"""Who learns from motion capture and who is measured on it."""

import pytest
import torch

from kinelift.lifting.datasets import dataset_split
from kinelift.lifting.synthesis.bank import MotionBank
from kinelift.poses.errors import DataError

PEOPLE = ("1", "2", "7", "hdm05-mm", "hdm05-bk", "sfu-0005")


def bank() -> MotionBank:
    count = len(PEOPLE)
    lengths, rates = torch.full((count,), 3), torch.full((count,), 60.0)
    names = tuple(f"clip of {one}" for one in PEOPLE)
    return MotionBank(torch.zeros(3 * count, 22, 3), torch.arange(count) * 3, lengths, rates, names, PEOPLE, names)


def test_guests_are_neither_learnt_from_nor_tested_on_unless_asked() -> None:
    parts = dataset_split.split(bank())
    assert parts.train.subjects == ("1",)
    assert parts.validation.subjects == ("7",)
    assert parts.test.subjects == ("2",)


def test_a_guest_data_set_is_tested_on_when_asked() -> None:
    assert dataset_split.split(bank(), "hdm05").test.subjects == ("hdm05-mm", "hdm05-bk")
    assert dataset_split.split(bank(), "sfu").test.subjects == ("sfu-0005",)


def test_a_guest_data_set_is_learnt_from_when_asked() -> None:
    parts = dataset_split.split(bank(), "sfu", learned=("hdm05",))
    assert parts.train.subjects == ("1", "hdm05-mm", "hdm05-bk")
    assert parts.test.subjects == ("sfu-0005",)


def test_a_data_set_that_is_not_there_is_named() -> None:
    with pytest.raises(DataError, match="nobody of sfu"):
        dataset_split.split(bank().without_subjects({"sfu-0005"}), "sfu")
