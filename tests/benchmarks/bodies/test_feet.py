"""Heels and toes come out where they are: of marks, of keypoints that are off by the published offsets, of poses."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from benchmarks.bodies.calibrated import foot_errors
from benchmarks.bodies.calibrated_tracks import FEET, Seen, plain, triangulated
from benchmarks.bodies.feet import LENGTH, OFFSETS, Mark, axes, joints, marked, poses, true_feet
from benchmarks.bodies.lifted_figures import SHARED, Lifted, feet_after_similarity, feet_from_middle, figures
from benchmarks.bodies.rig import SIZE, View
from benchmarks.keypoints.foot_keypoints import part_errors
from kinelift.poses import COCO17, COCO23, H36M21
from kinelift.poses.camera import Camera, Extrinsics

FRAMES = 8


def views() -> list[View]:
    """Four cameras around the origin, 4 m away."""
    turns = Rotation.from_rotvec(np.outer(np.arange(4) * 80 + 10, [0, 1, 0]), degrees=True).as_matrix()
    return [View(Camera.from_focal(1500.0, SIZE), Extrinsics(turn, -4 * turn[2]), []) for turn in turns]


def body() -> np.ndarray:
    """Joints of somebody 1.7 m tall, (17, 3), y down."""
    return np.random.default_rng(2).normal(size=(17, 3)) * [0.2, 0.5, 0.2]


def keypoints(scale: float = 1.0) -> np.ndarray:
    """Keypoints of ``FEET`` in every frame, (T, 4, 3): feet that turn about the vertical."""
    out = np.zeros((FRAMES, 4, 3))
    for side, k in (("left", 0), ("right", 2)):
        ankle = body()[COCO17.index(f"{side}_ankle")]
        for t in range(FRAMES):
            forward = Rotation.from_euler("y", 20 * t, degrees=True).apply([0.0, 0.0, 1.0])
            out[t, k] = ankle + np.array([0, 0.06, 0]) - 0.05 * forward
            out[t, k + 1] = out[t, k] + scale * LENGTH * forward
    return out


def seen(feet: np.ndarray) -> Seen:
    truth = np.repeat(body()[None], FRAMES, axis=0)
    toes = np.full((FRAMES, 6, 3), np.nan)
    toes[:, [COCO23.index(name) - 17 for name in FEET]] = feet
    tracks = [plain(view.image(np.concatenate([truth, toes], axis=1)), COCO23) for view in views()]
    return Seen(views(), {}, truth, {"full": tracks}, feet)


def test_axes_point_left_up_and_forward() -> None:
    x, y, z = axes(np.zeros(3), np.array([0, 0, 0.2]), np.array([0, 0.1, 0.05]))
    np.testing.assert_allclose([x, y, z], np.eye(3), atol=1e-12)


@pytest.mark.parametrize("scale", [1.0, 0.7])
def test_the_published_offsets_are_taken_off(scale: float) -> None:
    feet = keypoints(scale)
    true = true_feet(seen(feet))
    for k, name in enumerate(FEET):
        offset = np.linalg.norm(OFFSETS[name.split("_", 1)[1]])
        np.testing.assert_allclose(np.linalg.norm(true[:, k] - feet[:, k], axis=-1), scale * offset, rtol=1e-6)
    longer = np.linalg.norm(true[:, 1] - true[:, 0], axis=-1) - np.linalg.norm(feet[:, 1] - feet[:, 0], axis=-1)
    assert (longer > 0.03 * scale).all()


def test_a_foot_that_was_not_seen_is_nan() -> None:
    feet = keypoints()
    feet[3, 0] = np.nan
    true = true_feet(seen(feet))
    assert np.isnan(true[3, :2]).all() and np.isfinite(true[3, 2:]).all() and np.isfinite(true[4]).all()
    named = joints(seen(feet), COCO23.joints)
    assert np.isnan(named[:, COCO23.index("left_small_toe")]).all() and np.isfinite(named[:, :17]).all()


def test_poses_have_feet_and_the_joints_of_coco() -> None:
    found = seen(keypoints())
    whole = poses(found)
    np.testing.assert_array_equal(whole[:, H36M21.index("left_toe")], true_feet(found)[:, FEET.index("left_big_toe")])
    np.testing.assert_array_equal(whole[:, H36M21.index("right_knee")], found.truth[:, COCO17.index("right_knee")])
    assert np.isnan(whole[:, H36M21.index("spine")]).all()


def test_marks_are_triangulated() -> None:
    heel, toe = np.array([0.1, 0.8, -0.2]), np.array([0.15, 0.85, 0.05])
    pixels = [[tuple(view.image(point)) for view in views()] for point in (heel, toe)]
    pixels[0][2] = None
    found = marked(views(), Mark("left", (0, 0), *pixels))
    np.testing.assert_allclose(found, [heel, toe], atol=1e-6)


def test_one_view_is_not_enough() -> None:
    images = [view.image(keypoints()) for view in views()]
    for image in images[1:]:
        image[2, 0] = np.nan
    found = triangulated(views(), [images])
    assert np.isnan(found[2, 0]).all()
    np.testing.assert_allclose(np.delete(found, 2, axis=0), np.delete(keypoints(), 2, axis=0), atol=1e-6)


def test_errors_in_the_picture_are_the_offsets() -> None:
    found = seen(keypoints())
    figures_2d = foot_errors(found, found.with_feet["full"])
    assert figures_2d["ankle_mm"] == 0.0 and figures_2d["heel_px"] > 0
    offset = {part: 1000 * np.linalg.norm(OFFSETS[part]) for part in OFFSETS}
    assert 0.3 * offset["heel"] < figures_2d["heel_mm"] <= 1.05 * offset["heel"]
    assert part_errors(found.views[0], found.with_feet["full"][0], found, "ankle")["noise_mm"] == 0.0
    bare = [
        replace(one, points=np.where(np.arange(23)[:, None] < 17, one.points, np.nan))
        for one in found.with_feet["full"]
    ]
    assert foot_errors(found, bare) == {}


def test_errors_of_lifted_feet() -> None:
    random = np.random.default_rng(0)
    truth, feet = random.normal(size=(5, len(SHARED), 3)), random.normal(size=(5, 4, 3))
    turn = Rotation.from_euler("xyz", [10, 20, 30], degrees=True).as_matrix()
    one = Lifted(1.2 * truth @ turn + 3.0, truth, 1.2 * feet @ turn + 3.0, feet)
    np.testing.assert_allclose(feet_after_similarity(one), 0, atol=1e-9)
    moved = Lifted(truth + 3.0, truth, feet + np.array([3.0, 3.0, 3.05]), feet)
    np.testing.assert_allclose(feet_from_middle(moved), 0.05)
    assert figures([moved] * 4)["pose_heel_mm"] == 50.0 and "pose_heel_mm" not in figures([Lifted(truth, truth)] * 4)
