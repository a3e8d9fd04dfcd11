from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kinelift.recognition.decoding import Timeline
from kinelift.recognition.segments import segments

LABELS = ("walk", "run")
SHARP = Timeline(threshold=0.5, change=0.0, shortest=0.0)


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
    actions = segments(rows, 0.5 + np.arange(len(rows)), span, labels, Timeline(threshold, 0.25, shortest))
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
    assert (action.label, action.probability) == ("unknown", 0.0)  # this classifier does not know "other"
    assert [label for label, _ in action.top] == ["walk", "run"]
    assert [value for _, value in action.top] == pytest.approx([0.4, 0.25])


def test_threshold_itself_is_enough():
    assert decide([(0.5, 0.5)])[0].label == "walk"


def test_short_segments_join_a_neighbour():
    rows = np.array([(0.9, 0.1, 0.0)] * 4 + [(0.1, 0.9, 0.0)] + [(0.0, 0.2, 0.8)] * 2)
    for shortest, expected in (
        (0.0, [("walk", 4.0), ("run", 5.0), ("unknown", 7.0)]),
        (1.5, [("walk", 4.0), ("unknown", 7.0)]),  # 0.5 is more than the 0.1 of walk
    ):
        timeline = Timeline(0.5, 0.0, shortest)
        actions = segments(rows, 0.5 + np.arange(7), (0.0, 7.0), (*LABELS, "other"), timeline)
        assert [(a.label, a.end) for a in actions] == expected


def test_a_change_must_pay():
    rows = [(0.9, 0.1)] * 4 + [(0.4, 0.6)] + [(0.9, 0.1)] * 4
    assert len(decide(rows)) == 3
    assert [a.label for a in decide(rows, Timeline(0.5, change=1.0, shortest=0.0))] == ["walk"]


def test_a_name_needs_the_threshold_and_a_lead_over_other():
    labels, centres = (*LABELS, "other"), 0.5 + np.arange(4)

    def found(row, threshold):
        (action,) = segments(np.array([row] * 4), centres, (0, 4), labels, Timeline(threshold, 0.0, 0.0))
        return action.label, pytest.approx(action.probability)

    assert found((0.5, 0.2, 0.3), 0.5 - 1e-6) == ("walk", 0.5)
    assert found((0.5, 0.2, 0.3), 0.5 + 1e-6) == ("unknown", 0.3)
    assert found((0.4, 0.1, 0.5), 0.0) == ("unknown", 0.5)


@given(hnp.arrays(float, st.tuples(st.integers(1, 20), st.just(3)), elements=st.floats(0.01, 1)), st.floats(0, 1))
def test_a_label_is_printed_with_its_own_probability(weights, threshold):
    rows = weights / weights.sum(axis=1, keepdims=True)
    labels, names = (*LABELS, "other"), (*LABELS, "unknown")
    for action in segments(rows, 0.5 + np.arange(len(rows)), (0.0, len(rows)), labels, Timeline(threshold, 0.25, 0.0)):
        top = dict(action.top)
        assert action.probability == top[action.label] and set(top) == set(names)
        assert list(top.values()) == sorted(top.values(), reverse=True)
        assert sum(top.values()) == pytest.approx(1.0)
        assert action.label == "unknown" or top[action.label] >= threshold - 1e-9


def test_a_segment_is_named_by_all_of_it():
    rows = [(0.9, 0.1)] * 3 + [(0.45, 0.4)] + [(0.9, 0.1)] * 3
    assert [a.label for a in decide(rows, Timeline(0.5))] == ["walk"]


def test_without_windows_all_is_unknown_for_sure():
    (action,) = decide(np.zeros((0, 2)), span=(0.0, 0.04))
    assert (action.label, action.probability) == ("unknown", 1.0)
