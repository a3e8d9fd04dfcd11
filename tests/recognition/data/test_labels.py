import numpy as np
import pytest

from kinelift.recognition.data import cmu, hdm05
from kinelift.recognition.data.clips import OTHER
from kinelift.recognition.data.evidence import ObservedMotion
from kinelift.recognition.data.labels import LABELS, UNLABELLED, labels_of
from tests.recognition.motions import standing, walking, waving


def named(description, points, rules=cmu.RULES):
    names = labels_of(description, ObservedMotion(points, 30.0), rules)
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
    assert "walk" not in names[:40]
    assert names[60:] == ["walk"] * 45


def squatted(frames=60):
    """Thighs level and 0.4 m forward, the hip 0.45 m lower, feet where they were."""
    points = standing(frames)
    points[:, [2, 5]] = [[-0.12, 0.5, 0.4], [0.12, 0.5, 0.4]]
    points[:, [0, 1, 4, *range(7, 17)], 1] -= 0.45
    return points


def turned(points, degrees):
    """Everything above the hips tilted forward."""
    angle, above = np.radians(degrees), range(7, 17)
    hip = points[:, :1]
    relative = points[:, above] - hip
    tilt = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    out = points.copy()
    out[:, above] = hip + relative @ tilt.T
    return out


def test_squatting_needs_bent_knees_and_bending_a_bent_trunk():
    both = np.concatenate([standing(60), squatted(), standing(60), turned(standing(60), 80)])
    names = named("jumping jacks, squats, bend over", both)
    assert (names[30], names[90], names[150], names[210]) == ("stand", "squat", "stand", "bend")
    np.testing.assert_allclose(ObservedMotion(squatted(), 30.0).knee_flexions, 90 + np.degrees(np.arctan(0.4 / 0.42)))
    np.testing.assert_allclose(ObservedMotion(turned(standing(9), 80), 30.0).pitch, 80, atol=1)


def test_lying_is_low_and_level():
    flat = standing(60)[..., [0, 2, 1]] * [1, 1, -1]
    names = named("liedownfloor", np.concatenate([standing(60), flat + np.array([0, 0.1, 0])]), hdm05.RULES)
    assert (names[30], names[90]) == ("stand", "lie")


def test_a_throw_is_the_time_around_the_swing():
    points = standing(120)
    swing = np.clip((np.arange(120) - 60) / 6, 0, 1)[:, None, None]
    points[:, [13, 16]] += swing * [0, 0.7, 0.5]
    names = named("throwbasketball", points, hdm05.RULES)
    assert names[63] == "throw" and names[20] == "stand" and "throw" not in names[90:]


def test_one_description_can_name_two_actions():
    names = named("sit on stepstool, stand up", np.concatenate([seated(), standing(60)]))
    assert (names[20], names[-20]) == ("sit", "stand")


def test_a_jump_is_the_time_around_the_flight():
    names = named("forward jump", jumping())
    assert names[35] == "jump"
    assert names[0] == names[-1] == "stand"


@pytest.mark.parametrize("description", ["playground - climb, hang, swing", "walk, turn, jump", "", "Empi"])
def test_unmatched_descriptions_show_standing_at_most(description):
    assert set(named(description, walking())) == {None}
    assert set(named(description, standing(60))) == {"stand"}


def test_gestures_need_hands():
    assert set(named("direct traffic, wave", waving())) == {"gesture"}
    assert set(named("direct traffic, wave", standing(60))) == {"stand"}


def test_every_rule_has_a_known_label():
    assert {rule.label for rule in (*cmu.RULES, *hdm05.RULES)} == set(LABELS)
    assert OTHER in LABELS


def test_duplicates_are_known():
    assert cmu.is_duplicate("bvh-expmap/test_washwindow_1")
    assert cmu.is_duplicate("bvh-expmap/train_soccer_5")
    assert not cmu.is_duplicate("bvh-expmap/train_basketball_signal_1")
    assert not cmu.is_duplicate("asfamc/02/02_01")
    assert cmu.subject_of("bvh-expmap/test_jumping_1", "expmap") == "13"
    assert cmu.subject_of("asfamc/02/02_01", "2") == "2"
