"""Turning limbs and upper bodies about the joints that carry them."""

import math

import torch

from kinelift.lifting.synthesis.bank import MOCAP
from kinelift.lifting.synthesis.body import flexion
from kinelift.lifting.synthesis.random import small_rotations
from kinelift.lifting.synthesis.swing import TURNED, swing_limbs

PARENTS = [max(parent, 0) for parent in MOCAP.parents]


def poses(count: int) -> torch.Tensor:
    return torch.randn((count, 5, len(MOCAP), 3), generator=torch.Generator().manual_seed(1))


def test_bones_keep_their_lengths_and_limbs_their_flexion() -> None:
    before = poses(50)
    after = swing_limbs(before, 1.0, 30.0, torch.Generator().manual_seed(0))
    lengths = [(p - p[:, :, PARENTS]).norm(dim=-1) for p in (before, after)]
    torch.testing.assert_close(*lengths, rtol=1e-4, atol=1e-5)
    leg = [MOCAP.index(f"left_{part}") for part in ("hip", "knee", "ankle")]
    torch.testing.assert_close(flexion(after[:, :, leg]), flexion(before[:, :, leg]), rtol=1e-4, atol=1e-4)


def test_a_leg_turns_with_its_foot_and_nothing_else_of_the_body_moves() -> None:
    assert {MOCAP.joints[k] for k in TURNED["left_hip"]} == {
        f"left_{part}" for part in ("knee", "ankle", "big_toe", "small_toe", "heel")
    }
    moved = {k for joints in TURNED.values() for k in joints}
    assert {MOCAP.joints[k] for k in range(len(MOCAP)) if k not in moved} == {"hip", "left_hip", "right_hip", "spine"}


def test_only_the_share_of_samples_changes() -> None:
    before = poses(4000)
    after = swing_limbs(before, 0.3, 20.0, torch.Generator().manual_seed(0))
    knee = MOCAP.index("right_knee")
    changed = (after[:, :, knee] - before[:, :, knee]).abs().amax((1, 2)) > 1e-4
    assert abs(changed.float().mean() - 0.3) < 0.03
    same = swing_limbs(before, 0.0, 20.0, torch.Generator().manual_seed(0))
    torch.testing.assert_close(same, before, atol=1e-5, rtol=0)


def test_small_rotations_have_the_spread_asked_for() -> None:
    spread = torch.full((20000, 1), math.radians(3.0))
    turns = small_rotations(spread, torch.Generator().manual_seed(0))
    about_x = (turns[:, 2, 1] - turns[:, 1, 2]) / 2  # sin(angle) times the axis
    assert abs(math.degrees(about_x.std()) - 3.0) < 0.06
    torch.testing.assert_close(turns @ turns.transpose(1, 2), torch.eye(3).expand_as(turns), atol=1e-5, rtol=0)
