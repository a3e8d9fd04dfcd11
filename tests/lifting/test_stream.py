from collections.abc import Callable

import numpy as np
import pytest
import torch

from kinelift.lifting.lifter import Lifter
from kinelift.lifting.network import LifterNetwork
from kinelift.lifting.stream import LifterStream
from kinelift.models.temporal import TemporalConfig, TemporalNet
from kinelift.poses import Track2D
from kinelift.poses.camera import Camera, Distortion
from kinelift.poses.errors import SettingsError

SIZE = (640, 480)
CAMERA = Camera.from_field_of_view(55, SIZE)
ASIDE = Camera((600.0, 610.0), (350.0, 220.0), Distortion(k1=0.05, k2=-0.02, p1=0.001))
"""Whose principal point is not in the middle of the picture, and whose lens distorts."""


def causal(normalisation: str = "frame", rate: float = 30.0, causal: bool = True) -> LifterNetwork:
    torch.manual_seed(0)
    return LifterNetwork(TemporalNet(TemporalConfig(17, 3, channels=24, causal=causal)).eval(), rate, normalisation)


def track(frames: int, rate: float = 30.0, missing: float = 0.1) -> Track2D:
    random = np.random.default_rng(0)
    points = random.uniform(100, 300, (1, 17, 2)) + np.cumsum(random.normal(0, 2, (frames, 17, 2)), 0)
    points[random.random((frames, 17)) < missing] = np.nan
    blank = np.zeros((frames, 17))
    return Track2D(points, blank + 1, np.arange(frames) / rate, blank > 0, 0, SIZE)


@pytest.mark.parametrize("camera", [CAMERA, ASIDE], ids=["centred", "calibrated"])
@pytest.mark.parametrize("normalisation", ["frame", "screen"])
def test_a_stream_agrees_with_the_whole_track(normalisation: str, camera: Camera) -> None:
    network, observed = causal(normalisation), track(60)
    whole = Lifter(network, torch.device("cpu")).lift(observed, camera)
    stream = LifterStream(network, camera, SIZE)
    predictions = [
        a for time, points in zip(observed.times, observed.points, strict=True) for a in stream.push(time, points)
    ]
    np.testing.assert_allclose([time for time, _ in predictions], observed.times)
    np.testing.assert_allclose([pose for _, pose in predictions], whole.points, atol=1e-5)


@pytest.mark.parametrize("up", [None, np.array([0.1, -0.95, -0.3])])
def test_a_stream_that_knows_up_agrees_with_the_whole_track(up: np.ndarray | None) -> None:
    torch.manual_seed(0)
    config = TemporalConfig(18, 3, joints_out=18, channels=24, causal=True)
    network, observed = LifterNetwork(TemporalNet(config).eval(), 30.0, "level"), track(60)
    whole = Lifter(network, torch.device("cpu")).lift(observed, CAMERA, up)
    stream = LifterStream(network, CAMERA, SIZE, up)
    poses = [pose for time, points in zip(observed.times, observed.points, strict=True)
             for _, pose in stream.push(time, points)]  # fmt: skip
    np.testing.assert_allclose(poses, whole.points, atol=1e-5)


def test_up_is_seen_as_in_the_whole_track() -> None:
    torch.manual_seed(0)
    config = TemporalConfig(18, 3, joints_out=18, channels=24, causal=True)
    network, observed = LifterNetwork(TemporalNet(config).eval(), 30.0, "level"), track(60)
    whole = Lifter(network, torch.device("cpu")).estimate_up(observed, CAMERA)
    stream = LifterStream(network, CAMERA, SIZE)
    assert stream.estimated_up is None
    seen = [stream.estimated_up for time, points in zip(observed.times, observed.points, strict=True)
            for _ in stream.push(time, points)]  # fmt: skip
    np.testing.assert_allclose(seen, whole, atol=1e-5)


def test_a_fresh_stream_has_seen_nothing() -> None:
    stream, observed = LifterStream(causal(), CAMERA, SIZE), track(20)
    frames = list(zip(observed.times, observed.points, strict=True))
    first = [pose for frame in frames for _, pose in stream.push(*frame)]
    fresh = stream.fresh()
    again = [pose for frame in frames for _, pose in fresh.push(*frame)]
    np.testing.assert_array_equal(first, again)


def published(missing: float, gaps_at: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Poses of a stream and of the whole track for a causal network with the input of published weights."""
    torch.manual_seed(0)
    config = TemporalConfig(17, 2, channels=24, causal=True)
    network, observed = LifterNetwork(TemporalNet(config).eval(), 50.0, "picture"), track(60, 50.0, missing)
    if gaps_at is not None:
        observed.points[gaps_at : gaps_at + 8, 3:9] = np.nan
    stream = LifterStream(network, CAMERA, SIZE)
    frames = zip(observed.times, observed.points, strict=True)
    poses = [pose for time, points in frames for _, pose in stream.push(time, points)]
    return np.array(poses), Lifter(network, torch.device("cpu")).lift(observed, CAMERA).points


def test_published_causal_networks_follow_a_stream() -> None:
    streamed, whole = published(0.0)
    np.testing.assert_allclose(streamed, whole, atol=1e-5)


def test_lost_joints_stay_where_they_were_last_seen() -> None:
    """Equal to the whole track until the joints come back: then its window has a frame that is nearer."""
    (streamed, whole), (never, _) = published(0.0, gaps_at=40), published(0.0)
    np.testing.assert_allclose(streamed[:48], whole[:48], atol=1e-5)
    assert np.abs(streamed[48:] - whole[48:]).max() > 1e-4
    assert np.isfinite(streamed).all()
    np.testing.assert_allclose(streamed[:40], never[:40], atol=1e-6)


@pytest.mark.parametrize("rate", [24.0, 50.0])
def test_poses_come_at_the_network_rate_and_not_too_early(rate: float) -> None:
    network, observed = causal(rate=20.0), track(50, rate)
    stream = LifterStream(network, CAMERA, SIZE)
    due: list[float] = []
    for time, points in zip(observed.times, observed.points, strict=True):
        now = [t for t, _ in stream.push(time, points)]
        assert all(time - 1 / rate < t <= time + 1e-6 for t in now)
        due += now
    np.testing.assert_allclose(np.diff(due), 1 / 20)
    assert due[-1] > observed.times[-1] - 1 / 20


@pytest.mark.parametrize("network", [lambda: causal(causal=False), lambda: causal("facing")])
def test_lifters_that_cannot_stream_are_rejected(network: Callable[[], LifterNetwork]) -> None:
    with pytest.raises(SettingsError, match="cannot follow a stream"):
        LifterStream(network(), CAMERA, SIZE)
