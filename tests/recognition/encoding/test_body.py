import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from kinelift.poses import COCO17, H36M17
from kinelift.poses.errors import DataError
from kinelift.poses.skeleton import KINECT15, KINECT15_PAIR, KINECT20, skeleton, tree
from kinelift.recognition.encoding.body_frame import body_size, to_body
from tests.recognition.bodies import mirrored, moving
from tests.recognition.motions import REST, standing, walking

SKELETONS = (H36M17, KINECT20, KINECT15, KINECT15_PAIR)
skeletons = st.sampled_from(SKELETONS)
seeds = st.integers(0, 3)
angles = st.floats(-180, 180)
offsets = st.tuples(*[st.floats(-5, 5)] * 3).map(np.array)


def turned(points, *angles, axes="yxz"):
    turn = Rotation.from_euler(axes, list(angles), degrees=True)
    return turn.apply(points.reshape(-1, 3)).reshape(points.shape)


@settings(max_examples=40)
@given(skeletons, seeds, angles, angles, angles, offsets, st.floats(0.3, 3), st.sampled_from(["body", "first"]))
def test_body_axes_ignore_how_the_recording_lies(skeleton, seed, yaw, pitch, roll, offset, size, axes):
    points = moving(skeleton, seed)
    seen = size * turned(points, yaw, pitch, roll) + offset
    np.testing.assert_allclose(to_body(seen, skeleton, axes), to_body(points, skeleton, axes), atol=1e-7)


@settings(max_examples=20)
@given(skeletons, seeds, angles, st.sampled_from(["frame", "window"]))
def test_upright_axes_ignore_the_heading_alone(skeleton, seed, yaw, origin):
    points = moving(skeleton, seed)
    seen = turned(points, yaw, axes="y")
    plain, again, tilted = (
        to_body(p, skeleton, "upright", "+y", origin) for p in (points, seen, turned(seen, 30, axes="x"))
    )
    np.testing.assert_allclose(again, plain, atol=1e-9)
    assert np.abs(tilted - plain).max() > 0.05


@pytest.mark.parametrize(("up", "turn"), [("-y", (0, 0, 180)), ("+z", (0, 90, 0)), ("-z", (0, -90, 0))])
def test_the_vertical_of_a_recording_is_named(up, turn):
    points = moving(H36M17)
    np.testing.assert_allclose(
        to_body(turned(points, *turn), axes="upright", up=up), to_body(points, axes="upright"), atol=1e-9
    )


def test_axes_of_the_first_frames_show_how_the_body_turns_after_them():
    points = standing(31)[None]
    turning = np.concatenate([turned(points[:, k : k + 1], max(k - 10, 0) * 4.5, 0, 0) for k in range(31)], axis=1)
    shoulder = H36M17.index("left_shoulder")
    facing = {axes: to_body(turning, axes=axes)[0, :, shoulder] for axes in ("first", "body")}
    assert facing["first"][0, 2] == pytest.approx(0, abs=0.03) and facing["first"][-1, 2] < -0.1
    assert facing["body"][0, 2] > 0.03


def test_recorded_axes_are_kept():
    points = moving(KINECT20)
    own = to_body(points, KINECT20, "recorded")
    arm = [KINECT20.index(f"left_{name}") for name in ("shoulder", "elbow")]
    kept, given = (p[:, :, arm[1]] - p[:, :, arm[0]] for p in (own, points))
    np.testing.assert_allclose(kept * body_size(points, KINECT20), given)


@settings(max_examples=20)
@given(skeletons, seeds, st.sampled_from(["body", "first", "upright"]))
def test_mirrored_motion_is_the_mirrored_body(skeleton, seed, axes):
    points = moving(skeleton, seed)
    flip = [1.0, 1.0, -1.0] if skeleton == KINECT15_PAIR else [-1.0, 1.0, 1.0]
    expected = to_body(points, skeleton, axes)[:, :, list(skeleton.mirror)] * flip
    np.testing.assert_allclose(to_body(mirrored(points, skeleton), skeleton, axes), expected, atol=1e-9)


@settings(max_examples=10)
@given(seeds)
def test_two_people_exchanged_are_seen_from_the_other_side(seed):
    points = moving(KINECT15_PAIR, seed)
    exchanged = to_body(np.roll(points, 15, axis=2), KINECT15_PAIR)
    np.testing.assert_allclose(np.roll(exchanged, 15, axis=2), to_body(points, KINECT15_PAIR) * [-1, 1, -1], atol=1e-9)


def test_body_axes_are_left_up_and_ahead():
    body = to_body(standing(3)[None])[0, 1]
    assert body[H36M17.index("left_shoulder")][0] > 0.1
    assert body[H36M17.index("thorax")][1] > 0.3
    assert body[H36M17.index("neck")][2] > 0
    assert body_size(standing(3)[None]) == pytest.approx([0.5 + 0.87])


def test_two_people_stand_on_both_sides_of_the_origin():
    body = to_body(moving(KINECT15_PAIR), KINECT15_PAIR)[0]
    first, second = (body[:, KINECT15_PAIR.index(f"spine_{person}")] for person in (1, 2))
    assert (first[:, 0] < -0.3).all() and (second[:, 0] > 0.3).all()
    assert (body[:, KINECT15_PAIR.index("head_2"), 1] > 0.2).all()


def test_the_same_person_has_one_size_in_any_skeleton_with_these_joints():
    points = np.array([REST.get(name, (0, 0, 0)) for name in KINECT20.joints])
    assert body_size(points[None, None], KINECT20) == pytest.approx(body_size(standing(1)[None]))


def test_origin_in_the_window_keeps_travel():
    points = walking(61)[None]
    hip = H36M17.index("hip")
    assert np.ptp(to_body(points, origin="frame")[0, :, hip, 2]) == pytest.approx(0)
    assert np.ptp(to_body(points, origin="window")[0, :, hip, 2]) == pytest.approx(2.4 / body_size(points)[0])


def test_hips_and_chest_are_found_without_joints_of_their_own():
    named = {"left_eye": "head", "right_eye": "head", "left_ear": "head", "right_ear": "head", "nose": "head"}
    points = np.array([REST[named.get(name, name)] for name in COCO17.joints])[None, None]
    body = to_body(points, COCO17)[0, 0]
    hips = [body[COCO17.index(f"{side}_hip")] for side in ("left", "right")]
    np.testing.assert_allclose(np.mean(hips, axis=0), 0, atol=1e-12)
    assert body[COCO17.index("left_shoulder")][0] > 0.1 and body[COCO17.index("nose")][1] > 0.3


def test_a_body_without_legs_is_refused():
    bust = tree("bust", hip=None, head="hip")
    with pytest.raises(DataError, match="left_hip"):
        to_body(np.zeros((1, 4, 2, 3)), bust)
    assert skeleton("kinect15-pair") == KINECT15_PAIR
