from collections.abc import Callable
from math import pi

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from kinelift.lifting.losses import joint_aware, terms
from kinelift.lifting.losses.objective import LossSettings, Objective
from kinelift.lifting.losses.terms import OPERATORS, motion, reprojection
from kinelift.lifting.synthesis import random
from kinelift.poses import H36M17
from kinelift.poses.errors import SettingsError
from kinelift.poses.skeleton import HUMANEVA15

NAMES = [name for name in vars(LossSettings()) if not name.startswith("motion_") or name == "motion_range"]
OFF = dict.fromkeys(NAMES, 0.0)


def random_poses(seed: int, frames: int = 6, joints: int = 17) -> Tensor:
    """Two random people in motion."""
    generator = torch.Generator().manual_seed(seed)
    start = torch.randn(2, 1, joints, 3, generator=generator, dtype=torch.float64)
    return start + 0.1 * torch.randn(2, frames, joints, 3, generator=generator, dtype=torch.float64).cumsum(1)


def term(name: str) -> Callable[[Tensor, Tensor], Tensor]:
    objective = Objective(LossSettings(**{**OFF, name: 1.0}, motion_intervals=(1, 3)), H36M17)  # type: ignore[arg-type]
    return lambda predicted, target: objective(predicted, target)[name]


@pytest.mark.parametrize("name", NAMES)
def test_every_term_is_zero_at_the_target_and_can_be_minimised(name: str) -> None:
    loss, target, initial = term(name), random_poses(0), random_poses(1)
    assert loss(target, target).item() == pytest.approx(0, abs=1e-12)
    predicted = initial.clone().requires_grad_()
    values = []
    optimizer = torch.optim.Adam([predicted], 0.02)
    for _ in range(60):
        value = loss(predicted, target)
        values.append(value.item())
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    assert values[0] > 0
    assert values[-1] < 0.5 * values[0]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("pose", ["all joints coincide", "a straight line"])
def test_gradients_are_finite_on_degenerate_poses(name: str, pose: str) -> None:
    predicted = torch.zeros(1, 5, 17, 3)
    if pose == "a straight line":
        predicted = predicted + torch.arange(17)[:, None] * torch.tensor([0.1, 0.0, 0.0])
    predicted.requires_grad_()
    term(name)(predicted, random_poses(0, 5)[:1].float()).backward()
    assert predicted.grad is not None
    assert predicted.grad.isfinite().all()


@given(st.integers(0, 2**31))
@settings(max_examples=20)
def test_limb_terms_do_not_depend_on_the_axes(seed: int) -> None:
    predicted, target = random_poses(seed), random_poses(seed + 1)
    generator = torch.Generator().manual_seed(seed)
    turn = random.uniform_rotations(2, generator).double()[:, None]
    shift = torch.randn(2, 1, 1, 3, generator=generator)
    for name in ("angle", "distance", "symmetry", "motion_range", "bone_length", "angular_acceleration"):
        torch.testing.assert_close(
            term(name)(predicted @ turn + shift, target), term(name)(predicted, target), rtol=1e-5, atol=1e-9
        )


def test_velocity_is_motion_over_one_frame() -> None:
    predicted, target = random_poses(0), random_poses(1)
    differences = (predicted - target).diff(dim=1)
    torch.testing.assert_close(motion(predicted, target, "subtraction", (1,)), differences.abs().sum(-1).mean())
    torch.testing.assert_close(terms.velocity(predicted, target), differences.norm(dim=-1).mean())
    torch.testing.assert_close(joint_aware.joint_velocity(predicted, target), differences.square().sum(-1).mean())


def test_motion_operators_by_hand() -> None:
    now, later = torch.tensor([[[[1.0, 2.0, 3.0]]]]), torch.tensor([[[[0.0, 1.0, -1.0]]]])
    assert OPERATORS["subtraction"](now, later).tolist() == [[[[-1.0, -1.0, -4.0]]]]
    assert OPERATORS["inner"](now, later).tolist() == [[[[-1.0]]]]
    assert OPERATORS["cross"](now, later).tolist() == [[[[-5.0, 1.0, 1.0]]]]


def test_motion_adds_up_over_intervals() -> None:
    predicted, target = random_poses(0), random_poses(1)
    for operator in OPERATORS:
        total = motion(predicted, target, operator, (1, 2, 4))
        torch.testing.assert_close(total, sum(motion(predicted, target, operator, (t,)) for t in (1, 2, 4)))


def test_angles_and_lengths_of_a_known_pose() -> None:
    pose = torch.zeros(1, 1, 17, 3, dtype=torch.float64)
    joint = {name: i for i, name in enumerate(H36M17.joints)}
    pose[..., joint["left_knee"], :] = torch.tensor([0.0, 0.5, 0.0])
    pose[..., joint["left_ankle"], :] = torch.tensor([0.0, 0.5, 0.3])
    lengths = terms.lengths(pose, H36M17)[0, 0]
    thigh, shank = (
        next(k for k, (_, c) in enumerate(H36M17.bones) if c == joint[n]) for n in ("left_knee", "left_ankle")
    )
    assert lengths[thigh].item() == pytest.approx(0.5, abs=1e-5)
    assert lengths[shank].item() == pytest.approx(0.3, abs=1e-5)
    bend = joint_aware.angles(pose, H36M17)[0, 0]
    assert bend[list(joint_aware._adjacent_bones(H36M17)).index((thigh, shank))].item() == pytest.approx(pi / 2)


def test_distant_roots_weigh_less() -> None:
    predicted, target = random_poses(0, joints=1), random_poses(1, joints=1)
    near, far = (terms.weighted_mpjpe(predicted, target, torch.full((2, 6), 1 / z)) for z in (2.0, 8.0))
    torch.testing.assert_close(near, 4 * far)
    torch.testing.assert_close(
        terms.weighted_mpjpe(predicted, target, torch.ones(2, 6)), terms.mpjpe(predicted, target)
    )


def test_mean_bones_of_two_batches() -> None:
    small, tall = random_poses(0), 1.25 * random_poses(0)
    expected = 0.25 * terms.lengths(small, H36M17).mean()
    torch.testing.assert_close(terms.bone_difference(small, tall, H36M17), expected, rtol=1e-3, atol=0)
    assert terms.bone_difference(small, small.flip(0, 1), H36M17).item() == pytest.approx(0)


def test_reprojection_ignores_invisible_joints() -> None:
    joints = random_poses(0) * 0.3 + torch.tensor([0.0, 0.0, 4.0])
    rays = joints[..., :2] / joints[..., 2:]
    visible = torch.rand(2, 6, 17) < 0.7
    assert reprojection(joints, rays, visible).item() == pytest.approx(0)
    wrong = torch.where(visible[..., None], rays + torch.tensor([0.03, 0.04]), torch.nan)
    assert reprojection(joints, wrong, visible).item() == pytest.approx(0.05)
    shifted_joints = joints.clone().requires_grad_()
    reprojection(shifted_joints, wrong, visible).backward()
    assert shifted_joints.grad is not None
    assert (shifted_joints.grad.abs().sum(-1) > 0).equal(visible)
    assert reprojection(joints, rays, torch.zeros_like(visible)).item() == 0
    behind = (joints - torch.tensor([0.0, 0.0, 9.0])).requires_grad_()
    reprojection(behind, wrong, visible).backward()
    assert behind.grad is not None
    assert behind.grad.isfinite().all()


def test_reprojection_in_pixels_of_a_camera() -> None:
    joints = random_poses(0) * 0.3 + torch.tensor([0.0, 0.0, 4.0])
    visible = torch.ones(2, 6, 17, dtype=torch.bool)
    focal, centre = torch.tensor([1000.0, 900.0]), torch.tensor([640.0, 360.0])

    def pixels(points: Tensor) -> Tensor:
        return focal * points[..., :2] / points[..., 2:] + centre

    assert reprojection(joints, pixels(joints), visible, pixels).item() == pytest.approx(0)
    shifted = pixels(joints) + torch.tensor([3.0, -4.0])
    assert reprojection(joints, shifted, visible, pixels).item() == pytest.approx(5)


def test_reprojection_can_be_minimised() -> None:
    target = random_poses(0) * 0.3 + torch.tensor([0.0, 0.0, 4.0])
    rays, visible = target[..., :2] / target[..., 2:], torch.rand(2, 6, 17) < 0.7
    joints = (random_poses(1) * 0.3 + torch.tensor([0.0, 0.0, 4.0])).requires_grad_()
    optimizer = torch.optim.Adam([joints], 0.02)
    before = reprojection(joints, rays, visible).item()
    for _ in range(60):
        optimizer.zero_grad()
        reprojection(joints, rays, visible).backward()
        optimizer.step()
    assert reprojection(joints, rays, visible).item() < 0.1 * before


def test_symmetry_compares_left_and_right_only() -> None:
    symmetric = random_poses(0)
    left, right = (list(side) for side in zip(*((k, H36M17.mirror[k]) for k in H36M17.left), strict=True))
    symmetric[:, :, left] = symmetric[:, :, right] * torch.tensor([-1.0, 1.0, 1.0])
    middle = [k for k in range(17) if H36M17.mirror[k] == k]
    symmetric[:, :, middle, 0] = 0
    loss = term("symmetry")
    assert loss(symmetric, 1.3 * symmetric).item() == pytest.approx(0, abs=1e-12)
    assert loss(symmetric, random_poses(0)).item() > 0.01


def test_range_of_motion_by_hand() -> None:
    """One knee bends by 90° in the target; nothing moves in the prediction."""
    joint = {name: i for i, name in enumerate(H36M17.joints)}
    bend = torch.linspace(0, pi / 2, 5, dtype=torch.float64)
    still = torch.arange(17)[:, None] * torch.tensor([0.0, 0.1, 0.0], dtype=torch.float64) + torch.zeros(1, 5, 17, 3)
    moving = still.clone()
    knee, ankle = joint["left_knee"], joint["left_ankle"]
    shank = 0.1 * torch.stack([bend.sin(), bend.cos(), torch.zeros(5)], -1)
    moving[:, :, ankle] = moving[:, :, knee] + shank
    angles = joint_aware.angles(still, H36M17).shape[-1]
    assert term("motion_range")(still, moving).item() == pytest.approx((pi / 2) ** 2 / angles, rel=1e-3)


def test_objective_gives_active_weighted_terms() -> None:
    predicted, target = random_poses(0, joints=15), random_poses(1, joints=15)
    loss_settings = LossSettings(mpjpe=2.0, velocity=0.5, motion=0.0)
    weighted = Objective(loss_settings, HUMANEVA15)(predicted, target)
    assert set(weighted) == {"mpjpe", "velocity"}
    torch.testing.assert_close(weighted["mpjpe"], 2 * terms.mpjpe(predicted, target))
    torch.testing.assert_close(weighted["velocity"], 0.5 * terms.velocity(predicted, target))


@pytest.mark.parametrize(
    ("weights", "frames"), [({}, 1), ({"velocity": 1.0}, 2), ({"joint_acceleration": 1.0}, 3), ({"motion": 1.0}, 25)]
)
def test_objective_knows_how_many_frames_it_needs(weights: dict[str, float], frames: int) -> None:
    assert Objective(LossSettings(**weights), H36M17).frames_needed == frames  # type: ignore[arg-type]


def test_objective_rejects_too_few_frames() -> None:
    objective = Objective(LossSettings(motion=1.0, motion_intervals=(2, 6)), H36M17)
    assert all(value.isfinite() for value in objective(random_poses(0, 7), random_poses(1, 7)).values())
    with pytest.raises(SettingsError, match="needs 7 consecutive frames, but there are 6"):
        objective(random_poses(0, 6), random_poses(1, 6))


@pytest.mark.parametrize(
    ("invalid", "message"),
    [
        ({"motion_operator": "outer"}, "subtraction, inner, cross"),
        ({"motion_intervals": (0,)}, "positive"),
        ({"mpjpe": 0.0}, "--loss.mpjpe 1"),
        ({"velocity": -1.0}, "velocity is -1"),
        ({"mpjpe": float("nan")}, "mpjpe is nan"),
    ],
)
def test_objective_rejects_invalid_settings(invalid: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Objective(LossSettings(**invalid), H36M17)  # type: ignore[arg-type]
