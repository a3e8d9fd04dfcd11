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


def says(labels, confidence):
    rest = (1 - confidence) / (K - 1)
    return np.where(np.eye(K)[labels] > 0, confidence, rest)


def verdicts(corpus, answers, fair=None):
    fair = np.ones(len(corpus), bool) if fair is None else fair
    return CrossValidation(corpus, np.zeros(len(corpus), int), fair, answers, answers, answers)


def test_baselines_on_what_they_have_seen(corpus):
    assert set(majority(corpus, corpus).argmax(axis=1)) == {WALK}
    assert (centroid(corpus, corpus, Encoding()).argmax(axis=1) == corpus.labels).all()


def test_unlearnable_labels_do_not_count(corpus):
    answers = says(np.full(len(corpus), WALK), 0.9)
    fair = corpus.labels == WALK
    assert verdicts(corpus, answers, fair).scores(answers).accuracy == 1.0
    assert verdicts(corpus, answers).scores(answers).accuracy == pytest.approx(0.5)


def test_everybody_is_judged_once_by_a_network_that_has_not_seen_them(corpus):
    seen = []
    found = cross_validate(corpus, TINY, rounds(corpus, 3), progress=lambda number, epoch: seen.append((number, epoch)))
    assert seen == [(0, 1), (1, 1), (2, 1)]
    assert (found.round >= 0).all() and np.isfinite(found.network).all()
    by_subject = {subject: set() for subject in corpus.subjects}
    for subject, number in zip(corpus.subjects, found.round.tolist(), strict=True):
        by_subject[subject].add(number)
    assert sorted(map(len, by_subject.values())) == [1, 1, 1]
    alone = np.isin(corpus.labels, [LABELS.index("gesture"), LABELS.index(OTHER)])
    assert (found.fair == ~alone).all()
    assert found.scores(found.centroid).accuracy == 1.0
    assert found.scores(found.centroid, corpus.of_subjects({"1"})).confusion.sum() == 1
