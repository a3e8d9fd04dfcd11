from dataclasses import replace

import numpy as np
import pytest
import torch

from kinelift.lifting.coordinates import normalisation
from kinelift.lifting.lifter import MIN_KEYPOINTS, Lifter
from kinelift.lifting.network import LifterNetwork
from kinelift.poses import COCO23, H36M21, Track2D, skeleton
from kinelift.poses.camera import Camera
from kinelift.poses.errors import SettingsError
from tests.lifting.networks import CAMERA, NETS, SIZE, WindowLifter, network, temporal, track


@pytest.fixture
def lifter() -> Lifter:
    return Lifter(network(), torch.device("cpu"), batch=7)


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


def test_batch_size_does_not_matter(lifter: Lifter) -> None:
    whole = replace(lifter, batch=1000).lift(track(40), CAMERA).points
    np.testing.assert_allclose(lifter.lift(track(40), CAMERA).points, whole, atol=1e-5)


def test_mirrored_track_gives_the_mirrored_pose(lifter: Lifter) -> None:
    one = track(30)
    np.testing.assert_allclose(
        lifter.lift(one.mirrored(), CAMERA).points, lifter.lift(one, CAMERA).mirrored().points, atol=1e-5
    )


@pytest.mark.parametrize("name", ["facing", "frame", "screen"])
def test_principal_point_does_not_matter(name: str) -> None:
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


def test_frames_with_too_few_keypoints_are_nan(lifter: Lifter) -> None:
    one = track(60)
    points = one.points.copy()
    points[20:30, MIN_KEYPOINTS - 1 :] = np.nan
    points[40:, MIN_KEYPOINTS:] = np.nan
    poses = lifter.lift(replace(one, points=points), CAMERA)
    assert np.isnan(poses.points).all((1, 2)).tolist() == [20 <= t < 30 for t in range(60)]
    nothing = lifter.lift(replace(one, points=np.full_like(points, np.nan)), CAMERA)
    assert np.isnan(nothing.points).all()


def test_other_skeletons_are_rejected(lifter: Lifter) -> None:
    one = track(5).converted(skeleton("kinect15"))
    with pytest.raises(SettingsError, match="coco17 keypoints"):
        lifter.lift(one, CAMERA)


def test_tracks_with_more_joints_are_accepted(lifter: Lifter) -> None:
    one = track(12)
    for layout in (COCO23, skeleton("body25"), skeleton("halpe26")):
        found = lifter.lift(one.converted(layout), CAMERA)
        if {"left_eye", "nose"} <= set(layout.joints):
            np.testing.assert_allclose(found.points, lifter.lift(one, CAMERA).points, atol=1e-9)


def up_network(**config: object) -> LifterNetwork:
    net = temporal(joints_in=len(COCO23) + 1, joints_out=len(H36M21) + 1, **config)
    return LifterNetwork(net, 20.0, "level", COCO23, H36M21)


@pytest.mark.parametrize("kind", [Lifter, WindowLifter])
def test_up_is_estimated_in_camera_axes(kind: type[Lifter]) -> None:
    """A network that always says up is a certain direction in the axes of its output, which face the person."""
    network, facing = up_network(), torch.nn.functional.normalize(torch.tensor([0.0, -0.95, -0.3]), dim=0)
    with torch.no_grad():
        network.net.shrink.weight.zero_()
        network.net.shrink.bias[-3:] = 2 * facing
    one = track(30).converted(COCO23)
    one.points[12] = np.nan
    found = kind(network, torch.device("cpu")).estimate_up(one, CAMERA)
    assert found is not None and np.isnan(found[12]).all()
    plane = torch.from_numpy(CAMERA.plane(one.points)).float()
    seen = plane.isfinite().all(-1)
    _, rotation = normalisation("level")(plane[None], seen[None])
    expected = (facing @ rotation)[0].numpy()
    rest = np.arange(30) != 12
    np.testing.assert_allclose(found[rest], expected[rest], atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(found[rest], axis=1), 1)


def test_networks_without_up_do_not_estimate_it(lifter: Lifter) -> None:
    assert lifter.estimate_up(track(5), CAMERA) is None


def test_the_direction_up_reaches_the_network() -> None:
    lifter, one = Lifter(up_network(), torch.device("cpu")), track(30)
    up, other = np.array([0.2, -0.9, -0.39]), np.array([-0.2, -0.9, -0.39])
    found = lifter.lift(one, CAMERA, up).points
    assert found.shape == (30, len(H36M21), 3)
    assert not np.allclose(found, lifter.lift(one, CAMERA).points, atol=1e-3)
    windowed = WindowLifter(lifter.network, lifter.device).lift(track(30, rate=20.0), CAMERA, up).points
    np.testing.assert_allclose(windowed, lifter.lift(track(30, rate=20.0), CAMERA, up).points, atol=1e-5)
    mirrored = lifter.lift(one.mirrored(), CAMERA, other)
    np.testing.assert_allclose(mirrored.mirrored().points, found, atol=1e-5)
