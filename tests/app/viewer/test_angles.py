import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from kinelift.app.viewer.angles import KINDS, joint_angles
from kinelift.poses import COCO17, H36M17, H36M21, JointState, Skeleton
from kinelift.poses.kinematics.frames import angle_between


def standing(skeleton: Skeleton = H36M21, frames: int = 3) -> np.ndarray:
    """Somebody upright: arms hang down, feet point ahead. Metres, y up."""
    places = {
        "hip": (0.0, 1.0), "knee": (0.0, 0.5), "ankle": (0.0, 0.1), "toe": (0.0, 0.1), "heel": (0.0, 0.1),
        "shoulder": (0.0, 1.5), "elbow": (0.0, 1.2), "wrist": (0.0, 0.9),
    }  # fmt: skip
    points = np.zeros((frames, len(skeleton), 3))
    for joint, name in enumerate(skeleton.joints):
        side, _, part = name.rpartition("_")
        points[:, joint, :2] = places.get(part, (0.0, 1.2))
        points[:, joint, 0] += {"left": 0.15, "right": -0.15}.get(side, 0.0)
        points[:, joint, 2] = 0.2 if part == "toe" else 0.0
    return points


def angles(points: np.ndarray, states: np.ndarray | None = None, skeleton: Skeleton = H36M21) -> dict:
    seen = np.full(points.shape[:2], int(JointState.SEEN), np.int8) if states is None else states
    return {(angle.kind.name, angle.side): angle for angle in joint_angles(points, seen, skeleton)}


def test_somebody_upright() -> None:
    found = {name: angle.degrees for name, angle in angles(standing()).items()}
    expected = {"knee": 0, "hip": 0, "elbow": 0, "shoulder": 0, "ankle": 90}
    assert set(found) == {(name, side) for name in expected for side in ("left", "right")}
    for (name, _), degrees in found.items():
        np.testing.assert_allclose(degrees, expected[name], atol=1e-9)


@pytest.mark.parametrize("bend", [0.0, 1e-4, 30.0, 90.0, 179.9])
def test_a_knee_bends_by_what_its_shin_turns(bend: float) -> None:
    points = standing()
    knee, ankle = (H36M21.index(f"left_{joint}") for joint in ("knee", "ankle"))
    shin = Rotation.from_euler("x", bend, degrees=True).apply(points[:, ankle] - points[:, knee])
    points[:, ankle] = points[:, knee] + shin
    found = angles(points)
    np.testing.assert_allclose(found["knee", "left"].degrees, bend, atol=1e-7)
    np.testing.assert_allclose(found["knee", "right"].degrees, 0, atol=1e-7)


def test_angles_do_not_depend_on_the_frame_of_reference() -> None:
    points = standing() + np.random.default_rng(0).normal(0, 0.1, (3, len(H36M21), 3))
    turned = Rotation.from_euler("xyz", (20, -70, 130), degrees=True).apply(points.reshape(-1, 3)).reshape(points.shape)
    for name, angle in angles(turned + np.array([4.0, 1.0, -9.0])).items():
        np.testing.assert_allclose(angle.degrees, angles(points)[name].degrees, atol=1e-9)


def test_an_unknown_joint_makes_its_angles_unknown_and_an_unseen_one_makes_them_guesses() -> None:
    points, states = standing(), np.full((3, len(H36M21)), int(JointState.SEEN), np.int8)
    points[1, H36M21.index("left_ankle")] = np.nan
    states[2, H36M21.index("left_knee")] = JointState.UNSEEN
    states[0, H36M21.index("left_hip")] = JointState.INTERPOLATED
    found = angles(points, states)
    assert np.isnan(found["knee", "left"].degrees).tolist() == [False, True, False]
    assert found["knee", "left"].states.tolist() == [JointState.INTERPOLATED, JointState.SEEN, JointState.UNSEEN]
    assert np.isnan(found["ankle", "left"].degrees).tolist() == [False, True, False]
    assert found["knee", "right"].states.tolist() == [JointState.SEEN] * 3
    assert not np.isnan(found["hip", "left"].degrees).any()


def test_a_skeleton_without_feet_has_no_ankle_angles() -> None:
    kinds = {kind.name for kind in KINDS}
    assert {name for name, _ in angles(standing(H36M17), skeleton=H36M17)} == kinds - {"ankle"}
    assert {name for name, _ in angles(standing(COCO17), skeleton=COCO17)} == kinds - {"ankle"}


def test_a_bone_without_length_has_no_angle() -> None:
    across = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [np.nan, 0.0, 0.0]])
    assert np.isnan(angle_between(np.zeros((3, 3)), across)).all()
    np.testing.assert_array_equal(angle_between(across, across), [0.0, 0.0, np.nan])
