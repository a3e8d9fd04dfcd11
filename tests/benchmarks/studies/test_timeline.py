"""Scores of timelines."""

import numpy as np
import pytest

from benchmarks.studies.timeline import Case, ends, measure, overlaps

TRUTH = np.repeat([0, 1, -1], 60)
CASE = Case(np.zeros((1, 3)), np.zeros(1), TRUTH, 30.0)


def test_ends_of_detected_segments_are_compared() -> None:
    late = np.repeat([0, 1, -1], [70, 45, 65])
    assert list(ends(TRUTH, late)) == [10, 10, 5] and overlaps(TRUTH, late) == (3, 0)


def test_what_is_not_detected_has_no_ends() -> None:
    other = np.repeat([0, 2, -1], 60)
    assert list(ends(TRUTH, other)) == [0] and overlaps(TRUTH, other) == (2, 2)


def test_the_median_is_in_seconds() -> None:
    result = measure([CASE], lambda case: np.repeat([0, 1, -1], [66, 54, 60]))
    assert result.boundary == pytest.approx(6 / 30)
    assert (result.named, result.right, result.false) == (1.0, pytest.approx(114 / 120), 0.0)
