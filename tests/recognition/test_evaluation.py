import json

import numpy as np
import pytest
import tyro

from poses import H36M17
from poses.errors import DataError
from recognition import figures
from recognition.__main__ import encode, evaluate, train
from recognition.corpus import corpus_of
from recognition.evaluation import Verdicts, calibrate, centroid, majority, tempered, trust
from recognition.labels import LABELS, OTHER
from recognition.network import ActionNetwork, Calibration
from recognition.spmf import Encoding
from recognition.training import TrainSettings
from recognition.windows import WindowPlan
from tests.recognition.motions import walking, waving
from tests.recognition.test_training import GESTURE, WALK, clip

PLAN = WindowPlan(seconds=1.0, stride=0.25)
K = len(LABELS)
TINY = TrainSettings(channels=2, epochs=1, steps=2, batch=4, plan=PLAN)


@pytest.fixture(scope="module")
def corpus():
    clips = [clip("walk1", "1", walking(90), WALK), clip("wave2", "2", waving(60), GESTURE)]
    clips += [clip("walk3", "3", walking(60), WALK), clip("other3", "3", waving(60) + walking(60), LABELS.index(OTHER))]
    return corpus_of(clips, PLAN)


def says(labels, confidence):
    rest = (1 - confidence) / (K - 1)
    return np.where(np.eye(K)[labels] > 0, confidence, rest)


def verdicts(corpus, answers, fair=None):
    fair = np.ones(len(corpus), bool) if fair is None else fair
    return Verdicts(corpus, fair, answers, answers, answers)


def test_baselines_on_what_they_have_seen(corpus):
    assert set(majority(corpus, corpus).argmax(axis=1)) == {WALK}
    assert (centroid(corpus, corpus, Encoding()).argmax(axis=1) == corpus.labels).all()


def test_unlearnable_labels_do_not_count(corpus):
    answers = says(np.full(len(corpus), WALK), 0.9)
    fair = corpus.labels == WALK
    assert verdicts(corpus, answers, fair).scores(answers).accuracy == 1.0
    assert verdicts(corpus, answers).scores(answers).accuracy == pytest.approx(0.5)


def test_overconfidence_gets_a_higher_temperature(corpus):
    wrong = np.arange(len(corpus)) % 3 == 0
    labels = np.where(wrong, LABELS.index("kick"), corpus.labels)
    assert calibrate(verdicts(corpus, says(labels, 0.99))).temperature > 1.5
    assert calibrate(verdicts(corpus, says(corpus.labels, 0.7))).temperature < 1


def test_threshold_keeps_the_asked_share_of_right_names(corpus):
    answers = np.concatenate([says(corpus.labels[i : i + 1], 0.4 + 0.02 * i) for i in range(len(corpus))])
    known = corpus.labels != LABELS.index(OTHER)
    shares = []
    for keep in (0.5, 0.9):
        found = calibrate(verdicts(corpus, answers), keep)
        shares.append((tempered(answers, found.temperature)[known].max(axis=1) >= found.threshold).mean())
    assert shares[0] >= 0.5
    assert shares[1] >= 0.9


def test_nothing_right_is_nothing_named(corpus):
    assert calibrate(verdicts(corpus, says(np.full(len(corpus), LABELS.index("kick")), 0.9))).threshold == 1.0


def test_trust_counts_names_given_to_motions_that_have_none(corpus):
    answers = says(np.full(len(corpus), WALK), 0.9)
    found = trust(verdicts(corpus, answers), Calibration(1.0, 0.8))
    assert (found.named, found.false) == (1.0, 1.0)
    assert found.right == pytest.approx((corpus.labels == WALK).sum() / (corpus.labels != LABELS.index(OTHER)).sum())
    silent = trust(verdicts(corpus, answers), Calibration(1.0, 0.95))
    assert (silent.named, silent.false) == (0.0, 0.0)


def test_tempering_keeps_the_order_and_the_sum():
    rows = np.random.default_rng(0).dirichlet(np.ones(K), 5)
    soft = tempered(rows, 3.0)
    np.testing.assert_allclose(soft.sum(axis=1), 1)
    assert (soft.argsort(axis=1) == rows.argsort(axis=1)).all()
    np.testing.assert_allclose(tempered(rows, 1.0), rows)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Prepared motion capture of two subjects who walk and are told to wave."""
    path = tmp_path_factory.mktemp("capture") / "data.npz"
    motions = [walking(120, 60.0), waving(120, 60.0)] * 2
    points = np.concatenate([np.pad(motion, ((0, 0), (0, 5), (0, 0))) for motion in motions]).astype(np.float32)
    joints = np.array([*H36M17.joints, "nose", "left_eye", "right_eye", "left_ear", "right_ear"])
    columns = {
        "points": points, "offsets": np.arange(5) * 120, "rates": np.full(4, 60.0), "joints": joints, "format": 1,
        "names": np.array(["a/1/1_01", "a/1/1_02", "a/2/2_01", "a/2/2_02"]), "subjects": np.array(["1", "1", "2", "2"]),
        "actions": np.array(["walk", "direct traffic, wave"] * 2),
    }  # fmt: skip
    np.savez(path, **columns)
    return path


def test_train_writes_a_checkpoint_and_a_log_and_goes_on(data, tmp_path):
    out = tmp_path / "made" / "actions.safetensors"
    train(data, out, TINY, hold_out=("2",), data_terms="made up")
    again = TrainSettings(channels=2, epochs=2, steps=2, batch=4, plan=PLAN)
    train(data, out, again, hold_out=("2",), data_terms="made up")
    records = [json.loads(line) for line in out.with_suffix(".jsonl").read_text().splitlines()]
    assert [record["epoch"] for record in records] == [1, 2]
    assert {"loss", "clips", "windows", "mean_recall", "seconds"} <= set(records[0])
    about = ActionNetwork.load(out).about
    assert (about["data"], about["held_out"]) == ("made up", ["2"])


def test_evaluate_writes_figure_and_report(data, tmp_path):
    evaluate(data, TINY, folds=2, figure=tmp_path / "confusion.png", report=tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["folds"] == [["1"], ["2"]]
    assert report["scores"]["centroid"]["clips"] == 1.0
    assert report["scores"]["majority"]["clips"] == 0.5
    assert np.sum(report["scores"]["network"]["confusion"]) == 4
    assert (tmp_path / "confusion.png").stat().st_size > 1000


def test_encode_draws_a_window_or_says_what_is_wrong(data, tmp_path):
    encode(data, "a/1/1_01", tmp_path / "image.png")
    assert (tmp_path / "image.png").stat().st_size > 1000
    with pytest.raises(DataError, match="No clip 'nobody'"):
        encode(data, "nobody", tmp_path / "image.png")
    with pytest.raises(DataError, match="ends before"):
        encode(data, "a/1/1_01", tmp_path / "image.png", start=60.0)


def test_figure_of_a_resized_picture_names_the_rows_together(tmp_path):
    encoding = Encoding(rows=16)
    figures.motion_image(np.zeros((16, 32, 3), np.uint8), encoding, 1.5, tmp_path / "image.png")
    assert (tmp_path / "image.png").exists()


def test_settings_can_be_given_on_the_command_line():
    settings = tyro.cli(TrainSettings, args=["--epochs", "3", "--plan.seconds", "2.0", "--encoding.equalise", "none"])
    assert (settings.epochs, settings.plan.seconds, settings.encoding.equalise) == (3, 2.0, "none")
