"""Left and right over whole tracks: swapped sides are repaired, right ones stay, and limbs may pass each other."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinelift.detectors.tracking import Tracker
from kinelift.detectors.tracking.side_flips import GROUPS, VOTED, mirrored_joints, repair_side_flips
from kinelift.poses import COCO17, COCO23, H36M17, People, Skeleton, Track2D
from kinelift.poses.skeleton import BODY25, KINECT15_PAIR, KINECT20, OPENPOSE18
from tests.detectors.tracking.scenes import Walker

FACE, ARMS, LEGS = (mirrored_joints(COCO17, names) for names in GROUPS)
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


def test_feet_are_swapped_with_their_legs() -> None:
    whole, swapped = walker(), slice(APART[1], APART[9])
    ankles = whole.points[:, [COCO17.index(f"{side}_ankle") for side in ("left", "right")]]
    feet = np.repeat(ankles, 3, axis=1) + np.array([[20, 8], [18, 9], [-8, 8]] * 2)
    shod = track(np.concatenate([whole.points, feet], axis=1), COCO23)
    mended = repair_side_flips(exchanged(shod, swapped, mirrored_joints(COCO23, GROUPS[2])))
    assert_same(mended, shod)


def test_a_person_who_walks_by_is_not_changed() -> None:
    for seed in range(5):
        assert_same(repair_side_flips(walker(seed=seed)), walker(seed=seed))


@pytest.mark.parametrize("joints", [BODY, ARMS, LEGS], ids=["body", "arms", "legs"])
@settings(max_examples=15)
@given(start=st.sampled_from(APART), stop=st.sampled_from(APART))
def test_swapped_sides_are_repaired(joints: list[int], start: int, stop: int) -> None:
    """The swap starts and ends while arms and legs are apart; where they overlap, the sides are ambiguous."""
    whole, stop = walker(), max(frame for frame in APART if frame <= max(start, min(stop, start + 30)))
    mended = repair_side_flips(exchanged(whole, slice(start, stop), joints))
    limbs = [j for j in joints if j not in FACE]
    np.testing.assert_array_equal(mended.points[:, limbs], whole.points[:, limbs])


def test_a_track_that_starts_with_swapped_sides_is_repaired() -> None:
    whole = walker()
    assert_same(repair_side_flips(exchanged(whole, slice(0, 24), LEGS)), whole)


@pytest.mark.parametrize(("start", "stop"), [(5, 8), (22, 26), (41, 43), (57, 61)])
def test_a_swap_is_repaired_whose_first_and_last_frame_have_both_legs_in_one_place(start: int, stop: int) -> None:
    """Networks do that while they change their mind, so the frame before tells nothing about the sides."""
    whole = walker()
    swapped = exchanged(whole, slice(start, stop), LEGS)
    points = swapped.points.copy()
    for frame in (start, stop):
        points[frame, LEGS] = (points[frame, LEGS] + points[frame, [COCO17.mirror[j] for j in LEGS]]) / 2
    mended = repair_side_flips(replace(swapped, points=points), VOTED)
    clear = np.delete(np.arange(90), [start, stop])
    np.testing.assert_array_equal(mended.points[clear], whole.points[clear])


def test_a_detector_that_two_networks_have_corrected_is_believed_for_longer() -> None:
    whole = walker()
    for seed in range(5):
        assert_same(repair_side_flips(walker(seed=seed), VOTED), walker(seed=seed))
    long = exchanged(whole, slice(0, 24), LEGS)
    assert_same(repair_side_flips(long), whole)
    np.testing.assert_array_equal(repair_side_flips(long, VOTED).points[:24], long.points[:24])


def test_the_repair_does_not_depend_on_which_side_is_called_left() -> None:
    flipped = exchanged(walker(), slice(30, 45), BODY)
    other = exchanged(flipped, slice(None), list(range(17)))
    mended = repair_side_flips(flipped)
    np.testing.assert_array_equal(repair_side_flips(other).points, mended.points[:, list(COCO17.mirror)])


def test_movement_does_not_continue_over_a_long_gap() -> None:
    whole = walker()
    points = whole.points.copy()
    points[30:50] = np.nan
    hole = track(points)
    assert_same(repair_side_flips(hole), hole)
    turned = exchanged(hole, slice(50, None), LEGS)
    half = repair_side_flips(turned)
    assert_same(half, turned)


def test_filled_joints_are_left_out() -> None:
    filled = np.zeros((90, 17), dtype=bool)
    filled[10:15, LEGS[0]] = True
    out = repair_side_flips(replace(walker(), filled=filled))
    assert np.isnan(out.points[filled]).all() and (out.scores[filled] == 0).all()
    assert not out.filled.any()
    assert np.isfinite(out.points[~filled]).all()


@pytest.mark.parametrize("skeleton", [OPENPOSE18, BODY25, H36M17, KINECT20, KINECT15_PAIR], ids=str)
def test_any_skeleton(skeleton: Skeleton) -> None:
    body = np.random.default_rng(0).uniform(0, 300, (len(skeleton), 2))
    body[:, 0] = [{"left": 50.0, "right": -50.0, "middle": 0.0}[skeleton.side(j)] for j in range(len(skeleton))]
    body[:, 1] = (body[:, 1] + body[list(skeleton.mirror), 1]) / 2
    still = track(np.tile(body, (20, 1, 1)), skeleton)
    legs = mirrored_joints(skeleton, GROUPS[2])
    assert_same(repair_side_flips(exchanged(still, slice(5, 9), legs)), still)


@pytest.mark.parametrize("length", [0, 1, 2])
def test_tracks_of_a_few_frames(length: int) -> None:
    short = track(walker().points[:length])
    assert_same(repair_side_flips(short), short)


def test_a_track_without_joints() -> None:
    nobody = track(np.full((10, 17, 2), np.nan))
    assert_same(repair_side_flips(nobody), nobody)


def test_the_tracker_repairs_before_it_fills() -> None:
    """So that no gap is filled from a left wrist to a right one."""
    turned = exchanged(walker(), slice(26, 40), LEGS)
    tracker = Tracker(COCO17, turned.size, repair=repair_side_flips)
    for k, (points, time) in enumerate(zip(turned.points, TIMES, strict=True)):
        box = np.concatenate([points.min(axis=0), points.max(axis=0)])[None]
        gone = k in (24, 25, 26, 27)
        found = People(k, points[None], np.full((1, 17), 0.1 if gone else 0.8), box, np.array([0.8]))
        tracker.update(found, float(time))
    (only,) = tracker.tracks()
    assert only.track.filled.sum() == 4 * 17
    off = np.linalg.norm(only.track.points - walker().points, axis=-1)[:, LEGS]
    assert off.max() < 20
