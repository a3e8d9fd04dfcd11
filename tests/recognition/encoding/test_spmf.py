import json
import zlib
from dataclasses import asdict, replace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from kinelift.poses import H36M17, skeleton
from kinelift.poses.errors import DataError, ShapeError
from kinelift.poses.skeleton import KINECT15, KINECT15_PAIR
from kinelift.recognition.encoding import body_frame, colours, pair_order, spmf
from kinelift.recognition.encoding.features import joint_vectors, smooth
from kinelift.recognition.encoding.pair_order import LIMBS, REACHES, all_pairs, arrangement
from kinelift.recognition.encoding.spmf import Encoding, encode
from tests.recognition.bodies import mirrored, moving
from tests.recognition.motions import standing, walking, waving

NAMES = ("h36m17", "kinect20", "kinect15", "kinect15-pair")
names = st.sampled_from(NAMES)
seeds = st.integers(0, 3)
angles = st.floats(-180, 180)
offsets = st.tuples(*[st.floats(-5, 5)] * 3)
sizes = st.floats(0.3, 3)


def one_of(kind):
    return st.sampled_from(get_args(kind))


any_changes = st.fixed_dictionaries(
    {
        "rows": st.integers(3, 70),
        "steps": st.integers(1, 20),
        "tiles": st.integers(1, 4),
        "equalise": one_of(colours.Equalisation),
        "order": one_of(pair_order.Order),
        "columns": one_of(spmf.Columns),
        "distance_range": one_of(spmf.DistanceRange),
        "arrows": one_of(colours.Arrows),
        "lag": st.integers(1, 9),
        "moves": st.sampled_from([(), ("left_knee",)]),
        "smoothing": one_of(spmf.Smoothing),
        "sampling": one_of(spmf.Sampling),
        "interpolation": one_of(spmf.Interpolation),
        "axes": one_of(body_frame.Axes),
        "up": one_of(body_frame.Up),
        "origin": one_of(body_frame.Origin),
    }
)


def levels_apart(a, b):
    return np.abs(a.astype(int) - b.astype(int)).max()


def plain(name, **changes):
    """An encoding without resizing or equalisation: one row per feature, so that rows can be compared."""
    encoding = Encoding.of(name)
    return replace(encoding, **changes, rows=replace(encoding, **changes).features, equalise="none")


def turned(points, *angles):
    turn = Rotation.from_euler("yxz", list(angles), degrees=True)
    return turn.apply(points.reshape(-1, 3)).reshape(points.shape)


@settings(max_examples=30)
@given(names, seeds, angles, angles, offsets, sizes, st.sampled_from(["frame", "window"]))
def test_images_ignore_position_heading_and_size(name, seed, yaw, pitch, offset, size, origin):
    points = moving(skeleton(name), seed)
    moved = size * turned(points, yaw, pitch, 0) + np.array(offset)
    encoding = plain(name, origin=origin)
    assert levels_apart(encode(points, encoding), encode(moved, encoding)) <= 4


@settings(max_examples=20)
@given(names, seeds, one_of(pair_order.Order))
def test_mirrored_motion_gives_the_mirrored_image(name, seed, order):
    known, encoding = skeleton(name), plain(name, order=order, columns="interleaved")
    points = moving(known, seed)

    def twin(shown):
        return known.joints[known.mirror[known.index(shown)]] if isinstance(shown, str) else tuple(map(twin, shown))

    shown = {part: twin(getattr(encoding, part)) for part in ("distances", "orientations", "moves")}
    other = replace(encoding, order="given", **shown)
    expected = encode(points, other)[:, encoding.arrangement]
    directions = np.array(encoding.arrangement) >= len(encoding.distances)
    flipped = 2 if name.endswith("-pair") else 0
    expected[:, directions, :, flipped] = 255 - expected[:, directions, :, flipped]
    assert levels_apart(encode(mirrored(points, known), encoding), expected) <= 4


@settings(max_examples=60)
@given(names, st.integers(1, 12), any_changes)
def test_every_setting_gives_one_image_and_leaves_the_motion_unchanged(name, frames, changes):
    changes["moves"] = tuple(joint for joint in changes["moves"] if joint in skeleton(name).joints)
    encoding = replace(Encoding.of(name), **changes)
    points = moving(skeleton(name), frames=frames).repeat(2, axis=0)
    before = points.copy()
    images = encode(points, encoding)
    assert images.shape == (2, *encoding.size, 3) and images.dtype == np.uint8
    assert (points == before).all()
    assert (encode(points, encoding) == images).all()


@settings(max_examples=20)
@given(names, one_of(spmf.DistanceRange), one_of(spmf.Sampling))
def test_a_body_at_rest_does_not_change_over_time(name, distance_range, sampling):
    points = moving(skeleton(name), frames=1).repeat(46, axis=1)
    image = encode(points, plain(name, distance_range=distance_range, sampling=sampling))
    assert levels_apart(image, image[:, :, :1]) <= 4


@pytest.mark.parametrize("name", NAMES)
def test_the_frame_rate_hardly_changes_the_image(name):
    slow = moving(skeleton(name), seed=1, frames=31)
    places = np.linspace(0, 30, 61)
    fast = np.apply_along_axis(lambda values: np.interp(places, np.arange(31), values), 1, slow)
    difference = np.abs(encode(slow, plain(name)).astype(int) - encode(fast, plain(name)).astype(int))
    assert difference.mean() < 1.5


def test_different_motions_have_different_images():
    assert levels_apart(encode(walking()[None], Encoding()), encode(waving()[None], Encoding())) > 100


@pytest.mark.parametrize(
    "change",
    [
        {"order": "parts"}, {"distance_range": "sequence"}, {"smoothing": "none"},
        {"sampling": "frames"}, {"axes": "first"}, {"axes": "upright"}, {"axes": "recorded"}, {"columns": "stacked"},
        {"origin": "window"}, {"reach": 2.0},
        {"equalise": "none"}, {"equalise": "lightness"}, {"equalise": "value"}, {"tiles": 4}, {"clip": 4.0},
        {"arrows": "scaled"}, {"lag": 4}, {"moves": ("left_wrist",)},
    ],
)  # fmt: skip
def test_every_setting_changes_the_image(change):
    points = turned(moving(H36M17), 30, 20, 0)
    assert not np.array_equal(encode(points, Encoding()), encode(points, replace(Encoding(), **change)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("order", get_args(pair_order.Order))
def test_every_order_keeps_all_rows(name, order):
    encoding = Encoding.of(name)
    count = len(encoding.distances) + len(encoding.orientations)
    assert sorted(arrangement(encoding.distances, encoding.orientations, order)) == list(range(count))


def test_orders():
    pairs = (("hip", "left_ankle"), ("left_elbow", "left_wrist"), ("right_elbow", "right_wrist"), ("hip", "head"))
    assert arrangement(pairs, pairs, "given") == [0, 1, 2, 3, 4, 5, 6, 7]
    assert arrangement(pairs, pairs, "pairs") == [0, 4, 1, 5, 2, 6, 3, 7]
    assert arrangement(pairs, pairs, "parts") == [3, 7, 1, 5, 2, 6, 0, 4]


def test_rows_of_two_people_are_sorted_by_person():
    pairs = (("head_1", "head_2"), ("left_hand_2", "right_hand_2"), ("spine_1", "head_1"), ("spine_2", "head_2"))
    assert arrangement(pairs, (), "parts") == [2, 3, 1, 0]


def test_distances_between_two_people_join_their_extremities():
    pairs = Encoding.of("kinect15-pair").distances
    between = [(a, b) for a, b in pairs if a.endswith("_1") and b.endswith("_2")]
    assert len(between) == 36 and ("left_hand_1", "head_2") in between and ("head_1", "right_foot_2") in between


@pytest.mark.parametrize("name", [*NAMES, "mpi3dhp17", "coco17", "body25"])
def test_defaults_fit_their_skeleton(name):
    known, encoding = skeleton(name), Encoding.of(name)
    assert encode(np.random.default_rng(0).normal(size=(1, 9, len(known), 3)), encoding).shape[1:3] == encoding.size
    assert all(size % spmf.STRIDE == 0 for size in encoding.size)
    rows = (*encoding.distances, *encoding.orientations, *encoding.moves)
    mirrored = {joint: known.joints[twin] for joint, twin in zip(known.joints, known.mirror, strict=True)}
    twins = {tuple(sorted(mirrored[joint] for joint in np.atleast_1d(row))) for row in rows}
    assert twins == {tuple(sorted(np.atleast_1d(row))) for row in rows}


def test_distance_between_two_people_changes_the_image():
    far = moving(KINECT15_PAIR)
    near = far.copy()
    near[:, :, 15:, 2] -= 0.8
    pair = (("spine_1", "spine_2"),)
    red, green = (
        encode(points, Encoding(skeleton="kinect15-pair", distances=pair, orientations=pair, reach=3, equalise="none"))
        for points in (far, near)
    )
    assert levels_apart(red, green) > 50


@pytest.mark.parametrize("frames", [1, 2, 4, 5, 200])
@pytest.mark.parametrize("equalise", get_args(colours.Equalisation))
def test_any_length_gives_one_image(frames, equalise):
    assert encode(standing(frames)[None], Encoding(equalise=equalise)).shape == (1, 32, 32, 3)


def test_all_pairs_are_resized_to_the_same_size():
    pairs = all_pairs(H36M17)
    assert len(pairs) == 136
    assert encode(walking()[None], Encoding(distances=pairs, orientations=pairs)).shape == (1, 32, 32, 3)


def test_no_motion_gives_no_image():
    assert encode(np.zeros((0, 46, 17, 3)), Encoding()).shape == (0, 32, 32, 3)


def test_windows_are_encoded_independently():
    both = np.stack([walking(46), waving(46)])
    assert (encode(both, Encoding())[1] == encode(both[1:], Encoding())[0]).all()


def test_smoothing_keeps_parabolas_and_damps_jitter():
    time = np.arange(20.0)[None, :, None, None]
    np.testing.assert_allclose(smooth(time**2), time**2, atol=1e-9)
    jitter = np.random.default_rng(0).normal(size=(1, 200, 1, 1))
    assert smooth(jitter).std() < 0.8 * jitter.std()


def test_motion_is_measured_over_the_lag():
    travel = np.arange(9.0)[None, :, None, None] * np.array([1.0, 0, 0])
    moved = {
        lag: joint_vectors(np.tile(travel, (1, 1, 17, 1)), H36M17, (("hip", "hip"),), lag)[0, :, 1, 0, 0]
        for lag in (1, 2, 3, 4)
    }
    assert [moved[lag].tolist() for lag in (1, 2, 3, 4)] == [
        [1, 1, 1, 1, 1, 1, 1, 1], [2, 2, 2, 2, 2, 2, 2, 1], [2, 3, 3, 3, 3, 3, 3, 2], [3, 4, 4, 4, 4, 4, 3, 2],
    ]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("order", get_args(pair_order.Order))
def test_stacked_columns_hold_the_same_as_interleaved_ones(name, order):
    points = moving(skeleton(name))
    turns, stacked = (plain(name, order=order, columns=columns) for columns in ("interleaved", "stacked"))
    images, both = encode(points, stacked)[0], encode(points, turns)[0]
    posed = [row for row, number in enumerate(turns.arrangement) if number < turns.features - len(turns.moves)]
    assert stacked.size == (turns.rows + len(posed), 16)
    assert (images[: len(posed)] == both[posed, 0::2]).all() and (images[len(posed) :] == both[:, 1::2]).all()


def test_a_move_is_coloured_by_its_length():
    points = standing(17)[None].copy()
    points[:, :, H36M17.index("left_wrist"), 1] += np.linspace(0, 16 * 0.137, 17)
    encoding = Encoding(
        rows=2,
        distances=(),
        orientations=(),
        moves=("left_wrist", "head"),
        travel=0.2,
        equalise="none",
        smoothing="none",
    )
    wrist, head = encode(points, encoding)[0]
    assert (head == 128).all() and (wrist[0::2] == 128).all()
    assert (wrist[1::2] == [128, 191, 128]).all()


def test_joints_of_another_skeleton_are_refused():
    with pytest.raises(ShapeError, match="kinect20"):
        encode(np.zeros((1, 5, 17, 3)), Encoding.of("kinect20"))
    with pytest.raises(DataError, match="left_ankle"):
        encode(moving(KINECT15), replace(Encoding.of("kinect15"), distances=REACHES))
    with pytest.raises(DataError, match="octopus"):
        Encoding.of("octopus")


@pytest.mark.parametrize("name", NAMES)
def test_encoding_survives_json(name):
    encoding = replace(Encoding.of(name), steps=8, order="parts", origin="window", moves=("left_knee",))
    assert Encoding.from_mapping(json.loads(json.dumps(encoding.to_mapping()))) == encoding


def test_encodings_of_older_checkpoints_draw_the_same_images():
    stored = {
        "rows": 32, "steps": 16, "reach": 1.2, "equalise": "channels", "clip": 2.0, "tiles": 2,
        "distances": [list(pair) for pair in REACHES], "orientations": [list(pair) for pair in LIMBS],
    }  # fmt: skip
    encoding = Encoding.from_mapping(stored)
    assert {name: asdict(encoding)[name] for name in ("skeleton", "axes", "origin")} == {
        "skeleton": "h36m17", "axes": "body", "origin": "frame",
    }  # fmt: skip
    assert zlib.crc32(encode(moving(H36M17), encoding).tobytes()) == 505406816
