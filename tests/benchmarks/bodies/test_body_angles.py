"""Angles and lengths of poses whose figures are known."""

import numpy as np
import pytest

from benchmarks.bodies.body_angles import between, flexion, lean, lengths, spread
from benchmarks.bodies.standing import bodies, stand
from kinelift.lifting.anthropometry import SEGMENTS
from kinelift.poses import H36M17, Poses3D

MAN = bodies(0, seed=0)["man"]
JOINTS = len(H36M17)


def test_angles_at_their_ends() -> None:
    x, y = np.array([2.0, 0, 0]), np.array([0, 3.0, 0])
    assert between(x, x) == 0 and between(x, -x) == 180 and between(x, y) == 90
    assert between(x, x + 1e-9 * y) == pytest.approx(np.degrees(1.5e-9), rel=1e-6)


def test_sides_are_told_apart() -> None:
    bent, straight = stand(MAN, knee=40)[:JOINTS], stand(MAN)[:JOINTS]
    left = [H36M17.index(f"left_{part}") for part in ("hip", "knee", "ankle")]
    straight[left] = bent[left]
    np.testing.assert_allclose(flexion(np.stack([straight, bent]), "knee"), [[40, 0], [40, 40]], atol=1e-6)


def test_lean_is_the_trunks() -> None:
    points = stand(MAN)[:JOINTS]
    assert lean(points, np.array([0.0, 1, 0])) == pytest.approx(0, abs=1e-9)
    assert lean(points, np.array([0.0, np.cos(0.3), np.sin(0.3)])) == pytest.approx(np.degrees(0.3))


def test_limbs_that_grow_vary() -> None:
    points = stand(MAN)[:JOINTS] * np.array([0.9, 1.1, np.nan])[:, None, None]
    poses = Poses3D(points, np.arange(3.0))
    np.testing.assert_allclose(
        lengths(poses)["right_shank"], MAN[SEGMENTS.index("shank")] * np.array([0.9, 1.1, np.nan])
    )
    assert spread(poses) == pytest.approx(dict.fromkeys(lengths(poses), 10.0))
