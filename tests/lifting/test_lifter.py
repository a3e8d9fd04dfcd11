from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lifting.camera import Camera
from lifting.coordinates import held, normalisation
from lifting.lifter import FEWEST, Lifter
from lifting.network import LifterNetwork, windowed
from lifting.root import BODY, place
from lifting.windows import cut
from models.temporal import TemporalConfig, TemporalNet
from models.two_stream import TwoStreamConfig, TwoStreamNet
from models.ugcn import UGCN, UGCNConfig
from poses import COCO17, H36M17, Track2D, skeleton
from poses.errors import SettingsError, WeightsError
from weights.checkpoint import Checkpoint, save

SIZE = (640, 480)
CAMERA = Camera.from_field_of_view(55, SIZE)


def network(**config: object) -> LifterNetwork:
    torch.manual_seed(0)
    shape = TemporalConfig(features_in=3, channels=16, **config)  # type: ignore[arg-type]
    return LifterNetwork(TemporalNet(shape).eval(), rate=20.0, about={"data": "none"})


def temporal(features: int = 3, **config: object) -> TemporalNet:
    torch.manual_seed(1)
    return TemporalNet(TemporalConfig(features_in=features, channels=8, **config)).eval()  # type: ignore[arg-type]


NETS = {
    "temporal": temporal,
    "dense": lambda features=3: temporal(features, layout="dense"),
    "two-stream": lambda features=3: TwoStreamNet(TwoStreamConfig(features_in=features, width=8)).eval(),
    "ugcn": lambda features=3: UGCN(
        UGCNConfig(H36M17.parents, features_in=features, frames=32, widths=(4, 4, 4, 4, 4))
    ).eval(),
}
"""A small network of every kind; the U-shaped one answers 32 frames."""


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


@pytest.mark.parametrize("kind", NETS)
@pytest.mark.parametrize("frames", [1, 20, 33, 90])
def test_networks_of_every_kind_lift_tracks_of_any_length(kind: str, frames: int) -> None:
    poses = Lifter(LifterNetwork(NETS[kind](), 20.0), torch.device("cpu")).lift(track(frames), CAMERA)
    assert poses.points.shape == (frames, 17, 3)
    assert np.isfinite(poses.points).all()
    np.testing.assert_allclose(poses.points[:, 0], 0)


@pytest.mark.parametrize("kind", NETS)
def test_windowed_is_the_net_in_window_form(kind: str) -> None:
    net = NETS[kind]()
    form, config = windowed(net), net.config
    windows = torch.randn(3, config.window, 17, 3)
    assert form(windows).shape == (3, config.outputs, 17, 3)
    torch.testing.assert_close(form(windows), net(windows), atol=1e-5, rtol=1e-5)
    assert {id(p) for p in form.parameters()} == {id(p) for p in net.parameters()}


@pytest.mark.parametrize("kind", NETS)
def test_checkpoints_of_every_kind_come_back_the_same(tmp_path: Path, kind: str) -> None:
    one = LifterNetwork(NETS[kind](2), 25.0, "picture", about={"data": "none"}, trajectory=temporal(2, joints_out=1))
    one.save(tmp_path / "x.safetensors")
    again = LifterNetwork.load(tmp_path / "x.safetensors")
    assert (type(again.net), again.net.config) == (type(one.net), one.net.config)
    assert (again.rate, again.normalisation, again.source, again.target) == (25.0, "picture", COCO17, H36M17)
    lifted, expected = (Lifter(n, torch.device("cpu")).lift(track(40), CAMERA) for n in (again, one))
    np.testing.assert_allclose(lifted.points, expected.points, atol=0.02)
    assert lifted.root is not None and expected.root is not None
    np.testing.assert_allclose(lifted.root, expected.root, atol=0.02)


def test_networks_that_do_not_fit_their_description_are_refused() -> None:
    with pytest.raises(WeightsError, match="17 joints of 2 numbers"):
        LifterNetwork(temporal(2), 20.0)
    with pytest.raises(WeightsError, match="trajectory network"):
        LifterNetwork(temporal(), 20.0, trajectory=temporal())
    with pytest.raises(WeightsError, match="gives 15"):
        LifterNetwork(temporal(joints_out=15), 20.0)


@pytest.mark.parametrize(("name", "used"), [("facing", False), ("frame", False), ("screen", True), ("picture", True)])
def test_trajectory_gives_the_root_where_the_input_keeps_distance(name: str, used: bool) -> None:
    features = normalisation(name).features
    roots = temporal(features, joints_out=1)
    with torch.no_grad():
        roots.shrink.weight.zero_()
        roots.shrink.bias.copy_(torch.tensor([1.0, 2.0, 3.0]))
    one = track(30)
    shown = replace(one, points=np.where((np.arange(30) == 12)[:, None, None], np.nan, one.points))
    lifter = Lifter(LifterNetwork(temporal(features), 20.0, name, trajectory=roots), torch.device("cpu"))
    root = lifter.lift(shown, CAMERA).root
    assert root is not None and np.isfinite(root).all()
    assert np.allclose(root, [0, 2, 3]) == used  # x is averaged with that of the mirror image


def test_other_skeletons_have_their_own_root() -> None:
    target = skeleton("mpi3dhp17")
    poses = Lifter(LifterNetwork(temporal(), 20.0, target=target), torch.device("cpu")).lift(track(9), CAMERA)
    assert poses.skeleton == target and target.root != 0
    np.testing.assert_allclose(poses.points[:, target.root], 0)
    assert poses.root is not None and np.isfinite(poses.root).all()


def test_batches_do_not_show(lifter: Lifter) -> None:
    whole = replace(lifter, batch=1000).lift(track(40), CAMERA).points
    np.testing.assert_allclose(lifter.lift(track(40), CAMERA).points, whole, atol=1e-5)


def test_mirrored_track_gives_the_mirrored_pose(lifter: Lifter) -> None:
    one = track(30)
    np.testing.assert_allclose(
        lifter.lift(one.mirrored(), CAMERA).points, lifter.lift(one, CAMERA).mirrored().points, atol=1e-5
    )


@pytest.mark.parametrize("name", ["facing", "frame", "screen"])
def test_where_the_principal_point_lies_does_not_matter(name: str) -> None:
    lifter = Lifter(LifterNetwork(temporal(), 20.0, name), torch.device("cpu"))
    one, shift = track(30), np.array([60.0, -25.0])
    moved = Camera(CAMERA.focal, (CAMERA.centre[0] + shift[0], CAMERA.centre[1] + shift[1]))
    found = lifter.lift(replace(one, points=one.points + shift), moved)
    np.testing.assert_allclose(found.points, lifter.lift(one, CAMERA).points, atol=1e-5)


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
    with pytest.raises(WeightsError, match="facing, frame, screen, picture"):
        normalisation("astrology")


@pytest.mark.parametrize("size", [(640, 480), (480, 640)])
def test_picture_coordinates_are_those_of_the_paper(size: tuple[int, int]) -> None:
    w, h = size
    corners = np.array([[0, 0], [w, 0], [w / 2, h / 2], [0, h], [np.nan, np.nan]])
    found = normalisation("picture").inputs(corners, CAMERA, size)
    np.testing.assert_allclose(found, [[-1, -h / w], [1, -h / w], [0, 0], [-1, h / w], [np.nan, np.nan]])


def test_picture_input_has_no_seen_channel_and_keeps_the_axes() -> None:
    points, seen = torch.randn(2, 5, 17, 2), torch.ones(2, 5, 17, dtype=torch.bool)
    features, rotation = normalisation("picture")(points, seen)
    torch.testing.assert_close(features, points)
    torch.testing.assert_close(rotation, torch.eye(3).expand(2, 5, 3, 3))


@given(st.integers(0, 2**31), st.floats(0, 1))
@settings(max_examples=15, deadline=None)
def test_unseen_joints_are_where_they_are_seen_next(seed: int, share: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    points = torch.randn(2, 6, 4, 2, generator=generator)
    seen = torch.rand(2, 6, 4, generator=generator) < share
    filled = held(torch.where(seen[..., None], points, torch.nan), seen)
    for b, t, j in np.ndindex(2, 6, 4):
        near = min((abs(s - t), s) for s in range(6) if seen[b, s, j]) if seen[b, :, j].any() else None
        others = [k for k in range(4) if seen[b, :, k].any()]
        middle = filled[b, t, others].mean(0) if others else torch.zeros(2)
        torch.testing.assert_close(filled[b, t, j], points[b, near[1], j] if near else middle)


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
