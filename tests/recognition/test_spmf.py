import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from poses import H36M17
from recognition.body import body_size, to_body
from recognition.layout import all_pairs
from recognition.spmf import Encoding, encode, smooth
from tests.recognition.motions import standing, walking, waving

angles = st.floats(-180, 180)
offsets = st.tuples(*[st.floats(-5, 5)] * 3)
sizes = st.floats(0.3, 3)
motions = st.sampled_from([walking(), waving()]).map(lambda points: points[None, :46])


def levels_apart(a, b):
    return np.abs(a.astype(int) - b.astype(int)).max()


@settings(deadline=None, max_examples=40)
@given(motions, angles, offsets, sizes)
def test_picture_ignores_place_heading_and_size(points, yaw, offset, size):
    turned = size * Rotation.from_euler("y", yaw, degrees=True).apply(points.reshape(-1, 3)).reshape(points.shape)
    plain = replace(Encoding(), equalise="none")
    assert levels_apart(encode(points, plain), encode(turned + np.array(offset), plain)) <= 3


@settings(deadline=None, max_examples=40)
@given(motions, st.floats(-60, 60), angles)
def test_camera_axes_and_world_axes_agree(points, pitch, yaw):
    to_camera = Rotation.from_euler("yxz", [yaw, pitch, 180], degrees=True)
    seen = to_camera.apply(points.reshape(-1, 3)).reshape(points.shape)
    np.testing.assert_allclose(to_body(points), to_body(seen), atol=1e-9)


@settings(deadline=None, max_examples=20)
@given(motions)
def test_mirrored_motion_is_the_mirrored_body(points):
    mirrored = points[:, :, list(H36M17.mirror)] * [-1.0, 1.0, 1.0]
    swapped = to_body(points)[:, :, list(H36M17.mirror)] * [-1.0, 1.0, 1.0]
    np.testing.assert_allclose(to_body(mirrored), swapped, atol=1e-9)


def test_body_axes_are_left_up_and_ahead():
    body = to_body(standing(3)[None])[0, 1]
    assert body[H36M17.index("left_shoulder")][0] > 0.1
    assert body[H36M17.index("thorax")][1] > 0.3
    assert body[H36M17.index("neck")][2] > 0
    assert body_size(standing(3)[None]) == pytest.approx([0.5 + 0.87])


def test_different_motions_have_different_pictures():
    assert levels_apart(encode(walking()[None], Encoding()), encode(waving()[None], Encoding())) > 100


def test_a_body_at_rest_does_not_change_over_time():
    picture = encode(standing(46)[None], replace(Encoding(), equalise="none"))[0]
    for column in (0, 1):
        assert levels_apart(picture[:, column::2], picture[:, column : column + 1]) <= 1


@pytest.mark.parametrize("frames", [1, 2, 4, 5, 200])
@pytest.mark.parametrize("equalise", ["none", "channels", "lightness"])
def test_any_length_makes_one_picture(frames, equalise):
    assert encode(standing(frames)[None], Encoding(equalise=equalise)).shape == (1, 32, 32, 3)


def test_all_pairs_are_resized_to_the_same_picture():
    pairs = all_pairs(H36M17)
    encoding = Encoding(distances=pairs, orientations=pairs)
    assert len(pairs) == 136
    assert encode(walking()[None], encoding).shape == (1, 32, 32, 3)


def test_no_motion_makes_no_picture():
    assert encode(np.zeros((0, 46, 17, 3)), Encoding()).shape == (0, 32, 32, 3)


def test_windows_do_not_see_each_other():
    both = np.stack([walking(46), waving(46)])
    assert (encode(both, Encoding())[1] == encode(both[1:], Encoding())[0]).all()


def test_smoothing_keeps_parabolas_and_damps_jitter():
    time = np.arange(20.0)[None, :, None, None]
    np.testing.assert_allclose(smooth(time**2), time**2, atol=1e-9)
    jitter = np.random.default_rng(0).normal(size=(1, 200, 1, 1))
    assert smooth(jitter).std() < 0.8 * jitter.std()


def test_encoding_survives_json():
    encoding = Encoding(steps=8, distances=(("hip", "head"),))
    assert Encoding.from_mapping(json.loads(json.dumps(encoding.to_mapping()))) == encoding
