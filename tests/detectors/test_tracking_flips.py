"""Left and right over whole tracks: what is exchanged comes back, what is right stays, limbs may pass each other."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinelift.detectors.tracking import Tracker
from kinelift.detectors.tracking.flips import GROUPS, twins, unflipped
from kinelift.poses import COCO17, H36M17, People, Skeleton, Track2D
from kinelift.poses.skeleton import BODY25, KINECT15_PAIR, KINECT20, OPENPOSE18
from tests.detectors.tracking_scenes import Walker

FACE, ARMS, LEGS = (twins(COCO17, names) for names in GROUPS)
BODY = [*FACE, *ARMS, *LEGS]
TIMES = np.arange(90) / 30
APART = (5, 6, 7, 8, 22, 23, 24, 25, 26, 41, 42, 43, 57, 58, 59, 60, 61)
"""Frames of ``walker`` in which left and right wrists, and ankles, are farthest from each other."""


def walker(noise: float = 0.005, seed: int = 0) -> Track2D:
    """Somebody who walks by, seen from the side: legs pass each other twice in every step."""
    points = np.stack([Walker(200, 250).pose(float(t)) for t in TIMES])
    points = points + 300 * noise * np.random.default_rng(seed).standard_normal(points.shape)
    return track(points)


def track(points: np.ndarray, skeleton: Skeleton = COCO17) -> Track2D:
    seen = np.isfinite(points).all(axis=-1)
    return Track2D(points, 0.8 * seen, TIMES[: len(points)], np.zeros_like(seen), 0, (1280, 720), skeleton)


def exchanged(one: Track2D, frames: slice | np.ndarray, joints: list[int]) -> Track2D:
    points, scores = one.points.copy(), one.scores.copy()
    there = [one.skeleton.mirror[j] for j in joints]
    rows = np.arange(len(one))[frames, None]
    points[rows, joints], scores[rows, joints] = one.points[rows, there], one.scores[rows, there]
    return replace(one, points=points, scores=scores)


def assert_same(one: Track2D, other: Track2D) -> None:
    np.testing.assert_array_equal(one.points, other.points)
    np.testing.assert_array_equal(one.scores, other.scores)


def test_somebody_who_walks_by_stays_as_he_is() -> None:
    for seed in range(5):
        assert_same(unflipped(walker(seed=seed)), walker(seed=seed))


@pytest.mark.parametrize("joints", [BODY, ARMS, LEGS], ids=["body", "arms", "legs"])
@settings(max_examples=15)
@given(start=st.sampled_from(APART), stop=st.sampled_from(APART))
def test_what_was_exchanged_comes_back(joints: list[int], start: int, stop: int) -> None:
    """Wherever it began and ended while legs and arms were apart; who could tell where they lie on each other?"""
    whole = walker()
    mended = unflipped(exchanged(whole, slice(start, min(stop, start + 30)), joints))
    limbs = [j for j in joints if j not in FACE]
    np.testing.assert_array_equal(mended.points[:, limbs], whole.points[:, limbs])


def test_a_track_that_begins_the_wrong_way_round() -> None:
    whole = walker()
    assert_same(unflipped(exchanged(whole, slice(0, 24), LEGS)), whole)


def test_mending_does_not_depend_on_which_side_is_called_left() -> None:
    flipped = exchanged(walker(), slice(30, 45), BODY)
    other = exchanged(flipped, slice(None), list(range(17)))
    mended = unflipped(flipped)
    np.testing.assert_array_equal(unflipped(other).points, mended.points[:, list(COCO17.mirror)])


def test_nothing_goes_on_over_a_long_gap() -> None:
    whole = walker()
    points = whole.points.copy()
    points[30:50] = np.nan
    hole = track(points)
    assert_same(unflipped(hole), hole)
    turned = exchanged(hole, slice(50, None), LEGS)
    half = unflipped(turned)
    assert_same(half, turned)


def test_filled_joints_are_left_out() -> None:
    filled = np.zeros((90, 17), dtype=bool)
    filled[10:15, LEGS[0]] = True
    out = unflipped(replace(walker(), filled=filled))
    assert np.isnan(out.points[filled]).all() and (out.scores[filled] == 0).all()
    assert not out.filled.any()
    assert np.isfinite(out.points[~filled]).all()


@pytest.mark.parametrize("skeleton", [OPENPOSE18, BODY25, H36M17, KINECT20, KINECT15_PAIR], ids=str)
def test_any_skeleton(skeleton: Skeleton) -> None:
    body = np.random.default_rng(0).uniform(0, 300, (len(skeleton), 2))
    body[:, 0] = [{"left": 50.0, "right": -50.0, "middle": 0.0}[skeleton.side(j)] for j in range(len(skeleton))]
    body[:, 1] = (body[:, 1] + body[list(skeleton.mirror), 1]) / 2
    still = track(np.tile(body, (20, 1, 1)), skeleton)
    legs = twins(skeleton, GROUPS[2])
    assert_same(unflipped(exchanged(still, slice(5, 9), legs)), still)


@pytest.mark.parametrize("length", [0, 1, 2])
def test_tracks_of_a_few_frames(length: int) -> None:
    short = track(walker().points[:length])
    assert_same(unflipped(short), short)


def test_a_track_without_joints() -> None:
    nobody = track(np.full((10, 17, 2), np.nan))
    assert_same(unflipped(nobody), nobody)


def test_the_tracker_mends_before_it_fills() -> None:
    """So that no gap is filled from a left wrist to a right one."""
    turned = exchanged(walker(), slice(26, 40), LEGS)
    tracker = Tracker(COCO17, turned.size, mend=unflipped)
    for k, (points, time) in enumerate(zip(turned.points, TIMES, strict=True)):
        box = np.concatenate([points.min(axis=0), points.max(axis=0)])[None]
        gone = k in (24, 25, 26, 27)
        found = People(k, points[None], np.full((1, 17), 0.1 if gone else 0.8), box, np.array([0.8]))
        tracker.update(found, float(time))
    (only,) = tracker.tracks()
    assert only.track.filled.sum() == 4 * 17
    off = np.linalg.norm(only.track.points - walker().points, axis=-1)[:, LEGS]
    assert off.max() < 20
