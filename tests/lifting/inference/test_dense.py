"""Tracks lifted whole: the same as a window a frame wherever the grid has a moment for the frame."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kinelift.lifting.inference.dense import MOST_PHASES, PHASES, Grid
from kinelift.lifting.lifter import FEWEST, Lifter
from kinelift.lifting.network import LifterNetwork
from kinelift.poses import Track2D
from tests.lifting.networks import CAMERA, WindowLifter, temporal, track

RATE = 20.0


def network(name: str = "frame", **config: object) -> LifterNetwork:
    return LifterNetwork(temporal(**config), RATE, name)


def lifted(network: LifterNetwork, track: Track2D, chunk: int = 1536) -> np.ndarray:
    return Lifter(network, torch.device("cpu"), chunk=chunk).lift(track, CAMERA).points


def by_windows(network: LifterNetwork, track: Track2D) -> np.ndarray:
    return WindowLifter(network, torch.device("cpu")).lift(track, CAMERA).points


def gappy(frames: int, rate: float = 30.0, lost: float = 0.15) -> Track2D:
    one, random = track(frames, rate), np.random.default_rng(5)
    return replace(one, points=np.where(random.random((frames, 17, 1)) < lost, np.nan, one.points))


@pytest.mark.parametrize("name", ["frame", "screen"])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("rate", [5.0, 10.0, 15.0, 20.0, 24.0, 25.0, 30.0, 40.0, 50.0, 60.0, 100.0])
def test_frames_on_the_grid_get_the_answers_of_their_windows(name: str, causal: bool, rate: float) -> None:
    one, net = gappy(70, rate), network(name, causal=causal)
    np.testing.assert_allclose(lifted(net, one), by_windows(net, one), atol=1e-5)


@pytest.mark.parametrize("widths", [(3,), (1, 3, 3), (5, 3), (3, 3, 3, 3)])
@pytest.mark.parametrize("frames", [1, 2, 5, 90])
def test_tracks_of_any_length_through_nets_of_any_width(widths: tuple[int, ...], frames: int) -> None:
    one, net = track(frames), network(widths=widths)
    np.testing.assert_allclose(lifted(net, one), by_windows(net, one), atol=1e-5)


@pytest.mark.parametrize("rate", ["24000/1001", "30000/1001", "60000/1001"])
def test_rates_of_television_are_on_the_grid(rate: str) -> None:
    times = np.array([float(n / Fraction(rate)) for n in range(5000)])
    grid = Grid.of(times, RATE)
    assert not grid.share.any()
    np.testing.assert_allclose(grid.start + grid.spacing * grid.before, times, atol=1e-9)
    assert abs(grid.spacing * grid.phases * RATE - 1) < 0.0011


@pytest.mark.parametrize("rate", [30.0, 24.0])
def test_times_rounded_to_milliseconds_keep_the_frame_rate(rate: float) -> None:
    grid = Grid.of(np.round(np.arange(400) / rate, 3), RATE)
    assert grid.phases == Grid.of(np.arange(400) / rate, RATE).phases
    assert abs(grid.spacing * grid.phases * RATE - 1) < 1e-3


@given(st.integers(0, 2**31), st.integers(1, 60))
@settings(max_examples=40)
def test_every_frame_lies_between_its_moments(seed: int, frames: int) -> None:
    times = 7 + np.cumsum(np.random.default_rng(seed).uniform(0.005, 0.2, frames))
    grid = Grid.of(times, RATE)
    assert 1 <= grid.phases <= MOST_PHASES
    assert ((grid.share >= 0) & (grid.share < 1)).all()
    moments = grid.start + grid.spacing * grid.moments
    answers = moments[:, None, None] * np.ones((2, 3))
    np.testing.assert_allclose(grid.between(grid.moments, answers)[:, 0, 0], times, atol=1e-7)


def test_uneven_frames_get_answers_near_those_of_their_windows() -> None:
    times = np.cumsum(np.random.default_rng(0).uniform(0.01, 0.08, 80))
    one, net = replace(track(80), times=times), network()
    grid = Grid.of(times, RATE)
    assert grid.phases == PHASES
    dense, windows = lifted(net, one), by_windows(net, one)
    on = grid.share == 0
    np.testing.assert_allclose(dense[on], windows[on], atol=1e-5)
    movement = np.linalg.norm(np.diff(windows, axis=0), axis=-1).mean()
    assert np.linalg.norm(dense - windows, axis=-1).mean() < 0.2 * movement


@pytest.mark.parametrize("chunk", [1, 7, 64])
@pytest.mark.parametrize("causal", [False, True])
def test_chunks_do_not_show(chunk: int, causal: bool) -> None:
    one, net = gappy(120, 29.0), network(causal=causal)
    np.testing.assert_allclose(lifted(net, one, chunk), lifted(net, one), atol=1e-5)


@pytest.mark.parametrize("rate", [24.0, 30.0])
def test_a_causal_net_ignores_the_future(rate: float) -> None:
    one, net, now = track(80, rate), network(causal=True), 40
    later = (np.arange(80) > now)[:, None, None]
    changed = lifted(net, replace(one, points=one.points + 100 * later))
    np.testing.assert_allclose(changed[: now + 1], lifted(net, one)[: now + 1], atol=1e-5)
    assert np.abs(changed[now + 1] - lifted(net, one)[now + 1]).max() > 1e-3


def test_frames_beyond_the_receptive_field_do_not_matter() -> None:
    one, net, frame = track(120), network(), 60
    far = np.abs(one.times - one.times[frame]) > 13 / RATE + 1 / 30
    changed = lifted(net, replace(one, points=one.points + 50 * far[:, None, None]))
    np.testing.assert_allclose(changed[frame], lifted(net, one)[frame], atol=1e-5)
    assert np.abs(changed[0] - lifted(net, one)[0]).max() > 1e-3


def test_frames_that_show_too_little_are_nan() -> None:
    one = track(60)
    points = one.points.copy()
    points[20:30, FEWEST - 1 :] = np.nan
    found = lifted(network(), replace(one, points=points))
    assert np.isnan(found).all((1, 2)).tolist() == [20 <= t < 30 for t in range(60)]
    assert np.isnan(lifted(network(), replace(one, points=np.full_like(points, np.nan)))).all()


def test_a_long_pause_costs_nothing() -> None:
    """A day between two halves of a track: nothing is computed for it."""
    one = track(20)
    times = one.times + np.where(np.arange(20) < 10, 0.0, 86400.0)
    asked = lifted(network(), replace(one, times=times), chunk=64)
    np.testing.assert_allclose(asked, by_windows(network(), replace(one, times=times)), atol=2e-2)


@pytest.mark.parametrize(("name", "layout"), [("facing", "dilated"), ("picture", "dilated"), ("frame", "dense")])
def test_what_needs_windows_gets_them(name: str, layout: str) -> None:
    one = track(30)
    net = LifterNetwork(temporal(2 if name == "picture" else 3, layout=layout), RATE, name)
    np.testing.assert_array_equal(lifted(net, one), by_windows(net, one))
