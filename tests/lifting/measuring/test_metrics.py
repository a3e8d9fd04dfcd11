import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from kinelift.lifting.measuring.metrics import aligned, auc, mpjae, mpjpe, mpjve, n_mpjpe, p_mpjpe, pck

seeds = st.integers(0, 2**31)


def poses(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.4, (6, 17, 3))


@given(seeds, st.floats(0.2, 5))
@settings(max_examples=40)
def test_p_mpjpe_is_invariant_to_similarities(seed: int, scale: float) -> None:
    truth = poses(seed)
    turn = Rotation.random(6, rng=seed).as_matrix()
    transformed = scale * truth @ turn + np.random.default_rng(seed).normal(0, 3, (6, 1, 3))
    assert p_mpjpe(transformed, truth) == pytest.approx(0, abs=1e-9)
    assert mpjpe(transformed, truth) > 0.01


@given(seeds)
@settings(max_examples=40)
def test_p_mpjpe_is_not_invariant_to_reflections(seed: int) -> None:
    truth = poses(seed)
    assert p_mpjpe(truth * [-1, 1, 1], truth) > 0.01


@given(seeds)
@settings(max_examples=40)
def test_alignment_minimises_the_squared_error(seed: int) -> None:
    truth, other = poses(seed), poses(seed + 1)
    squared = ((aligned(other, truth) - truth) ** 2).sum()
    assert squared <= ((other - truth) ** 2).sum() + 1e-9
    assert squared <= ((aligned(other * 1.1, truth) - truth) ** 2).sum() + 1e-9


@given(seeds, st.floats(0.2, 5))
@settings(max_examples=40)
def test_n_mpjpe_is_invariant_to_scale_only(seed: int, scale: float) -> None:
    truth = poses(seed)
    assert n_mpjpe(scale * truth, truth) == pytest.approx(0, abs=1e-9)
    assert n_mpjpe(truth + np.array([1.0, 0.0, 0.0]), truth) > 0.01


def test_position_velocity_acceleration_of_known_motions() -> None:
    frames = np.arange(10.0)[:, None, None]
    still = np.zeros((10, 17, 3))
    moving = still + frames * [0.03, 0.04, 0.0]
    falling = still + frames**2 * [0.0, 0.005, 0.0]
    assert mpjpe(still + np.array([3.0, 4.0, 0.0]), still) == pytest.approx(5)
    assert mpjve(moving, still) == pytest.approx(0.05)
    assert mpjae(moving, still) == pytest.approx(0, abs=1e-12)
    assert mpjae(falling, still) == pytest.approx(0.01)


def test_share_of_correct_keypoints() -> None:
    truth = np.zeros((1, 4, 3))
    predicted = truth.copy()
    predicted[0, :, 0] = [0.0, 0.1, 0.149, 0.2]
    assert pck(predicted, truth) == 0.75
    assert auc(truth, truth) == 1
    assert auc(predicted, truth) == pytest.approx(np.mean([pck(predicted, truth, k * 0.005) for k in range(31)]))
    assert 0 < auc(predicted, truth) < pck(predicted, truth)
