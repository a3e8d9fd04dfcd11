"""Left and right over time: whose vote wins, and for how long."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinelift.detectors.refining.side_voting import SideVoting, side_agreement
from kinelift.poses import COCO17

MIRROR = list(COCO17.mirror)
BODY = np.random.default_rng(1).random((17, 2)) * 100
SURE = np.ones(17)
STEP = 1 / 30


def read(networks: list[bool], witnesses: list[bool | None]) -> list[bool]:
    """Whether the sides are wrong in each frame; the lists say which network has them wrong (None = did not look)."""
    sides, wrong = SideVoting(COCO17), []
    for k, (crossed, witness) in enumerate(zip(networks, witnesses, strict=True)):
        here = BODY + np.array([0.5 * k, 0])
        other = None if witness is None else here[MIRROR] if witness else here
        swap, sides = sides.read(here[MIRROR] if crossed else here, SURE, other, STEP)
        wrong.append(swap != crossed)
    return wrong


def test_swapping_sides_changes_the_sign_of_the_agreement() -> None:
    assert side_agreement(BODY, BODY, SURE, COCO17) == 1
    assert side_agreement(BODY[MIRROR], BODY, SURE, COCO17) == -1
    moved = BODY + 7.0
    assert side_agreement(moved[MIRROR], BODY, SURE, COCO17) == pytest.approx(
        -side_agreement(moved, BODY, SURE, COCO17)
    )
    flat = (BODY + BODY[MIRROR]) / 2
    assert side_agreement(flat, flat, SURE, COCO17) == 0


@pytest.mark.parametrize("witness", [None, False])
def test_right_stays_right(witness: bool | None) -> None:
    assert not any(read([False] * 20, [witness] * 20))


@settings(max_examples=30)
@given(st.integers(3, 25), st.integers(1, 10))
def test_a_temporary_swap_is_corrected(start: int, length: int) -> None:
    networks = [start <= k < start + length for k in range(40)]
    assert not any(read(networks, [False] * 40))
    shorter = min(length, start // 3)
    assert not any(read(networks[: start + shorter], [None] * (start + shorter)))


@settings(max_examples=30)
@given(st.integers(3, 25), st.integers(1, 10))
def test_a_temporary_error_of_the_witness_is_ignored(start: int, length: int) -> None:
    assert not any(read([False] * 40, [start <= k < start + length for k in range(40)]))


def test_a_wrong_first_reading_is_corrected() -> None:
    wrong = read([k < 5 for k in range(60)], [False] * 60)
    assert not any(wrong[5:])


def test_networks_that_agree_long_enough_win_the_vote() -> None:
    """A person may have turned around unseen, so past votes must fade."""
    wrong = read([k >= 10 for k in range(60)], [k >= 10 for k in range(60)])
    assert not wrong[9] and all(wrong[30:])


def test_unseen_joints_do_not_count() -> None:
    scores = np.where(np.arange(17) < 11, 1.0, 0.0)
    lower = BODY.copy()
    lower[11:] = BODY[MIRROR][11:]
    assert side_agreement(lower, BODY, scores, COCO17) == 1
    assert side_agreement(np.where(scores[:, None] > 0, BODY, np.nan), BODY, SURE, COCO17) == 1


def test_limbs_that_pass_each_other_do_not_change_sides() -> None:
    """Left and right limbs of a person who walks by swing against each other and meet twice in every stride."""
    sides, wrong = SideVoting(COCO17), []
    middle = (BODY + BODY[MIRROR]) / 2
    for k in range(60):
        seen = middle + (BODY - middle) * np.sin(2 * np.pi * k / 20 + 0.05)
        noise = np.random.default_rng(k).normal(0, 2.0, (17, 2))
        swap, sides = sides.read(seen + noise, SURE, seen - noise, STEP)
        wrong.append(swap)
    assert sum(wrong) < 15 and not any(wrong[8::10])
