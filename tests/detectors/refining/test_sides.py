"""Left and right over time: who is believed, and for how long."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinelift.detectors.refining.sides import Sides, straightness
from kinelift.poses import COCO17

MIRROR = list(COCO17.mirror)
BODY = np.random.default_rng(1).random((17, 2)) * 100
SURE = np.ones(17)
STEP = 1 / 30


def read(networks: list[bool], witnesses: list[bool | None]) -> list[bool]:
    """For every frame whether the sides came out wrong; the lists say who has them wrong (None = did not look)."""
    sides, wrong = Sides(COCO17), []
    for k, (crossed, witness) in enumerate(zip(networks, witnesses, strict=True)):
        here = BODY + np.array([0.5 * k, 0])
        other = None if witness is None else here[MIRROR] if witness else here
        swap, sides = sides.read(here[MIRROR] if crossed else here, SURE, other, STEP)
        wrong.append(swap != crossed)
    return wrong


def test_straightness_is_what_the_mirror_turns_around() -> None:
    assert straightness(BODY, BODY, SURE, COCO17) == 1
    assert straightness(BODY[MIRROR], BODY, SURE, COCO17) == -1
    moved = BODY + 7.0
    assert straightness(moved[MIRROR], BODY, SURE, COCO17) == pytest.approx(-straightness(moved, BODY, SURE, COCO17))
    flat = (BODY + BODY[MIRROR]) / 2
    assert straightness(flat, flat, SURE, COCO17) == 0


@pytest.mark.parametrize("witness", [None, False])
def test_right_stays_right(witness: bool | None) -> None:
    assert not any(read([False] * 20, [witness] * 20))


@settings(max_examples=30)
@given(st.integers(3, 25), st.integers(1, 10))
def test_a_network_that_errs_for_a_while_is_put_right(start: int, length: int) -> None:
    networks = [start <= k < start + length for k in range(40)]
    assert not any(read(networks, [False] * 40))
    shorter = min(length, start // 3)
    assert not any(read(networks[: start + shorter], [None] * (start + shorter)))


@settings(max_examples=30)
@given(st.integers(3, 25), st.integers(1, 10))
def test_a_witness_that_errs_for_a_while_is_not_believed(start: int, length: int) -> None:
    assert not any(read([False] * 40, [start <= k < start + length for k in range(40)]))


def test_a_wrong_beginning_is_corrected_and_forgotten() -> None:
    wrong = read([k < 5 for k in range(60)], [False] * 60)
    assert not any(wrong[5:])


def test_two_who_agree_for_long_enough_win() -> None:
    """Whoever turned around unseen: the past must not rule for ever."""
    wrong = read([k >= 10 for k in range(60)], [k >= 10 for k in range(60)])
    assert not wrong[9] and all(wrong[30:])


def test_joints_that_nobody_sees_do_not_count() -> None:
    scores = np.where(np.arange(17) < 11, 1.0, 0.0)
    lower = BODY.copy()
    lower[11:] = BODY[MIRROR][11:]
    assert straightness(lower, BODY, scores, COCO17) == 1
    assert straightness(np.where(scores[:, None] > 0, BODY, np.nan), BODY, SURE, COCO17) == 1


def test_limbs_that_pass_each_other_do_not_change_sides() -> None:
    """Somebody who walks by: left and right limbs swing against each other and meet twice in every stride."""
    sides, wrong = Sides(COCO17), []
    middle = (BODY + BODY[MIRROR]) / 2
    for k in range(60):
        seen = middle + (BODY - middle) * np.sin(2 * np.pi * k / 20 + 0.05)
        noise = np.random.default_rng(k).normal(0, 2.0, (17, 2))
        swap, sides = sides.read(seen + noise, SURE, seen - noise, STEP)
        wrong.append(swap)
    assert sum(wrong) < 15 and not any(wrong[8::10])
