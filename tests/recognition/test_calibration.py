import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from kinelift.recognition.calibration import (
    Answers,
    Calibration,
    best_temperature,
    calibrate,
    decide,
    decide_across,
    lowest_threshold,
    reliability,
    trust,
    trust_curve,
)
from kinelift.recognition.decoding import NOTHING, Timeline, decode
from kinelift.recognition.measuring.calibration_figure import write_calibration_figure

K, OTHER = 4, 3


def answers(count=600, seed=0, sharpness=1.0, hard=0.0):
    """Answers whose true labels are drawn from the softmax of the logits; 30 % of class 0 are novel.

    Every window is a stretch of its own. ``hard`` shifts logits of unknown motion towards a wrong action.
    """
    random = np.random.default_rng(seed)
    logits = 2 * random.standard_normal((count, K))
    cumulative = softmax(logits, axis=1).cumsum(axis=1)
    labels = (random.random((count, 1)) > cumulative[:, :-1]).sum(axis=1)
    novel = (labels == 0) & (random.random(count) < 0.3)
    logits[novel, 1] += hard
    return Answers(sharpness * logits, labels, np.arange(count) % 5, novel, np.arange(count), OTHER)


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_overconfidence(sharpness):
    sample = answers(5000, sharpness=sharpness)
    taught = sample.only(~sample.novel)
    assert best_temperature(taught.logits, taught.labels) == pytest.approx(sharpness, rel=0.15)


def test_at_the_right_temperature_confidence_is_accuracy():
    random = np.random.default_rng(1)
    probabilities = softmax(2 * random.standard_normal((20_000, K)), axis=1)
    labels = (random.random((20_000, 1)) > probabilities.cumsum(axis=1)[:, :-1]).sum(axis=1)
    right = probabilities.argmax(axis=1) == labels
    assert reliability(probabilities.max(axis=1), right, 15).error < 0.02
    assert reliability(probabilities.max(axis=1) ** 0.3, right, 15).error > 0.1


def test_reliability_of_known_cases():
    sample = reliability(np.array([0.95, 0.95, 0.05, 1.0]), np.array([True, False, False, True]))
    assert sample.counts.tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0, 3]
    assert sample.accuracy[9] == pytest.approx(2 / 3)
    assert sample.error == pytest.approx(0.25 * 0.05 + 0.75 * (2.9 / 3 - 2 / 3))
    assert reliability(np.zeros(0), np.zeros(0, bool)).error == 0


@given(st.integers(0, 50), st.floats(0.0, 1.0), st.floats(0.5, 3.0))
def test_the_threshold_holds_the_rate_and_no_lower_one_does(seed, rate, temperature):
    sample = answers(80, seed)
    threshold = lowest_threshold(sample, Calibration(temperature), rate)
    assert trust(sample, decide(sample, Calibration(temperature, threshold))).false_accept_rate <= rate + 1e-12
    if threshold > 0:
        lower = Calibration(temperature, threshold - 0.01)
        assert trust(sample, decide(sample, lower)).false_accept_rate > rate


def test_without_unknown_motion_everything_may_be_named():
    sample = answers()
    assert lowest_threshold(sample.only(~sample.unknown), Calibration(), 0.1) == 0.0


def test_a_label_left_out_of_training_is_never_chosen():
    sample = answers()
    choice = decide(sample, Calibration(threshold=0.0))
    assert (choice[sample.novel] != 0).all()
    assert (choice != OTHER).all()
    np.testing.assert_allclose(Calibration(2.0).probabilities(sample.taught).sum(axis=1), 1.0)


def test_labels_with_few_windows_count_as_much_as_those_with_many():
    logits = np.log([[0.8, 0.1, 0.05, 0.05]] * 9 + [[0.2, 0.3, 0.4, 0.4]])
    labels = np.array([OTHER] * 9 + [2])
    sample = Answers(logits, labels, np.zeros(10, int), labels == 2, np.arange(10), OTHER)
    measured = trust(sample, decide(sample, Calibration(1.0, 0.5)))
    assert measured.false_accept_rates == {2: 0.0, OTHER: 1.0}
    assert measured.false_accept_rate == 0.5


def test_stricter_thresholds_name_less_of_everything():
    curve = trust_curve(answers(hard=1.0), Calibration(), np.linspace(0, 1.01, 12))
    for share in ("named", "false_accept_rate"):
        values = [getattr(each, share) for each in curve]
        assert values == sorted(values, reverse=True) and values[0] > values[-1] == 0.0
    assert np.isnan(curve[-1].precision)


def test_calibrations_are_chosen_without_the_fold_they_are_measured_on():
    sample, folds = answers(), []

    def choose(rest):
        folds.append(sorted(set(rest.folds.tolist())))
        return Calibration(1.0, 0.1 * len(folds))

    decisions = decide_across(sample, choose)
    assert folds == [[1, 2, 3, 4], [0, 2, 3, 4], [0, 1, 3, 4], [0, 1, 2, 4], [0, 1, 2, 3]]
    probabilities = Calibration().probabilities(sample.taught)
    own = probabilities[:, :OTHER].max(axis=1)
    leads = own >= probabilities[:, OTHER]
    assert ((decisions != NOTHING) == (leads & (own >= 0.1 * (1 + sample.folds)))).all()


def test_a_rate_chosen_across_folds_holds_on_the_fold_left_out():
    sample = answers(6000, hard=1.0)
    measured = trust(sample, decide_across(sample, lambda rest: calibrate(rest, 0.2)))
    assert measured.false_accept_rate == pytest.approx(0.2, abs=0.05)
    assert measured.named > 0.25
    assert measured.precision > 0.6


def test_weights_multiply_the_odds():
    logits = np.log([[0.2, 0.4, 0.3, 0.1]])
    assert Calibration().probabilities(logits)[0].tolist() == pytest.approx([0.2, 0.4, 0.3, 0.1])
    weighted = Calibration(weights=(8.0, 1.0, 1.0, 1.0)).probabilities(logits)[0]
    assert weighted.tolist() == pytest.approx(np.array([1.6, 0.4, 0.3, 0.1]) / 2.4)


def test_weights_make_a_label_likelier_but_not_its_temperature():
    sample = answers(6000)
    plain, weighted = (calibrate(sample, 0.2, given) for given in (None, Calibration(weights=(8.0, 1.0, 1.0, 1.0))))
    assert weighted.temperature == plain.temperature and weighted.weights == (8.0, 1.0, 1.0, 1.0)
    chosen = [(decide(sample, each) == 0).mean() for each in (plain, weighted)]
    assert chosen[1] > 1.2 * chosen[0]


def test_a_given_threshold_is_kept():
    chosen = calibrate(answers(), None, Calibration(threshold=0.35))
    assert chosen.threshold == 0.35 and chosen.temperature == calibrate(answers(), 0.1).temperature


def test_calibrations_come_back_from_json():
    calibration = Calibration(1.5, 0.4, (1.0, 2.0))
    assert Calibration.from_mapping(json.loads(json.dumps(asdict(calibration)))) == calibration
    assert Calibration.from_mapping({"temperature": 1.5, "threshold": 0.4}).weights == (), "before weights"
    with pytest.raises(ValueError, match="positive"):
        Calibration.from_mapping({"weights": [1.0, 0.0]})


def test_one_class_alone_without_other():
    sample = Answers(np.zeros((4, 1)), np.zeros(4, int), np.arange(4), np.zeros(4, bool), np.arange(4))
    assert trust(sample, decide(sample, calibrate(sample, 0.1))).named == 1.0


@given(st.integers(0, 50), st.floats(0, 1))
def test_a_name_needs_its_own_probability_and_a_lead_over_other(seed, threshold):
    sample = answers(80, seed)
    probabilities = Calibration().probabilities(sample.taught)
    own, none = probabilities[:, :OTHER].max(axis=1), probabilities[:, OTHER]
    choices = decide(sample, Calibration(1.0, threshold))
    assert ((choices != NOTHING) == ((own >= threshold) & (own >= none))).all()
    assert (choices[choices != NOTHING] == probabilities[choices != NOTHING, :OTHER].argmax(axis=1)).all()


def test_each_stretch_of_windows_is_a_timeline_of_its_own():
    walk, run = np.log([0.9, 0.05, 0.025, 0.025]), np.log([0.05, 0.9, 0.025, 0.025])
    logits = np.array([walk, walk, run, walk, walk, run, run])
    sequences, zeros = np.array([4, 4, 4, 4, 4, 7, 7]), np.zeros(7, int)
    sample = Answers(logits, zeros, zeros, zeros.astype(bool), sequences, OTHER, stride=0.25)
    found = decide(sample, Calibration())
    assert found[-2:].tolist() == [1, 1]
    alone = decode(softmax(logits[:5], axis=1), np.full(5, 0.25), OTHER, Timeline(0.5))
    np.testing.assert_array_equal(found[:5], alone)
    np.testing.assert_array_equal(decide(sample.only(sequences == 7), Calibration()), found[5:])


def test_the_figure_is_drawn(tmp_path):
    sample, thresholds = answers(), np.linspace(0, 1, 11)
    curve = trust_curve(sample, Calibration(), thresholds)
    bins = reliability(np.linspace(0, 1, 50), np.arange(50) > 20, 15)
    write_calibration_figure(tmp_path / "made" / "calibration.png", bins, thresholds, curve, 0.5)
    assert (tmp_path / "made" / "calibration.png").stat().st_size > 10_000
