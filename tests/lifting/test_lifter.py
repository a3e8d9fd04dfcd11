from dataclasses import replace

import numpy as np
import pytest
import torch

from kinelift.lifting.coordinates import normalisation
from kinelift.lifting.lifter import MIN_KEYPOINTS, Lifter
from kinelift.lifting.network import LifterNetwork
from kinelift.poses import H36M17, Track2D, skeleton
from kinelift.poses.camera import Camera
from kinelift.poses.errors import SettingsError
from tests.lifting.networks import CAMERA, NETS, SIZE, network, temporal, track


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
    one = replace(track(5), skeleton=H36M17)
    with pytest.raises(SettingsError, match="coco17 keypoints"):
        lifter.lift(one, CAMERA)
