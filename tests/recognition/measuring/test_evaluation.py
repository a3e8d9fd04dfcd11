import numpy as np
import pytest

from kinelift.recognition.data.clips import OTHER
from kinelift.recognition.encoding.spmf import Encoding
from kinelift.recognition.measuring.evaluation import CrossValidation, centroid, cross_validate, majority, rounds
from kinelift.recognition.training.corpus import corpus_of
from kinelift.recognition.training.trainer import TrainSettings
from kinelift.recognition.windows import WindowPlan
from tests.recognition.motions import LABELS, clip, dataset, walking, waving

PLAN = WindowPlan(seconds=1.0, stride=0.25)
K = len(LABELS)
WALK = LABELS.index("walk")
TINY = TrainSettings(channels=2, epochs=1, steps=2, batch=4, plan=PLAN)


@pytest.fixture(scope="module")
def corpus():
    clips = [clip("walk1", "1", walking(90), "walk"), clip("wave2", "2", waving(60), "gesture")]
    clips += [clip("walk3", "3", walking(60), "walk"), clip("other3", "3", waving(60) + walking(60), OTHER)]
    return corpus_of(dataset(clips), PLAN)


def predictions_of(labels, confidence):
    rest = (1 - confidence) / (K - 1)
    return np.where(np.eye(K)[labels] > 0, confidence, rest)


def validation(corpus, predictions, learnable=None):
    learnable = np.ones(len(corpus), bool) if learnable is None else learnable
    return CrossValidation(corpus, np.zeros(len(corpus), int), learnable, predictions, predictions, predictions)


def test_baselines_on_their_training_data(corpus):
    assert set(majority(corpus, corpus).argmax(axis=1)) == {WALK}
    assert (centroid(corpus, corpus, Encoding()).argmax(axis=1) == corpus.labels).all()


def test_labels_missing_from_training_do_not_count(corpus):
    predictions = predictions_of(np.full(len(corpus), WALK), 0.9)
    learnable = corpus.labels == WALK
    assert validation(corpus, predictions, learnable).scores(predictions).accuracy == 1.0
    assert validation(corpus, predictions).scores(predictions).accuracy == pytest.approx(0.5)


def test_every_subject_is_tested_once_by_a_network_not_trained_on_them(corpus):
    calls = []
    result = cross_validate(
        corpus, TINY, rounds(corpus, 3), progress=lambda number, epoch: calls.append((number, epoch))
    )
    assert calls == [(0, 1), (1, 1), (2, 1)]
    assert (result.round >= 0).all() and np.isfinite(result.network).all()
    by_subject = {subject: set() for subject in corpus.subjects}
    for subject, number in zip(corpus.subjects, result.round.tolist(), strict=True):
        by_subject[subject].add(number)
    assert sorted(map(len, by_subject.values())) == [1, 1, 1]
    alone = np.isin(corpus.labels, [LABELS.index("gesture"), LABELS.index(OTHER)])
    assert (result.learnable == ~alone).all()
    assert result.scores(result.centroid).accuracy == 1.0
    assert result.scores(result.centroid, corpus.of_subjects({"1"})).confusion.sum() == 1
