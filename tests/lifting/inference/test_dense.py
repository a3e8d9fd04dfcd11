"""Dense lifting agrees with one window per frame wherever a frame is on the grid."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kinelift.lifting.inference.dense import DEFAULT_PHASES, MAX_PHASES, Grid
from kinelift.lifting.lifter import MIN_KEYPOINTS, Lifter
from kinelift.lifting.network import LifterNetwork
from kinelift.poses import Track2D
from tests.lifting.networks import CAMERA, WindowLifter, temporal, track

RATE = 20.0


def network(name: str = "frame", **config: object) -> LifterNetwork:
    return LifterNetwork(temporal(**config), RATE, name)


def dense_poses(network: LifterNetwork, track: Track2D, chunk: int = 1536) -> np.ndarray:
    return Lifter(network, torch.device("cpu"), chunk=chunk).lift(track, CAMERA).points


def windowed_poses(network: LifterNetwork, track: Track2D) -> np.ndarray:
    return WindowLifter(network, torch.device("cpu")).lift(track, CAMERA).points


def track_with_gaps(frames: int, rate: float = 30.0, missing: float = 0.15) -> Track2D:
    one, random = track(frames, rate), np.random.default_rng(5)
    return replace(one, points=np.where(random.random((frames, 17, 1)) < missing, np.nan, one.points))


@pytest.mark.parametrize("name", ["frame", "screen"])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("rate", [5.0, 10.0, 15.0, 20.0, 24.0, 25.0, 30.0, 40.0, 50.0, 60.0, 100.0])
def test_frames_on_the_grid_agree_with_their_windows(name: str, causal: bool, rate: float) -> None:
    one, net = track_with_gaps(70, rate), network(name, causal=causal)
    np.testing.assert_allclose(dense_poses(net, one), windowed_poses(net, one), atol=1e-5)


@pytest.mark.parametrize("widths", [(3,), (1, 3, 3), (5, 3), (3, 3, 3, 3)])
@pytest.mark.parametrize("frames", [1, 2, 5, 90])
def test_tracks_of_any_length_through_nets_of_any_width(widths: tuple[int, ...], frames: int) -> None:
    one, net = track(frames), network(widths=widths)
    np.testing.assert_allclose(dense_poses(net, one), windowed_poses(net, one), atol=1e-5)


@pytest.mark.parametrize("rate", ["24000/1001", "30000/1001", "60000/1001"])
def test_broadcast_rates_are_on_the_grid(rate: str) -> None:
    times = np.array([float(n / Fraction(rate)) for n in range(5000)])
    grid = Grid.of(times, RATE)
    assert not grid.fraction.any()
    np.testing.assert_allclose(grid.start + grid.spacing * grid.index, times, atol=1e-9)
    assert abs(grid.spacing * grid.phases * RATE - 1) < 0.0011


@pytest.mark.parametrize("rate", [30.0, 24.0])
def test_times_rounded_to_milliseconds_keep_the_frame_rate(rate: float) -> None:
    grid = Grid.of(np.round(np.arange(400) / rate, 3), RATE)
    assert grid.phases == Grid.of(np.arange(400) / rate, RATE).phases
    assert abs(grid.spacing * grid.phases * RATE - 1) < 1e-3


@given(st.integers(0, 2**31), st.integers(1, 60))
@settings(max_examples=40)
def test_every_frame_lies_between_its_instants(seed: int, frames: int) -> None:
    times = 7 + np.cumsum(np.random.default_rng(seed).uniform(0.005, 0.2, frames))
    grid = Grid.of(times, RATE)
    assert 1 <= grid.phases <= MAX_PHASES
    assert ((grid.fraction >= 0) & (grid.fraction < 1)).all()
    instants = grid.start + grid.spacing * grid.instants
    predictions = instants[:, None, None] * np.ones((2, 3))
    np.testing.assert_allclose(grid.at_frames(grid.instants, predictions)[:, 0, 0], times, atol=1e-7)


def test_uneven_frames_are_close_to_their_windows() -> None:
    times = np.cumsum(np.random.default_rng(0).uniform(0.01, 0.08, 80))
    one, net = replace(track(80), times=times), network()
    grid = Grid.of(times, RATE)
    assert grid.phases == DEFAULT_PHASES
    dense, windows = dense_poses(net, one), windowed_poses(net, one)
    on_grid = grid.fraction == 0
    np.testing.assert_allclose(dense[on_grid], windows[on_grid], atol=1e-5)
    movement = np.linalg.norm(np.diff(windows, axis=0), axis=-1).mean()
    assert np.linalg.norm(dense - windows, axis=-1).mean() < 0.2 * movement


@pytest.mark.parametrize("chunk", [1, 7, 64])
@pytest.mark.parametrize("causal", [False, True])
def test_chunk_size_does_not_matter(chunk: int, causal: bool) -> None:
    one, net = track_with_gaps(120, 29.0), network(causal=causal)
    np.testing.assert_allclose(dense_poses(net, one, chunk), dense_poses(net, one), atol=1e-5)


@pytest.mark.parametrize("rate", [24.0, 30.0])
def test_a_causal_net_ignores_the_future(rate: float) -> None:
    one, net, now = track(80, rate), network(causal=True), 40
    future = (np.arange(80) > now)[:, None, None]
    changed = dense_poses(net, replace(one, points=one.points + 100 * future))
    np.testing.assert_allclose(changed[: now + 1], dense_poses(net, one)[: now + 1], atol=1e-5)
    assert np.abs(changed[now + 1] - dense_poses(net, one)[now + 1]).max() > 1e-3


def test_frames_beyond_the_receptive_field_do_not_matter() -> None:
    one, net, frame = track(120), network(), 60
    far = np.abs(one.times - one.times[frame]) > 13 / RATE + 1 / 30
    changed = dense_poses(net, replace(one, points=one.points + 50 * far[:, None, None]))
    np.testing.assert_allclose(changed[frame], dense_poses(net, one)[frame], atol=1e-5)
    assert np.abs(changed[0] - dense_poses(net, one)[0]).max() > 1e-3


def test_frames_with_too_few_keypoints_are_nan() -> None:
    one = track(60)
    points = one.points.copy()
    points[20:30, MIN_KEYPOINTS - 1 :] = np.nan
    poses = dense_poses(network(), replace(one, points=points))
    assert np.isnan(poses).all((1, 2)).tolist() == [20 <= t < 30 for t in range(60)]
    assert np.isnan(dense_poses(network(), replace(one, points=np.full_like(points, np.nan)))).all()


def test_a_long_pause_is_not_computed() -> None:
    """There is a day between two halves of a track."""
    one = track(20)
    times = one.times + np.where(np.arange(20) < 10, 0.0, 86400.0)
    poses = dense_poses(network(), replace(one, times=times), chunk=64)
    np.testing.assert_allclose(poses, windowed_poses(network(), replace(one, times=times)), atol=2e-2)


@pytest.mark.parametrize(("name", "layout"), [("facing", "dilated"), ("picture", "dilated"), ("frame", "dense")])
def test_other_networks_are_run_on_windows(name: str, layout: str) -> None:
    one = track(30)
    net = LifterNetwork(temporal(2 if name == "picture" else 3, layout=layout), RATE, name)
    np.testing.assert_array_equal(dense_poses(net, one), windowed_poses(net, one))
