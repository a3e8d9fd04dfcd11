"""The share of time in which two rates give the same answer."""

import numpy as np

from benchmarks.actions.rates import agreement, thinned
from kinelift.poses import COCO17, Action, Track2D


def test_agreement_is_counted_by_overlap() -> None:
    first = ((Action(0, 2, "walk", 0.9), Action(2, 3, "stand", 0.9)),)
    second = ((Action(0, 1.5, "walk", 0.9), Action(1.5, 3, "stand", 0.9)),)
    pairs = list(agreement(first, second))
    assert sum(seconds for seconds, _ in pairs) == 3 and sum(same for _, same in pairs) == 2.5


def test_a_thinned_track_keeps_its_place_in_the_thinned_video() -> None:
    points = np.arange(10 * 17 * 2, dtype=np.float32).reshape(10, 17, 2)
    seen = np.ones((10, 17), np.float32)
    track = Track2D(points, seen, np.arange(10) / 30, seen > 2, 6, (100, 100), COCO17)
    half = thinned(track, 2)
    assert (half.start, len(half)) == (3, 5)
    np.testing.assert_array_equal(half.points, points[::2])
