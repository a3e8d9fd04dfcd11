import numpy as np
import pytest

from kinelift.recognition.data import cmu
from kinelift.recognition.data.clips import OTHER
from kinelift.recognition.data.evidence import ObservedMotion
from kinelift.recognition.data.labels import LABELS, UNLABELLED, labels_of
from tests.recognition.motions import standing, walking, waving


def named(description, points):
    names = labels_of(description, ObservedMotion(points, 30.0), cmu.RULES)
    return [LABELS[label] if label != UNLABELLED else None for label in names]


def seated(frames=60):
    points = standing(frames)
    points[:, [2, 5], 1] = 0.9
    points[:, [2, 5], 2] = 0.45
    return points


def jumping(frames=90):
    """Up at 3 m/s after one second, down again after free fall."""
    time = np.arange(frames) / 30 - 1
    return (
        standing(frames)
        + np.maximum(3 * time - 4.905 * time**2, 0)[:, None, None] * [0, 1, 0] * (time > 0)[:, None, None]
    )


def test_a_rule_applies_only_where_the_body_shows_the_action():
    stop_and_go = np.concatenate([np.repeat(walking(1), 45, axis=0), walking(60)])
    names = named("walk", stop_and_go)
    assert names[:40] == [None] * 40
    assert names[60:] == ["walk"] * 45


def test_one_description_can_name_two_actions():
    names = named("sit on stepstool, stand up", np.concatenate([seated(), standing(60)]))
    assert (names[20], names[-20]) == ("sit", "stand")


def test_a_jump_is_the_time_around_the_flight():
    names = named("forward jump", jumping())
    assert names[35] == "jump"
    assert names[0] == names[-1] == "stand"


@pytest.mark.parametrize("description", ["playground - climb, hang, swing", "walk, turn, jump", "", "Empi"])
def test_unmatched_descriptions_stay_unlabelled(description):
    assert set(named(description, walking())) == {None}


def test_gestures_need_hands():
    assert set(named("direct traffic, wave", waving())) == {"gesture"}
    assert set(named("direct traffic, wave", standing(60))) == {"stand"}


def test_every_rule_has_a_known_label():
    assert {rule.label for rule in cmu.RULES} == set(LABELS)
    assert OTHER in LABELS


def test_duplicates_are_known():
    assert cmu.is_duplicate("bvh-expmap/test_washwindow_1")
    assert cmu.is_duplicate("bvh-expmap/train_soccer_5")
    assert not cmu.is_duplicate("bvh-expmap/train_basketball_signal_1")
    assert not cmu.is_duplicate("asfamc/02/02_01")
    assert cmu.subject_of("bvh-expmap/test_jumping_1", "expmap") == "13"
    assert cmu.subject_of("asfamc/02/02_01", "2") == "2"
