from itertools import groupby, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kinelift.recognition.decoding import NOTHING, Timeline, decode

WALK, RUN, OTHER = 0, 1, 2


def rows(*labels, sure=0.8):
    """Windows that show these labels with probability ``sure``; the rest is shared equally."""
    out = np.full((len(labels), 3), (1 - sure) / 2)
    out[np.arange(len(labels)), labels] = sure
    return out


def path(probabilities, timeline, seconds=0.25):
    return decode(probabilities, np.full(len(probabilities), seconds), OTHER, timeline).tolist()


def value(states, scores, seconds, timeline):
    """Score of a path as defined, or −∞ if a segment is too short."""
    lengths = [sum(seconds[k] for k, _ in run) for _, run in groupby(enumerate(states), key=lambda pair: pair[1])]
    if len(lengths) > 1 and min(lengths) < timeline.shortest - 1e-9:
        return -np.inf
    total = sum(scores[k, s] * seconds[k] for k, s in enumerate(states))
    return total - timeline.change * (len(lengths) - 1)


@given(
    st.integers(0, 2**32 - 1), st.integers(1, 6), st.floats(0, 1), st.floats(0, 0.6), st.sampled_from([0.0, 0.5, 1.1])
)
def test_no_sequence_is_better(seed, windows, threshold, change, shortest):
    random = np.random.default_rng(seed)
    probabilities, seconds = random.dirichlet(np.ones(3), windows), random.uniform(0.2, 0.6, windows)
    timeline = Timeline(threshold, change, shortest)
    states = np.column_stack([probabilities[:, :OTHER], np.maximum(probabilities[:, OTHER], threshold)])
    scores = np.log(np.maximum(states, 1e-9))
    found = decode(probabilities, seconds, OTHER, timeline)
    best = max(value(states, scores, seconds, timeline) for states in product(range(3), repeat=windows))
    assert value(np.where(found == NOTHING, 2, found), scores, seconds, timeline) == pytest.approx(best)


def test_a_flicker_does_not_pay_for_two_changes():
    shown = rows(*[WALK] * 8, *[RUN] * 2, *[WALK] * 8, sure=0.6)
    assert path(shown, Timeline(0.3, change=0.0, shortest=0.0)) == [WALK] * 8 + [RUN] * 2 + [WALK] * 8
    assert path(shown, Timeline(0.3, change=0.5, shortest=0.0)) == [WALK] * 18
    # 0.5 s that are 3 times as probable are worth 0.5 ln 3 = 0.55 > 2 × 0.25
    assert path(shown, Timeline(0.3, change=0.25, shortest=0.0)) == [WALK] * 8 + [RUN] * 2 + [WALK] * 8


@given(
    hnp.arrays(float, st.tuples(st.integers(1, 30), st.just(3)), elements=st.floats(0.01, 1)),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0, 2),
)
def test_segments_are_long_enough_and_names_are_earned(weights, threshold, change, shortest):
    probabilities = weights / weights.sum(axis=1, keepdims=True)
    found = path(probabilities, Timeline(threshold, change, shortest))
    runs = [[k for k, _ in run] for _, run in groupby(enumerate(found), key=lambda pair: pair[1])]
    assert len(runs) == 1 or min(len(run) for run in runs) * 0.25 >= shortest - 1e-9
    for run in runs:
        means = np.exp(np.log(probabilities[run]).mean(axis=0))
        if found[run[0]] != NOTHING:
            assert means[found[run[0]]] >= max(threshold, means[OTHER]) - 1e-9


def test_a_motion_shorter_than_the_shortest_segment_is_one_segment():
    assert path(rows(RUN), Timeline(0.5, shortest=3.0)) == [RUN]
    assert path(rows(RUN, RUN, WALK), Timeline(0.3, shortest=3.0)) == [RUN] * 3


def test_without_other_only_the_threshold_counts():
    probabilities = np.array([[0.5, 0.5]] * 4)
    assert decode(probabilities, np.full(4, 0.25), None, Timeline(0.5)).tolist() == [WALK] * 4
    assert decode(probabilities, np.full(4, 0.25), None, Timeline(0.51)).tolist() == [NOTHING] * 4


def test_costs_are_by_the_second():
    """Twice as many windows of half the length give the same timeline."""
    random = np.random.default_rng(3)
    coarse, timeline = random.dirichlet(np.ones(3), 40), Timeline(0.4)
    fine = np.repeat(coarse, 2, axis=0)
    assert np.repeat(path(coarse, timeline, 0.5), 2).tolist() == path(fine, timeline, 0.25)
