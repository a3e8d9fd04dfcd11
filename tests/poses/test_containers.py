from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinelift.poses import COCO17, H36M17, Action, People, Person, Poses3D, Skeleton, Track2D, VideoFacts, skeleton
from kinelift.poses.containers import PER_JOINT
from kinelift.poses.errors import KineliftError, ShapeError
from tests.poses.scenes import poses, track

LAYOUTS = st.sampled_from(["coco17", "h36m17", "body25", "kinect20"])


@given(LAYOUTS, st.integers(0, 6), st.integers(0, 99))
def test_mirrored_twice_is_the_same_track(name: str, frames: int, seed: int) -> None:
    original = track(2, frames, skeleton(name), seed)
    again = original.mirrored().mirrored()
    np.testing.assert_allclose(again.points, original.points, rtol=0, atol=1e-9)
    assert np.array_equal(again.scores, original.scores) and np.array_equal(again.filled, original.filled)
    assert (again.start, again.size, again.skeleton) == (original.start, original.size, original.skeleton)


@given(LAYOUTS, st.integers(0, 6), st.integers(0, 99))
def test_mirrored_twice_are_the_same_poses(name: str, frames: int, seed: int) -> None:
    original = poses(track(frames=frames), skeleton(name), seed)
    again = original.mirrored().mirrored()
    assert np.array_equal(again.points, original.points, equal_nan=True)
    assert np.array_equal(again.root, original.root, equal_nan=True)
    for name in PER_JOINT:
        assert np.array_equal(getattr(again, name), getattr(original, name), equal_nan=True)


def test_a_mirror_swaps_sides_about_the_middle_of_the_picture() -> None:
    original = track()
    mirrored = original.mirrored()
    left, right = COCO17.index("left_wrist"), COCO17.index("right_wrist")
    np.testing.assert_allclose(mirrored.points[:, left, 0], 64 - original.points[:, right, 0])
    np.testing.assert_allclose(mirrored.points[:, left, 1], original.points[:, right, 1])
    assert np.array_equal(mirrored.scores[:, left], original.scores[:, right])
    assert np.array_equal(mirrored.filled[:, left], original.filled[:, right])


def test_mirrored_poses_keep_bone_lengths() -> None:
    original = poses(track())
    lengths = bone_lengths(original)
    swapped = [H36M17.bones.index((H36M17.mirror[a], H36M17.mirror[b])) for a, b in H36M17.bones]
    np.testing.assert_allclose(bone_lengths(original.mirrored())[:, swapped], lengths)
    assert original.mirrored().root is not None and replace(original, root=None).mirrored().root is None


def bone_lengths(of: Poses3D) -> np.ndarray:
    parents, children = np.array(of.skeleton.bones).T
    return np.linalg.norm(of.points[:, children] - of.points[:, parents], axis=-1)


def test_a_track_knows_where_it_ends() -> None:
    assert track(start=5, frames=3).stop == 8


def test_nobody_is_no_rows() -> None:
    nobody = People.nobody(4, 17)
    assert len(nobody) == 0 and nobody.frame == 4 and nobody.points.shape == (0, 17, 2)


def some_track(joints: int, layout: Skeleton) -> Track2D:
    shape = (3, joints)
    return Track2D(
        np.zeros((*shape, 2)), np.zeros(shape), np.zeros(3), np.zeros(shape, dtype=bool), 0, (64, 48), layout
    )


@pytest.mark.parametrize("make", [
    lambda: some_track(18, COCO17),
    lambda: some_track(15, H36M17),
    lambda: Poses3D(np.zeros((2, 15, 3)), np.zeros(2)),
])  # fmt: skip
def test_arrays_that_do_not_fit_the_skeleton_are_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(ShapeError, match="expected"):
        make()
    assert issubclass(ShapeError, KineliftError)


def test_actions_hold_from_start_to_before_end() -> None:
    walk, run = Action(0.0, 1.0, "walk", 0.9), Action(1.0, 2.0, "run", 0.8)
    somebody = Person(1, track(), actions=(walk, run))
    assert [somebody.action_at(t) for t in (-0.1, 0.0, 0.99, 1.0, 2.0)] == [None, walk, walk, run, None]
    assert Person(1, track()).action_at(0.5) is None


def test_frame_rate_is_the_mean_of_uneven_times() -> None:
    facts = VideoFacts("v", 64, 48, np.array([0.0, 0.01, 0.5]))
    assert facts.frame_rate == pytest.approx(4.0)


@pytest.mark.parametrize("times", [[], [3.0]])
def test_frame_rate_of_a_still_is_the_usual_one(times: list[float]) -> None:
    assert VideoFacts("v", 64, 48, np.array(times)).frame_rate == 25.0


def test_people_are_picked_and_put_together() -> None:
    random = np.random.default_rng(0)
    everybody = People(4, random.random((3, 17, 2)), random.random((3, 17)), random.random((3, 4)), random.random(3))
    assert len(everybody.select([])) == 0
    again = everybody.select([2]).concatenate(everybody.select([0, 1]))
    for name in ("points", "scores", "boxes", "confidence"):
        np.testing.assert_array_equal(getattr(again, name), getattr(everybody, name)[[2, 0, 1]])
    assert again.frame == 4
