"""Constant offsets of keypoints turn with the body, and are alike on both sides."""

import pytest
import torch
from torch import Tensor

from kinelift.lifting.synthesis import random
from kinelift.lifting.synthesis.offsets import (
    BODY,
    FIRST_BODY_KEYPOINT,
    OFFSETS,
    PARTS,
    PUBLISHED,
    SPREADS,
    add_offsets,
    both_sides,
    keypoint_axes,
)
from kinelift.poses import COCO17

MIRROR = [COCO17.mirror[FIRST_BODY_KEYPOINT + k] - FIRST_BODY_KEYPOINT for k in range(len(BODY))]
HEIGHTS = {"shoulder": 1.4, "elbow": 1.1, "wrist": 0.85, "hip": 0.9, "knee": 0.5, "ankle": 0.08}


def standing() -> Tensor:
    """Hanging arms, straight legs: x to the person's left, y up, z forward."""
    rows = [(0.2 if side == "left" else -0.2, HEIGHTS[part], 0.0) for side, part in (n.split("_") for n in BODY)]
    return torch.tensor(rows, dtype=torch.double)


def bodies(count: int = 50) -> Tensor:
    return torch.randn(count, len(BODY), 3, dtype=torch.double, generator=torch.Generator().manual_seed(0))


def test_axes_of_a_standing_body_are_left_up_and_forward() -> None:
    torch.testing.assert_close(keypoint_axes(standing()), torch.eye(3, dtype=torch.double).expand(12, 3, 3))


def test_axes_are_rotations_whatever_the_pose() -> None:
    found = keypoint_axes(bodies())
    torch.testing.assert_close(found @ found.mT, torch.eye(3, dtype=torch.double).expand_as(found))
    assert torch.linalg.det(found).min() > 0.99


def test_offsets_turn_with_the_body() -> None:
    generator = torch.Generator().manual_seed(1)
    turned = bodies() @ random.uniform_rotations(1, generator)[0].double()
    rotation = torch.linalg.lstsq(bodies()[0], turned[0]).solution
    offsets = both_sides(PUBLISHED).double()
    torch.testing.assert_close(add_offsets(turned, offsets), add_offsets(bodies(), offsets) @ rotation)


def test_a_mirrored_body_has_mirrored_offsets() -> None:
    flip, offsets = torch.tensor([-1.0, 1.0, 1.0]).double(), both_sides(PUBLISHED).double()
    mirrored = bodies()[:, MIRROR] * flip
    torch.testing.assert_close(add_offsets(mirrored, offsets), add_offsets(bodies(), offsets)[:, MIRROR] * flip)


def test_a_bent_knee_keeps_its_front() -> None:
    points = standing()
    ankle = BODY.index("left_ankle")
    points[ankle] = points[BODY.index("left_knee")] + torch.tensor([0.0, 0.0, -0.4])  # bent by a right angle
    left, up, front = keypoint_axes(points)[ankle]
    torch.testing.assert_close(left, left.new_tensor([1.0, 0.0, 0.0]))
    torch.testing.assert_close(up, up.new_tensor([0.0, 0.0, 1.0]))
    torch.testing.assert_close(front, front.new_tensor([0.0, -1.0, 0.0]))


def test_hips_and_shoulders_move_apart_by_twice_their_offset() -> None:
    points = add_offsets(standing(), both_sides(PUBLISHED).double())
    for part in ("hip", "shoulder"):
        left, right = (points[BODY.index(f"{side}_{part}")] for side in ("left", "right"))
        torch.testing.assert_close((left - right)[0].item(), 0.4 + 2 * PUBLISHED[part][0], atol=1e-6, rtol=0)


@pytest.mark.parametrize("detector", OFFSETS)
def test_every_detector_has_plausible_offsets_for_all_parts(detector: str) -> None:
    assert set(OFFSETS[detector]) == set(SPREADS[detector]) == set(PARTS)
    assert both_sides(OFFSETS[detector]).norm(dim=-1).max() < 0.06
    assert all(0.002 < spread < 0.03 for spread in SPREADS[detector].values())
