import numpy as np
import pytest

from poses import H36M17
from poses.errors import DataError
from recognition import cmu
from recognition.corpus import corpus_of, read_corpus, window_label
from recognition.evaluation import subject_folds
from recognition.evidence import Motion
from recognition.labels import LABELS, OTHER, UNLABELLED, labels_of
from recognition.windows import WindowPlan
from tests.recognition.motions import standing, walking, waving
from tests.recognition.test_training import clip

PLAN = WindowPlan(seconds=1.0, stride=0.25)


def named(description, points):
    found = labels_of(description, Motion(points, 30.0), cmu.RULES)
    return [LABELS[label] if label != UNLABELLED else None for label in found]


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


def test_a_rule_speaks_only_where_the_body_shows_it():
    stop_and_go = np.concatenate([np.repeat(walking(1), 45, axis=0), walking(60)])
    found = named("walk", stop_and_go)
    assert found[:40] == [None] * 40
    assert found[60:] == ["walk"] * 45


def test_one_description_can_hold_two_actions():
    found = named("sit on stepstool, stand up", np.concatenate([seated(), standing(60)]))
    assert (found[20], found[-20]) == ("sit", "stand")


def test_a_jump_is_the_time_around_the_flight():
    found = named("forward jump", jumping())
    assert found[35] == "jump"
    assert found[0] == found[-1] == "stand"


@pytest.mark.parametrize("description", ["playground - climb, hang, swing", "walk, turn, jump", "", "Empi"])
def test_what_no_rule_reads_stays_unlabelled(description):
    assert set(named(description, walking())) == {None}


def test_gestures_need_hands():
    assert set(named("direct traffic, wave", waving())) == {"gesture"}
    assert set(named("direct traffic, wave", standing(60))) == {"stand"}


def test_every_rule_has_a_known_label():
    assert {rule.label for rule in cmu.RULES} == set(LABELS)
    assert OTHER in LABELS


def test_second_copies_are_known():
    assert cmu.repeated("bvh-expmap/test_washwindow_1")
    assert cmu.repeated("bvh-expmap/train_soccer_5")
    assert not cmu.repeated("bvh-expmap/train_basketball_signal_1")
    assert not cmu.repeated("asfamc/02/02_01")
    assert cmu.subject_of("bvh-expmap/test_jumping_1", "expmap") == "13"
    assert cmu.subject_of("asfamc/02/02_01", "2") == "2"


def test_a_window_needs_one_label_in_its_middle():
    labels = np.array([0] * 10 + [1] * 10 + [UNLABELLED] * 10)
    assert window_label(labels) == 1
    assert window_label(np.array([0] * 10 + [UNLABELLED] * 20)) == UNLABELLED
    assert window_label(np.array([0, 1] * 10)) == UNLABELLED


def test_folds_split_subjects_and_spread_labels():
    clips = [clip(f"{s}", str(s), walking(), s % 2) for s in range(6)]
    folds = subject_folds(corpus_of(clips, PLAN), 3)
    assert sorted(s for fold in folds for s in fold) == ["0", "1", "2", "3", "4", "5"]
    assert all({int(s) % 2 for s in fold} == {0, 1} for fold in folds)


def test_prepared_motion_capture_is_read_at_the_plans_rate(tmp_path):
    extra = np.zeros((121, 5, 3))
    points = np.concatenate([walking(121, 60.0), extra], axis=1).astype(np.float32)

    joints = np.array([*H36M17.joints, "nose", "left_eye", "right_eye", "left_ear", "right_ear"])
    columns = {
        "points": np.concatenate([points, points]), "offsets": np.array([0, 121, 242]), "rates": np.array([60.0, 60.0]),
        "names": np.array(["asfamc/02/02_01", "bvh-expmap/train_soccer_1"]), "subjects": np.array(["2", "expmap"]),
        "actions": np.array(["walk", ""]), "joints": joints, "format": np.array(1),
    }  # fmt: skip
    np.savez(tmp_path / "data.npz", **columns)
    corpus = read_corpus(tmp_path / "data.npz", PLAN)
    assert [(c.name, c.subject, len(c)) for c in corpus.clips] == [("asfamc/02/02_01", "2", 61)]
    assert set(corpus.labels) == {LABELS.index("walk")}
    np.testing.assert_allclose(corpus.windows()[0], walking(31), atol=0.02)


def test_other_files_are_refused(tmp_path):
    (tmp_path / "data.npz").write_text("no")
    with pytest.raises(DataError, match="lifting prepare"):
        read_corpus(tmp_path / "data.npz", PLAN)
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(DataError, match="lifting prepare"):
        read_corpus(tmp_path / "other.npz", PLAN)
