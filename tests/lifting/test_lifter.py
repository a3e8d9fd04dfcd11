from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lifting.camera import Camera
from lifting.coordinates import normalisation
from lifting.lifter import FEWEST, Lifter
from lifting.network import LifterNetwork
from lifting.root import BODY, place
from lifting.windows import cut
from models.temporal import TemporalConfig, TemporalNet
from poses import COCO17, H36M17, Track2D, skeleton
from poses.errors import SettingsError, WeightsError
from weights.checkpoint import Checkpoint, save

SIZE = (640, 480)
CAMERA = Camera.from_field_of_view(55, SIZE)


def network(**config: object) -> LifterNetwork:
    torch.manual_seed(0)
    shape = TemporalConfig(features_in=3, channels=16, **config)  # type: ignore[arg-type]
    return LifterNetwork(TemporalNet(shape).eval(), rate=20.0, about={"data": "none"})


@pytest.fixture
def lifter() -> Lifter:
    return Lifter(network(), torch.device("cpu"), batch=7)


def track(frames: int, rate: float = 30.0, seed: int = 0) -> Track2D:
    random = np.random.default_rng(seed)
    base = random.uniform(100, 300, (1, 17, 2))
    path = np.cumsum(random.normal(0, 2, (frames, 17, 2)), 0)
    return Track2D(base + path, np.ones((frames, 17)), np.arange(frames) / rate, np.zeros((frames, 17), bool), 0, SIZE)


@pytest.mark.parametrize("frames", [1, 2, 5, 27, 60])
def test_lifts_tracks_of_any_length(lifter: Lifter, frames: int) -> None:
    poses = lifter.lift(track(frames), CAMERA)
    assert poses.points.shape == (frames, 17, 3)
    assert np.isfinite(poses.points).all()
    np.testing.assert_allclose(poses.points[:, 0], 0)
    assert poses.root is not None
    assert np.isfinite(poses.root).all()


def test_batches_do_not_show(lifter: Lifter) -> None:
    whole = replace(lifter, batch=1000).lift(track(40), CAMERA).points
    np.testing.assert_allclose(lifter.lift(track(40), CAMERA).points, whole, atol=1e-5)


def test_mirrored_track_gives_the_mirrored_pose(lifter: Lifter) -> None:
    one = track(30)
    np.testing.assert_allclose(
        lifter.lift(one.mirrored(), CAMERA).points, lifter.lift(one, CAMERA).mirrored().points, atol=1e-5
    )


def test_frames_outside_the_receptive_field_do_not_matter(lifter: Lifter) -> None:
    one, frame = track(120), 60
    reach = 13 / 20  # seconds
    other = one.points.copy()
    other[np.abs(one.times - one.times[frame]) > reach + 1 / 30] += 50
    changed = lifter.lift(replace(one, points=other), CAMERA).points
    np.testing.assert_array_equal(changed[frame], lifter.lift(one, CAMERA).points[frame])
    assert not np.allclose(changed[0], lifter.lift(one, CAMERA).points[0])


def test_causal_lifter_ignores_the_future() -> None:
    lifter = Lifter(network(causal=True), torch.device("cpu"))
    one = track(80)
    other = one.points.copy()
    other[41:] += 100
    changed = lifter.lift(replace(one, points=other), CAMERA).points
    np.testing.assert_array_equal(changed[:41], lifter.lift(one, CAMERA).points[:41])


def test_frame_rate_does_not_matter(lifter: Lifter) -> None:
    slow = track(40, rate=20.0)
    times = np.arange(0, slow.times[-1] + 1e-9, 1 / 60)
    dense = np.stack([[np.interp(times, slow.times, slow.points[:, j, c]) for c in (0, 1)] for j in range(17)])
    fast = Track2D(
        np.moveaxis(dense, 2, 0), np.ones((len(times), 17)), times, np.zeros((len(times), 17), bool), 0, SIZE
    )
    np.testing.assert_allclose(lifter.lift(fast, CAMERA).points[::3], lifter.lift(slow, CAMERA).points, atol=1e-4)


def test_frames_that_show_too_little_are_nan(lifter: Lifter) -> None:
    one = track(60)
    points = one.points.copy()
    points[20:30, FEWEST - 1 :] = np.nan
    points[40:, FEWEST:] = np.nan
    poses = lifter.lift(replace(one, points=points), CAMERA)
    assert np.isnan(poses.points).all((1, 2)).tolist() == [20 <= t < 30 for t in range(60)]
    nothing = lifter.lift(replace(one, points=np.full_like(points, np.nan)), CAMERA)
    assert np.isnan(nothing.points).all()


def test_refuses_another_layout(lifter: Lifter) -> None:
    one = replace(track(5), skeleton=H36M17)
    with pytest.raises(SettingsError, match="coco17 keypoints"):
        lifter.lift(one, CAMERA)


def test_checkpoint_round_trip(tmp_path: Path, lifter: Lifter) -> None:
    path = tmp_path / "lifter.safetensors"
    lifter.network.save(path)
    loaded = Lifter.load(path)
    assert loaded.network.net.config == lifter.network.net.config
    assert (loaded.network.rate, loaded.network.normalisation) == (20.0, "facing")
    assert loaded.network.about == {"data": "none"}
    one = track(30)
    np.testing.assert_allclose(loaded.lift(one, CAMERA).points, lifter.lift(one, CAMERA).points, atol=0.01)


@pytest.mark.parametrize("damage", ["kind", "tensor", "normalisation", "text"])
def test_damaged_checkpoints_say_so(tmp_path: Path, damage: str) -> None:
    path, one = tmp_path / "x.safetensors", network()
    facts = {
        "config": {**vars(one.net.config)}, "rate": 20.0, "normalisation": "facing",
        "skeleton_in": "coco17", "skeleton_out": "h36m17", "about": {},
    }  # fmt: skip
    tensors = dict(one.net.state_dict())
    if damage == "text":
        path.write_text("hello")
    else:
        if damage == "tensor":
            tensors["shrink.bias"] = torch.zeros(3)
        if damage == "normalisation":
            facts["normalisation"] = "astrology"
        save(path, Checkpoint("action-net" if damage == "kind" else "temporal-lifter", facts, tensors))
    with pytest.raises(WeightsError):
        Lifter.load(path)


def test_unknown_normalisation_names_the_known() -> None:
    with pytest.raises(WeightsError, match="facing, frame, screen"):
        normalisation("astrology")


@given(st.integers(0, 2**31), st.floats(10, 90), st.booleans())
@settings(max_examples=30, deadline=None)
def test_projection_and_plane_agree(seed: int, degrees: float, portrait: bool) -> None:
    camera = Camera.from_field_of_view(degrees, (480, 640) if portrait else (640, 480))
    points = np.random.default_rng(seed).uniform([-1, -1, 1], [1, 1, 9], (20, 3))
    np.testing.assert_allclose(camera.plane(camera.project(points)), points[:, :2] / points[:, 2:], atol=1e-9)


def test_field_of_view_is_along_the_longer_side() -> None:
    camera = Camera.from_field_of_view(90, (480, 640))
    assert camera.focal == pytest.approx(320)
    assert camera.centre == (240, 320)
    assert np.isnan(camera.project(np.array([0.0, 0.0, -1.0]))).all()


@pytest.mark.parametrize("degrees", [0, -5, 180, float("nan")])
def test_impossible_fields_of_view_are_refused(degrees: float) -> None:
    with pytest.raises(SettingsError, match="field of view"):
        Camera.from_field_of_view(degrees, SIZE)


@pytest.mark.parametrize("focal", [0.0, -1.0, float("inf"), float("nan")])
def test_impossible_focal_lengths_are_refused(focal: float) -> None:
    with pytest.raises(SettingsError, match="focal length"):
        Camera.from_focal(focal, SIZE)


@given(st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_root_is_found_where_the_person_stands(seed: int) -> None:
    random = np.random.default_rng(seed)
    points = np.broadcast_to(random.normal(0, 0.4, (1, 17, 3)), (40, 17, 3))
    root = np.array([0.5, -0.2, 4.0]) + np.linspace(0, 1, 40)[:, None] * [0.5, 0.0, 0.0]
    body = points + root[:, None]
    plane = body[..., :2] / body[..., 2:]
    plane[:, [j for j in range(17) if j not in BODY]] = np.nan
    plane[10:14, BODY[:-1]] = np.nan
    np.testing.assert_allclose(place(points, plane, np.arange(40) / 30), root, atol=1e-4)


def test_root_without_keypoints_is_nan() -> None:
    plane = np.full((5, 17, 2), np.nan)
    assert np.isnan(place(np.zeros((5, 17, 3)), plane, np.arange(5) / 30)).all()


def test_windows_interpolate_between_seen_frames_only() -> None:
    points = np.zeros((4, 1, 2))
    points[:, 0, 0] = [0, 10, 20, 30]
    points[2] = np.nan
    times = np.array([0.0, 1.0, 2.0, 3.0])
    value, seen = cut(points, times, np.array([0.5, 1.5, 2.0]), np.array([-9.0, 0.0, 0.75, 9.0]))
    assert seen[:, :, 0].tolist() == [[True] * 4, [True, True, False, True], [True, False, True, True]]
    np.testing.assert_allclose(value[0, :, 0, 0], [0, 5, 10, 30])
    np.testing.assert_allclose(value[1, :, 0, 0], [0, 10, 0, 30])


def test_skeletons_share_the_body() -> None:
    assert {H36M17.joints[j] for j in BODY} == set(COCO17.joints) & set(skeleton("h36m17").joints)
    assert len(BODY) == 12
