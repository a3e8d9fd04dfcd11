from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kinelift.recognition.segments import Timeline, segments, smoothed

LABELS = ("walk", "run")
SHARP = Timeline(threshold=0.5, smoothing=1e-3, shortest=0.0)


def decide(rows, timeline=SHARP, span=None):
    rows = np.array(rows, dtype=float)
    centres = 0.5 + np.arange(len(rows))
    return segments(rows, centres, span or (0.0, float(len(rows))), LABELS, timeline)


@given(
    hnp.arrays(float, st.tuples(st.integers(0, 20), st.just(3)), elements=st.floats(0, 0.5)),
    st.floats(0, 1),
    st.floats(0, 3),
)
def test_segments_cover_the_span_without_overlap(rows, threshold, shortest):
    span = (-0.2, len(rows) + 0.3)
    labels = (*LABELS, "other")
    actions = segments(rows, 0.5 + np.arange(len(rows)), span, labels, Timeline(threshold, 0.4, shortest))
    assert (actions[0].start, actions[-1].end) == span
    assert all(a.end == b.start and a.label != b.label for a, b in pairwise(actions))
    assert all(0 <= action.probability <= 1 and action.start < action.end for action in actions)
    assert len(actions) == 1 or min(action.end - action.start for action in actions) >= shortest
    assert {action.label for action in actions} <= {*LABELS, "unknown"}


def test_changes_lie_between_windows():
    walk, run = decide([(0.9, 0.1), (0.7, 0.3), (0.2, 0.8)])
    assert (walk.label, walk.start, walk.end) == ("walk", 0.0, 2.0)
    assert walk.probability == pytest.approx(0.8)
    assert (run.label, run.start, run.end) == ("run", 2.0, 3.0)


def test_below_threshold_is_unknown():
    (action,) = decide([(0.45, 0.3), (0.35, 0.2)])
    assert action.label == "unknown"
    assert action.probability == pytest.approx(0.6)


def test_threshold_itself_is_enough():
    assert decide([(0.5, 0.5)])[0].label == "walk"


def test_short_segments_join_their_longer_neighbour():
    rows = np.array([(0.9, 0.1, 0.0)] * 4 + [(0.1, 0.9, 0.0)] + [(0.0, 0.2, 0.8)] * 2)
    for shortest, expected in (
        (0.0, [("walk", 4.0), ("run", 5.0), ("unknown", 7.0)]),
        (1.5, [("walk", 5.0), ("unknown", 7.0)]),
    ):
        timeline = Timeline(0.5, 1e-3, shortest)
        actions = segments(rows, 0.5 + np.arange(7), (0.0, 7.0), (*LABELS, "other"), timeline)
        assert [(a.label, a.end) for a in actions] == expected


def test_smoothing_removes_a_flicker():
    rows = [(0.9, 0.1)] * 4 + [(0.4, 0.6)] + [(0.9, 0.1)] * 4
    assert len(decide(rows)) == 3
    assert [a.label for a in decide(rows, Timeline(0.5, smoothing=1.0, shortest=0.0))] == ["walk"]


def test_smoothing_keeps_sums_up_to_the_ends():
    rows = np.random.default_rng(0).dirichlet(np.ones(3), 9)
    out = smoothed(rows, 1.0)
    np.testing.assert_allclose(out.sum(axis=1), 1.0)
    assert (out.std(axis=0) < rows.std(axis=0)).all()


def test_other_is_unknown_and_takes_from_claims():
    walk, other = (0.5, 0.2, 0.3), (0.2, 0.2, 0.6)
    rows, centres = np.array([walk] * 4 + [other] * 4), 0.5 + np.arange(8)
    labels = (*LABELS, "other")
    actions = segments(rows, centres, (0, 8), labels, Timeline(0.4, 1e-3, 0.0))
    assert [(a.label, a.start, a.end) for a in actions] == [("walk", 0, 4), ("unknown", 4, 8)]
    assert actions[1].probability == pytest.approx(0.8)
    claimed = 0.5 / (0.5 + 2 * 0.3)
    assert segments(rows, centres, (0, 8), labels, Timeline(claimed + 1e-6, 1e-3, 0.0))[0].label == "unknown"
    assert segments(rows, centres, (0, 8), labels, Timeline(claimed - 1e-6, 1e-3, 0.0))[0].label == "walk"


def test_a_segment_is_named_by_all_of_it():
    rows = [(0.9, 0.1)] * 3 + [(0.45, 0.4)] + [(0.9, 0.1)] * 3
    assert [a.label for a in decide(rows)] == ["walk"]


def test_without_windows_all_is_unknown_for_sure():
    (action,) = decide(np.zeros((0, 2)), span=(0.0, 0.04))
    assert (action.label, action.probability) == ("unknown", 1.0)
