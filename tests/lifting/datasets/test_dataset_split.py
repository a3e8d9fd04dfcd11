"""Splits of motion capture into training and test subjects."""

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


def test_extra_data_sets_are_not_used_by_default() -> None:
    parts = dataset_split.split(bank())
    assert parts.train.subjects == ("1",)
    assert parts.validation.subjects == ("7",)
    assert parts.test.subjects == ("2",)


def test_extra_data_set_can_be_the_test_set() -> None:
    assert dataset_split.split(bank(), "hdm05").test.subjects == ("hdm05-mm", "hdm05-bk")
    assert dataset_split.split(bank(), "sfu").test.subjects == ("sfu-0005",)


def test_extra_data_set_can_be_used_for_training() -> None:
    parts = dataset_split.split(bank(), "sfu", extra_training=("hdm05",))
    assert parts.train.subjects == ("1", "hdm05-mm", "hdm05-bk")
    assert parts.test.subjects == ("sfu-0005",)


def test_missing_data_set_is_named() -> None:
    with pytest.raises(DataError, match="no subject of sfu"):
        dataset_split.split(bank().without_subjects({"sfu-0005"}), "sfu")


def test_other_motion_capture_is_validated_on_its_own_subjects() -> None:
    parts = dataset_split.split(bank().without_subjects({"7"}), extra_training=("hdm05",))
    assert parts.train.subjects == ("1", "hdm05-bk")
    assert parts.validation.subjects == ("hdm05-mm",)


def test_a_single_subject_is_not_enough_to_train_and_validate() -> None:
    with pytest.raises(DataError, match="at least two subjects"):
        dataset_split.split(bank().without_subjects({"7"}))
