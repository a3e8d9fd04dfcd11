"""The normal equations of the fit against finite differences of its energy."""

from dataclasses import replace

import numpy as np
import pytest

from kinelift.lifting.anthropometry import adult, prior
from kinelift.lifting.body.accelerations import accelerations, accelerations_transposed, second_derivative_weights
from kinelift.lifting.body.energy import FRAME_DOF, Energy
from kinelift.lifting.body.fit_settings import FitSettings
from kinelift.lifting.body.planted import Planted
from kinelift.lifting.body.problem import Problem, State
from kinelift.lifting.body.solver import solve_banded
from kinelift.lifting.body.steady import Steady
from kinelift.lifting.body.structure import SEGMENT, TIPS, chains, keypoints_at_joints, keypoints_with_offsets
from kinelift.lifting.synthesis.offsets import PUBLISHED
from kinelift.poses import COCO23, H36M21
from kinelift.poses.errors import SettingsError

STEP = 1e-6


def unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


@pytest.fixture(params=[0, 1])
def case(request: pytest.FixtureRequest) -> tuple[Energy, State, np.ndarray]:
    """Five frames of random poses at uneven times, where every term is active."""
    random, frames = np.random.default_rng(request.param), 5
    directions, mean = unit(random.normal(size=(frames, 19, 3))), prior()[0]
    state = State(np.array([0.3, -0.2, 4.0]) + 0.1 * random.normal(size=(frames, 3)), directions)
    table = keypoints_with_offsets(PUBLISHED)
    keypoint_chains = table[np.isfinite(table).all(1)] @ chains()
    points = keypoint_chains @ (np.exp(mean)[list(SEGMENT), None] * directions) + state.root[:, None]
    plane = points[..., :2] / points[..., 2:] + 0.01 * random.normal(size=(frames, 16, 2))
    predicted = unit(directions + 0.3 * random.normal(size=directions.shape))
    times = np.cumsum(random.uniform(0.2, 0.4, frames))
    weight = random.uniform(0.3, 1, (frames, 16))
    problem = Problem(
        plane,
        weight,
        keypoint_chains,
        state.root[:, 2],
        predicted,
        np.exp(mean),
        second_derivative_weights(times),
        weight[:, 0] < 0,
    )
    return Energy(problem, FitSettings(acceleration=5.0, limit=20.0)), state, mean


def test_gradient_matches_finite_differences(case: tuple[Energy, State, np.ndarray]) -> None:
    energy, state, log_lengths = case
    equations = energy.normal_equations(state, log_lengths)

    def derivative(step: np.ndarray) -> float:
        return (energy.value(state.updated(step), log_lengths) - energy.value(state.updated(-step), log_lengths)) / (
            2 * STEP
        )

    units = STEP * np.eye(equations.gradient.size).reshape(-1, *equations.gradient.shape)
    np.testing.assert_allclose(equations.gradient.ravel(), [derivative(one) for one in units], atol=1e-5)
    ends = [
        (energy.value(state, log_lengths + one), energy.value(state, log_lengths - one))
        for one in STEP * np.eye(len(log_lengths))
    ]
    np.testing.assert_allclose(equations.length_gradient, [(a - b) / (2 * STEP) for a, b in ends], atol=1e-5)


def test_gradient_of_planted_feet(case: tuple[Energy, State, np.ndarray]) -> None:
    energy, state, log_lengths = case
    random, count = np.random.default_rng(3), len(state.root)
    heights = -1.0 + 0.02 * random.normal(size=(count, 4))
    intervals = np.append(random.uniform(0.2, 0.4, count - 1), np.inf)
    heights[0] = np.nan
    weight, flight = random.uniform(0, 1, (count, 4)) * (random.uniform(size=(count, 4)) < 0.6), np.arange(count) == 2
    planted = Planted(weight, intervals, heights, unit(np.array([0.1, -1.0, 0.2])), flight)
    settings = replace(energy.settings, planted=1.0, floor=0.5)
    assert_gradient(Energy(replace(energy.problem, planted=planted), settings), state, log_lengths)


def test_gradient_of_somebody_who_stands(case: tuple[Energy, State, np.ndarray]) -> None:
    energy, state, log_lengths = case
    precision = np.array([2.0, 0.0, 30.0, 5.0, 0.0])
    steady = Steady(unit(state.root), precision)
    assert_gradient(Energy(replace(energy.problem, steady=steady), energy.settings), state, log_lengths)
    assert steady.frames(1, 4).precision.tolist() == [0.0, 30.0, 0.0]


def assert_gradient(energy: Energy, state: State, log_lengths: np.ndarray) -> None:
    """The gradient of the frames' unknowns agrees with finite differences."""
    gradient = energy.normal_equations(state, log_lengths).gradient
    units = STEP * np.eye(gradient.size).reshape(-1, *gradient.shape)
    ends = [[energy.value(state.updated(sign * one), log_lengths) for sign in (1, -1)] for one in units]
    np.testing.assert_allclose(gradient.ravel(), [(a - b) / (2 * STEP) for a, b in ends], atol=1e-5)


def test_banded_solver_agrees_with_a_dense_one(case: tuple[Energy, State, np.ndarray]) -> None:
    energy, state, log_lengths = case
    one = energy.normal_equations(state, log_lengths)
    frames = len(state.root)
    dense = np.zeros((frames, FRAME_DOF, frames, FRAME_DOF))
    for o, block in enumerate(one.blocks):
        for t in range(frames - o):
            dense[t + o, :, t] = block[t]
            dense[t, :, t + o] = block[t].T
    flat = dense.reshape(frames * FRAME_DOF, -1) + 1e-6 * np.eye(frames * FRAME_DOF)
    right = np.concatenate([one.gradient[..., None], one.border], -1).reshape(frames * FRAME_DOF, -1)
    result = solve_banded(one, right.reshape(frames, FRAME_DOF, -1), 0.0)
    np.testing.assert_allclose(result, np.linalg.solve(flat, right), rtol=1e-6, atol=1e-9)
    assert np.linalg.eigvalsh(flat).min() > 0


def test_accelerations_of_a_parabola_at_any_times() -> None:
    times = np.array([0.0, 0.1, 0.15, 0.4, 0.43, 1.5, 1.6, 1.65])
    result = accelerations(3 * times**2 - times, second_derivative_weights(times))
    np.testing.assert_allclose(result, [0, 6, 6, 6, 0, 0, 6, 0], atol=1e-9)  # not over the gap of a second


def test_accelerations_transposed_is_the_transpose() -> None:
    random, weights = (
        np.random.default_rng(0),
        second_derivative_weights(np.cumsum(np.random.default_rng(1).uniform(0.1, 0.2, 7))),
    )
    x, y = random.normal(size=(2, 7, 3))
    assert np.isclose((accelerations(x, weights) * y).sum(), (x * accelerations_transposed(y, weights)).sum())


def test_chains_give_joints_and_keypoints() -> None:
    directions = np.random.default_rng(0).normal(size=(1, len(TIPS), 3))
    lengths = np.arange(1.0, 13.0)
    joints = State(np.zeros((1, 3)), directions).joints(lengths)[0]
    knee = directions[0, TIPS.index("left_hip")] * -lengths[0] + directions[0, TIPS.index("right_knee")] * lengths[1]
    np.testing.assert_allclose(joints[H36M21.index("right_knee")], knee)
    np.testing.assert_allclose(joints[H36M21.index("left_hip")], -joints[H36M21.index("right_hip")])
    table = keypoints_at_joints()
    assert np.isnan(table[COCO23.index("nose")]).all()
    np.testing.assert_allclose(table[COCO23.index("left_wrist")] @ joints, joints[H36M21.index("left_wrist")])


def test_offsets_move_keypoints_and_not_the_body() -> None:
    table = keypoints_with_offsets(PUBLISHED)
    known = np.isfinite(table).all(1)
    np.testing.assert_allclose(table[known].sum(1), 1)  # invariant to translation
    upright = np.tile([0.0, -1.0, 0.0], (1, len(TIPS), 1))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        upright[:, TIPS.index(f"{side}_shoulder")] = [0.92 * sign, 0.39, 0]
        for limb in ("knee", "ankle", "elbow", "wrist"):
            upright[:, TIPS.index(f"{side}_{limb}")] = [0, 1, 0]
    upright[:, TIPS.index("left_hip")] = [1, 0, 0]
    joints = State(np.zeros((1, 3)), upright).joints(adult("men").double().numpy())[0]
    offset = table @ joints - keypoints_at_joints() @ joints
    for side, sign in (("left", 1.0), ("right", -1.0)):
        for part, (x, y, _) in PUBLISHED.items():
            wide = x if part in ("hip", "shoulder") else 0
            np.testing.assert_allclose(offset[COCO23.index(f"{side}_{part}")], [sign * wide, -y, 0], atol=2e-3)


@pytest.mark.parametrize("wrong", [{"keypoint": 0.0}, {"direction": -1.0}, {"knee": np.nan}, {"offsets": -0.1}])
def test_settings_out_of_range_are_rejected(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        replace(FitSettings(), **wrong)
