"""Rotations give poses back, and say how the body has turned from its T-pose."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from kinelift.poses import COCO17, H36M17, H36M21, Skeleton
from kinelift.poses.errors import DataError
from kinelift.poses.kinematics import Motion, solve
from tests.poses.kinematics.bodies import direction, from_directions, posed, t_pose, turn

TIMES = np.arange(40) / 30


def steps(motion: Motion, name: str) -> np.ndarray:
    """Degrees by which a node turns from frame to frame."""
    turns = Rotation.from_quat(motion.rotations[:, motion.rig.index(name)])
    return np.degrees((turns[:-1].inv() * turns[1:]).magnitude())


def local(motion: Motion, name: str) -> Rotation:
    return Rotation.from_quat(motion.rotations[:, motion.rig.index(name)])


@pytest.mark.parametrize("skeleton", [H36M17, H36M21], ids=str)
def test_the_t_pose_has_no_rotation(skeleton: Skeleton) -> None:
    motion = solve(t_pose(5, skeleton), TIMES[:5], skeleton)
    assert np.abs(motion.rotations[..., :3]).max() < 1e-9
    np.testing.assert_allclose(motion.joints(skeleton), t_pose(5, skeleton), atol=1e-12)


def test_soles_are_level_at_rest_and_on_the_floor() -> None:
    rig = solve(t_pose(), TIMES[:1], H36M21).rig
    heights = [rig.places[rig.index(f"{side}_{end}"), 1] for side in ("left", "right") for end in ("toe", "heel_end")]
    np.testing.assert_allclose(heights, 0, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([H36M17, H36M21]))
def test_any_pose_of_constant_lengths_is_given_back(seed: int, skeleton: Skeleton) -> None:
    chance, frames = np.random.default_rng(seed), 6
    free = [name for name in skeleton.joints if not name.endswith("hip")]
    bones = {name: chance.normal(size=(frames, 3)) for name in free}
    bones = {name: bone / np.linalg.norm(bone, axis=-1, keepdims=True) for name, bone in bones.items()}
    across = chance.normal(size=(frames, 3))
    across /= np.linalg.norm(across, axis=-1, keepdims=True)
    points = from_directions({**bones, "left_hip": across, "right_hip": -across}, frames, skeleton)
    motion = solve(points + chance.normal(size=3), TIMES[:frames], skeleton)
    again = motion.joints(skeleton)
    np.testing.assert_allclose(again - again[:, :1], points, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(motion.rotations, axis=-1), 1, atol=1e-12)
    assert ((motion.rotations[1:] * motion.rotations[:-1]).sum(-1) >= 0).all()


def test_turning_the_person_turns_the_hips_alone() -> None:
    _, points = posed({"left_shank": turn("x", 70), "right_forearm": turn("y", 50), "left_thigh": turn("x", -30)}, 8)
    whole = Rotation.from_euler("yxz", [200, 20, -15], degrees=True)
    before = solve(points, TIMES[:8], H36M21)
    after = solve(whole.apply(points.reshape(-1, 3)).reshape(points.shape), TIMES[:8], H36M21)
    np.testing.assert_allclose(
        (local(after, "hips") * local(before, "hips").inv() * whole.inv()).magnitude(), 0, atol=1e-9
    )
    np.testing.assert_allclose(np.abs((after.rotations * before.rotations)[:, 1:].sum(-1)), 1, atol=1e-9)


@pytest.mark.parametrize(("node", "expected"), [
    ("left_shank", turn("x", 80)), ("right_shank", turn("x", 80)),
    ("left_forearm", turn("y", -80)), ("right_forearm", turn("y", 80)),
    ("upper_back", turn("y", 30)), ("head", turn("x", 25)), ("left_foot", turn("x", -20)),
])  # fmt: skip
def test_one_bent_joint_is_found_where_it_is(node: str, expected: Rotation) -> None:
    _, points = posed({node: expected, **({"left_heel": expected} if node == "left_foot" else {})}, 10)
    motion = solve(points, TIMES[:10], H36M21)
    # the lower back shares a turn of the shoulders; a bent hinge may not turn the bone above it
    apart = (local(motion, node)[5] * expected.inv()).magnitude() if node != "upper_back" else 0.0
    assert np.degrees(apart) < 1
    for name in ("left_thigh", "right_thigh", "left_upper_arm", "right_upper_arm"):
        assert np.degrees(local(motion, name)[5].magnitude()) < 1


@pytest.mark.parametrize("degrees", [-50, 40])
def test_a_bent_knee_shows_how_the_thigh_is_turned(degrees: float) -> None:
    _, points = posed({"left_thigh": turn("y", degrees), "left_shank": turn("x", 80)}, 30)
    found = local(solve(points, TIMES[:30], H36M21), "left_thigh")[15].as_euler("YXZ", degrees=True)
    assert found[0] == pytest.approx(degrees, abs=6)


def test_a_straight_leg_s_foot_shows_how_the_thigh_is_turned() -> None:
    _, points = posed({"right_thigh": turn("y", -40)}, 30)
    found = local(solve(points, TIMES[:30], H36M21), "right_thigh")[15].as_euler("YXZ", degrees=True)
    assert -41 < found[0] < -25


def test_noise_about_a_straight_elbow_does_not_flip_the_arm() -> None:
    chance = np.random.default_rng(3)
    wobble = np.radians(8) * chance.normal(size=(40, 3))
    bones = {"left_wrist": Rotation.from_rotvec(wobble).apply(direction("left_wrist"))}
    motion = solve(from_directions(bones, 40), TIMES, H36M21)
    assert steps(motion, "left_upper_arm").max() < 30
    assert np.degrees(local(motion, "left_upper_arm").magnitude()).max() < 60


def test_an_arm_that_swings_past_straight_does_not_flip() -> None:
    flexion = np.linspace(60, -6, 40)  # a little beyond straight, as noisy elbows are
    bones = {"left_wrist": np.stack([turn("y", -one).apply([1.0, 0.0, 0.0]) for one in flexion])}
    motion = solve(from_directions(bones, 40), TIMES, H36M21)
    assert steps(motion, "left_upper_arm").max() < 3
    assert steps(motion, "left_forearm").max() < 6


def test_lengths_that_vary_become_their_median() -> None:
    points = t_pose(9)
    wrist, elbow = H36M21.index("left_wrist"), H36M21.index("left_elbow")
    points[:, wrist] += (points[:, wrist] - points[:, elbow]) * np.linspace(-0.1, 0.1, 9)[:, None]
    apart = np.linalg.norm(solve(points, TIMES[:9], H36M21).joints(H36M21) - points, axis=-1)
    assert apart.max() == pytest.approx(0.026) and apart[4].max() < 1e-9
    assert np.delete(apart, wrist, axis=1).max() < 1e-9


def test_frames_without_a_pose_hold_the_last_one() -> None:
    _, points = posed({"left_shank": turn("x", 80)}, 8)
    points[4:] = t_pose()
    points[[0, 3, 6]] = np.nan
    again = solve(points, TIMES[:8], H36M21).joints(H36M21)
    np.testing.assert_allclose(again[[0, 3, 6]], points[[1, 2, 5]], atol=1e-9)


def test_a_joint_that_is_never_seen_is_left_out_and_one_that_is_hidden_is_held() -> None:
    points = t_pose(6)
    points[:, H36M21.index("right_wrist")] = np.nan
    points[3:, H36M21.index("left_ankle")] = np.nan
    motion = solve(points, TIMES[:6], H36M21)
    assert "right_hand" not in motion.rig.names and "right_forearm" in motion.rig.names
    again = motion.joints(H36M21)
    assert np.isnan(again[:, H36M21.index("right_wrist")]).all()
    np.testing.assert_allclose(again[5, H36M21.index("left_ankle")], t_pose()[0, H36M21.index("left_ankle")], atol=1e-9)


def test_without_legs_there_is_an_upper_body() -> None:
    points = t_pose(4)
    legs = ("hip", "knee", "ankle", "heel", "toe")
    for joint in H36M21.joints:
        if joint != "hip" and joint.endswith(legs):
            points[:, H36M21.index(joint)] = np.nan
    motion = solve(points, TIMES[:4], H36M21)
    assert not [name for name in motion.rig.names if "thigh" in name or "foot" in name]
    known = [k for k, joint in enumerate(H36M21.joints) if joint == "hip" or not joint.endswith(legs)]
    np.testing.assert_allclose(motion.joints(H36M21)[:, known], points[:, known], atol=1e-9)


def test_other_layouts_and_empty_tracks_are_refused() -> None:
    with pytest.raises(DataError, match="h36m17 or h36m21"):
        solve(np.zeros((2, 17, 3)), TIMES[:2], COCO17)
    with pytest.raises(DataError, match="no 3D pose"):
        solve(np.full((2, 21, 3), np.nan), TIMES[:2], H36M21)


def test_between_frames_rotations_are_interpolated_and_lengths_kept() -> None:
    motion = solve(posed({"left_shank": turn("x", 10)}, 2)[1], TIMES[:2], H36M21)
    first, second = posed({"left_shank": turn("x", 10)})[1], posed({"left_shank": turn("x", 50)})[1]
    motion = solve(np.concatenate([first, second]), TIMES[:2], H36M21)
    half = motion.at(np.array([-1.0, (TIMES[0] + TIMES[1]) / 2, 9.0]))
    knees = local(half, "left_shank").as_euler("XYZ", degrees=True)[:, 0]
    np.testing.assert_allclose(knees, [10, 30, 50], atol=0.5)
    joints = half.joints(H36M21)
    shank = np.linalg.norm(joints[:, H36M21.index("left_ankle")] - joints[:, H36M21.index("left_knee")], axis=-1)
    np.testing.assert_allclose(shank, 0.41, atol=1e-12)
