"""Keypoints are hidden as told, and expected errors are fitted and judged right where the right value is known."""

from dataclasses import replace

import numpy as np

from benchmarks.bodies.calibrated_tracks import plain
from benchmarks.bodies.expected_errors import GROUPS, Samples, bins, fitted, looked_up
from benchmarks.bodies.hidden_keypoints import COVERED, CUT_OFF, FLICKERING, hidden, without
from kinelift.lifting.confidence import COLUMNS, FORGOTTEN
from kinelift.poses import COCO17


def samples(table: np.ndarray, count: int = 60_000) -> Samples:
    """Joints whose mean errors are those of ``table``."""
    chance = np.random.default_rng(0)
    group, column = chance.integers(0, len(GROUPS), count), chance.integers(0, len(COLUMNS), count)
    exact = Samples(
        group, column, chance.uniform(0, 3 * FORGOTTEN, count), np.zeros(count), np.zeros(count),
        np.zeros(count, bool), np.full(count, "full", dtype=object),
    )  # fmt: skip
    expected = looked_up(table, exact)
    return replace(exact, expected=expected, error=expected * chance.uniform(0, 2, count))


TABLE = np.outer([0.02, 0.06, 0.14, 0.1], [1, 1.1, 1.4, 1.5, 1.6, 2, 3])


def test_a_table_is_found_again() -> None:
    np.testing.assert_allclose(fitted(samples(TABLE)), TABLE, rtol=0.06)


def test_less_evidence_never_means_less_error() -> None:
    odd = TABLE.copy()
    odd[:, 4:] = odd[:, :1]
    assert (np.diff(fitted(samples(odd)), axis=1) >= 0).all()


def test_right_expectations_have_ratio_one_and_doubled_errors_two() -> None:
    right = samples(TABLE)
    assert all(abs(row["ratio"] - 1) < 0.05 for row in bins(right))
    assert all(abs(row["ratio"] - 2) < 0.1 for row in bins(replace(right, error=2 * right.error)))
    assert sum(row["joints"] for row in bins(right)) == len(right.error)


def test_keypoints_are_hidden_as_told() -> None:
    whole = plain(np.random.default_rng(0).uniform(0, 900, (100, 17, 2)))
    tracks = list(hidden(whole))
    assert len(tracks) == len(CUT_OFF) + len(COVERED) + len(FLICKERING)
    for track, joints in zip(tracks, (*CUT_OFF, *COVERED, *FLICKERING), strict=True):
        changed = np.isnan(track.points).all(axis=-1) | track.filled
        names = [name for j, name in enumerate(COCO17.joints) if changed[:, j].any()]
        assert names == [name for name in COCO17.joints if any(name.endswith(joint) for joint in joints)]
        assert np.array_equal(track.points[~changed], whole.points[~changed])
    assert all(track.filled.any() and np.isfinite(track.points).all() for track in tracks[-len(FLICKERING) :])


def test_hidden_keypoints_have_no_score() -> None:
    whole = plain(np.ones((10, 17, 2)))
    gone = without(whole, ("left_knee",), np.arange(10) < 4)
    assert (gone.scores == 0).sum() == np.isnan(gone.points[..., 0]).sum() == 4
