"""Anatomical angles of poses whose angles are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from kinelift.poses import H36M17, H36M21
from kinelift.poses.kinematics import solve
from kinelift.poses.kinematics.angles import Turns, joint_angles
from kinelift.poses.kinematics.euler import euler_angles
from tests.poses.kinematics.bodies import posed, t_pose, turn

HANGING = {"left_upper_arm": turn("z", -90), "right_upper_arm": turn("z", 90)}


def angles(**turns: Rotation) -> dict[str, float]:
    """The angles of a body whose nodes are turned, without the inverse problem."""
    motion, points = posed(turns)
    return {name: float(values[0]) for name, values in joint_angles(points, H36M21, motion).items()}


def test_standing_with_arms_down_is_zero() -> None:
    found = angles(**HANGING)
    for name, value in found.items():
        if not np.isnan(value):
            assert value == pytest.approx(0, abs=1e-6), name
    undefined = {name for name, value in found.items() if np.isnan(value)}
    parts = ("hip_rotation", "shoulder_plane", "shoulder_rotation")
    assert undefined == {f"{side}_{part}" for side in ("left", "right") for part in parts}


@pytest.mark.parametrize("side", ["left", "right"])
def test_legs(side: str) -> None:
    out, knee = 1 if side == "left" else -1, {f"{side}_shank": turn("x", 60)}
    found = angles(**{f"{side}_thigh": turn("x", -40), **knee})
    assert found[f"{side}_hip_flexion"] == pytest.approx(40) and found[f"{side}_knee_flexion"] == pytest.approx(60)
    assert found[f"{side}_hip_adduction"] == pytest.approx(0, abs=1e-6)
    found = angles(**{f"{side}_thigh": turn("z", 25 * out), **knee})  # the leg moves outwards
    assert found[f"{side}_hip_adduction"] == pytest.approx(-25)
    found = angles(**{f"{side}_thigh": turn("y", -30 * out), **knee})  # the kneecap turns inwards
    assert found[f"{side}_hip_rotation"] == pytest.approx(30)
    assert angles(**{f"{side}_foot": turn("x", -20), f"{side}_heel": turn("x", -20)})[
        f"{side}_ankle_dorsiflexion"
    ] == pytest.approx(20)


@pytest.mark.parametrize("side", ["left", "right"])
def test_arms(side: str) -> None:
    out = 1 if side == "left" else -1
    bent = {f"{side}_forearm": turn("y", -70 * out)}
    found = angles(**bent)  # the T-pose: sideways
    assert found[f"{side}_shoulder_elevation"] == pytest.approx(90)
    assert found[f"{side}_shoulder_plane"] == pytest.approx(0, abs=1e-6)
    assert found[f"{side}_shoulder_rotation"] == pytest.approx(0, abs=1e-6)
    assert found[f"{side}_elbow_flexion"] == pytest.approx(70)
    forward = angles(**{f"{side}_upper_arm": turn("y", -90 * out), **bent})
    assert forward[f"{side}_shoulder_plane"] == pytest.approx(90)
    assert forward[f"{side}_shoulder_elevation"] == pytest.approx(90)
    up = angles(**{f"{side}_upper_arm": turn("z", 60 * out), **bent})
    assert up[f"{side}_shoulder_elevation"] == pytest.approx(150)
    inwards = angles(**{f"{side}_upper_arm": turn("x", 35), **bent})  # the forearm moves down
    assert inwards[f"{side}_shoulder_rotation"] == pytest.approx(35)


def test_trunk() -> None:
    assert angles(upper_back=turn("x", 20))["trunk_flexion"] == pytest.approx(20)
    assert angles(upper_back=turn("z", 15))["trunk_bending"] == pytest.approx(15)
    assert angles(upper_back=turn("y", 30))["trunk_rotation"] == pytest.approx(30)


def test_arms_for_opensim_are_zero_when_they_hang() -> None:
    motion, _ = posed(HANGING)
    np.testing.assert_allclose(Turns(motion).arm("left"), 0, atol=1e-9)
    motion, _ = posed(
        {
            "left_upper_arm": turn("z", -90) * turn("x", 0),
            "right_upper_arm": turn("x", -50) * HANGING["right_upper_arm"],
        }
    )
    np.testing.assert_allclose(Turns(motion).arm("right"), [[50, 0, 0]], atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_hinges_are_the_angle_of_three_joints_and_sides_mirror(seed: int) -> None:
    chance = np.random.default_rng(seed)
    points = t_pose(5) + chance.normal(0, 0.08, (5, 21, 3))
    times = np.arange(5) / 30
    found = joint_angles(points, H36M21, solve(points, times, H36M21))
    for joint, ends in {"knee": ("hip", "ankle"), "elbow": ("shoulder", "wrist")}.items():
        for side in ("left", "right"):
            a, b, c = (points[:, H36M21.index(f"{side}_{name}")] for name in (ends[0], joint, ends[1]))
            cosine = ((a - b) * (c - b)).sum(-1) / np.linalg.norm(a - b, axis=-1) / np.linalg.norm(c - b, axis=-1)
            np.testing.assert_allclose(found[f"{side}_{joint}_flexion"], 180 - np.degrees(np.arccos(cosine)), atol=1e-4)
    mirrored = points[:, list(H36M21.mirror)] * [-1.0, 1.0, 1.0]
    other = joint_angles(mirrored, H36M21, solve(mirrored, times, H36M21))
    for name, values in found.items():
        if name.startswith("left_"):
            np.testing.assert_allclose(other[name.replace("left", "right")], values, atol=1e-6)
    np.testing.assert_allclose(other["trunk_rotation"], -found["trunk_rotation"], atol=1e-6)


def test_what_was_never_seen_has_no_angle() -> None:
    points = t_pose(3, H36M17)
    points[:, H36M17.index("left_wrist")] = np.nan
    points[:, H36M17.index("right_knee")] = points[:, H36M17.index("right_ankle")] = np.nan
    found = joint_angles(points, H36M17, solve(points, np.arange(3) / 30, H36M17))
    unknown = {name for name, values in found.items() if np.isnan(values).all()}
    assert {"left_elbow_flexion", "left_shoulder_rotation", "right_knee_flexion", "right_hip_flexion"} <= unknown
    assert {"left_ankle_dorsiflexion", "right_ankle_dorsiflexion"} <= unknown
    assert not {"left_knee_flexion", "left_hip_flexion", "left_shoulder_elevation", "trunk_flexion"} & unknown


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 3.0))
def test_three_angles_say_the_rotation_and_do_not_jump(seed: int, size: float) -> None:
    chance = np.random.default_rng(seed)
    walk = Rotation.random(1, rng=chance)
    turns = [walk[0]]
    for step in chance.normal(0, 0.02 * size, (60, 3)):
        turns.append(turns[-1] * Rotation.from_rotvec(step))
    quaternions = np.stack([one.as_quat() for one in turns])[:, None]
    found = euler_angles(quaternions)
    again = Rotation.from_euler("ZXY", found[:, 0], degrees=True)
    assert (again.inv() * Rotation.from_quat(quaternions[:, 0])).magnitude().max() < 1e-6
    far_from_lock = np.abs(np.cos(np.radians(found[:, 0, 1]))).min() > 0.3
    if far_from_lock:
        assert np.abs(np.diff(found[:, 0], axis=0)).max() < 60


def test_angles_go_on_past_half_a_turn() -> None:
    spins = Rotation.from_euler("y", np.arange(0, 720, 20)[:, None], degrees=True).as_quat()[:, None]
    np.testing.assert_allclose(euler_angles(spins)[:, 0, 2], np.arange(0, 720, 20), atol=1e-6)
