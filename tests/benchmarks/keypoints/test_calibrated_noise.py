"""Noise that was put in is found again."""

import numpy as np
import pytest

from benchmarks.bodies.rig import SIZE, View
from benchmarks.keypoints.calibrated_noise import Errors, errors, figures
from benchmarks.keypoints.noise_figures import SPREAD
from kinelift.poses import COCO17, Track2D
from kinelift.poses.camera import Camera, Extrinsics

FRAMES = 400
VIEW = View(Camera.from_focal(1500.0, SIZE), Extrinsics(np.eye(3), np.zeros(3)), [])


def truth() -> np.ndarray:
    """Somebody who stands still, 4 m away."""
    body = np.random.default_rng(5).normal(size=(17, 3)) * [0.2, 0.4, 0.1] + [0, 0, 4]
    return np.repeat(body[None], FRAMES, axis=0)


def read(noise: np.ndarray, lost: np.ndarray | None = None) -> Errors:
    """What is found of keypoints that are off by ``noise``, in shares of the person's size."""
    image = VIEW.image(truth())
    size = np.sqrt(np.square(image - image.mean(axis=1, keepdims=True)).sum(-1).mean())
    points = image + size * noise + 20.0  # a constant error, which does not count
    if lost is not None:
        points[lost] = np.nan
    seen = np.isfinite(points[..., 0])
    return errors(VIEW, Track2D(points, seen * 1.0, np.arange(FRAMES) / 60, ~seen, 0, SIZE), truth())


def white(seed: int = 0) -> np.ndarray:
    return 0.02 * np.array(SPREAD)[:, None] * np.random.default_rng(seed).normal(size=(FRAMES, 17, 2))


def test_white_noise_is_jitter_of_its_size_and_spread() -> None:
    found = figures([read(white())])
    assert found["jitter"] > 0.95
    assert found["level"]["50 %"] == pytest.approx(0.02 * 1.5**0.5, rel=0.05)
    for name in ("nose", "wrist"):
        assert found["spread"][name] == pytest.approx(SPREAD[COCO17.index(f"left_{name}" if name != "nose" else name)],
                                                      rel=0.1)  # fmt: skip
    assert found["stray"]["share"] == found["swap"]["share"] == found["lost"]["share"] == 0


def test_slow_noise_is_drift() -> None:
    knots = np.random.default_rng(1).normal(size=(FRAMES // 12 + 2, 17, 2)) * 0.03
    frames = np.arange(FRAMES) / 12  # a fifth of a second from value to value
    slow = knots[frames.astype(int)] * (1 - frames % 1)[:, None, None]
    slow = slow + knots[frames.astype(int) + 1] * (frames % 1)[:, None, None]
    found = figures([read(slow)])
    assert found["jitter"] < 0.2
    assert 0.12 < found["drift_seconds"] < 0.3


def test_strays_and_exchanged_legs_are_told_apart() -> None:
    noise = white()
    noise[100:110, COCO17.index("nose")] += 0.5
    found = figures([read(noise)])
    assert found["stray"]["share"] == pytest.approx(10 / FRAMES / 17)
    assert found["swap"]["share"] == 0


def test_a_face_is_lost_as_a_group_only_if_all_of_it_is() -> None:
    lost = np.zeros((FRAMES, 17), dtype=bool)
    lost[:40, :5] = True
    lost[100:200, 0] = True
    found = figures([read(white(), lost)])
    assert found["groups"]["face"]["share"] == pytest.approx(0.1)
    assert found["groups"]["leg"]["share"] == 0
