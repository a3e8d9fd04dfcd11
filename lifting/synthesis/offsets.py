"""Where detectors put keypoints, seen from the joint centres that motion capture has: constant in the body's axes.

Axes of a keypoint are x to the person's left, y up and z forward, as in a person who stands with hanging arms:

- hips: the pelvis. y from the middle of the hips to the middle of the shoulders, x along the line from the right hip to
  the left one, made perpendicular to y, z = x × y;
- shoulders: the thorax, the same with the line of the shoulders;
- knees, ankles, elbows and wrists: the bone that ends there. Its y points from the bone's lower to its upper end; its
  axes are those of the bone above (thigh: pelvis, upper arm: thorax) under the smallest rotation that brings y there.

So a knee's front is the side of the kneecap, and an elbow's that of its crook, for as long as the limb does not twist.
"""

from collections.abc import Mapping
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from poses import COCO17

STATURE = 1.75
"""Metres: the height of the body that the offsets are of."""
FIRST = COCO17.index("left_shoulder")
"""The first of the twelve keypoints, shoulders to ankles; those before it are the face."""
BODY = COCO17.joints[FIRST:]
PARTS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
PUBLISHED: Mapping[str, tuple[float, float, float]] = {
    "shoulder": (0.032, -0.005, -0.016),
    "elbow": (0.001, -0.012, 0.012),
    "wrist": (-0.004, 0.001, 0.009),
    "hip": (0.022, -0.015, 0.007),
    "knee": (0.002, 0.010, 0.003),
    "ankle": (0.015, 0.022, 0.0),
}
"""Keypoint minus joint centre of a left joint, metres: the marker positions of Pose2Sim's OpenSim model (its authors
placed them by hand, for HALPE_26, BODY_25 and COCO_133 alike). A right joint's x has the other sign."""

_CHAINS = (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle"))


def signed(parts: Mapping[str, tuple[float, float, float]]) -> Float[Tensor, "12 3"]:
    """Offsets of all ``BODY`` keypoints, out of those of the left ones."""
    rows = []
    for name in BODY:
        side, part = name.split("_")
        x, y, z = parts[part]
        rows.append((x if side == "left" else -x, y, z))
    return torch.tensor(rows)


def axes(points: Float[Tensor, "*B 12 3"]) -> Float[Tensor, "*B 12 3 3"]:
    """Unit vectors x, y and z (rows) of every keypoint's axes; ``points`` in right-handed axes of any orientation."""
    at = {name: points[..., k, :] for k, name in enumerate(BODY)}
    middle = {part: (at[f"left_{part}"] + at[f"right_{part}"]) / 2 for part in ("shoulder", "hip")}
    up = middle["shoulder"] - middle["hip"]
    found: dict[str, Tensor] = {}
    for chain in _CHAINS:
        across = at[f"left_{chain[0]}"] - at[f"right_{chain[0]}"]
        for side in ("left", "right"):
            names = [f"{side}_{part}" for part in chain]
            found[names[0]] = _trunk(across, up)
            for upper, lower in pairwise(names):
                found[lower] = _carried(found[upper], at[upper] - at[lower])
    return torch.stack([found[name] for name in BODY], dim=-3)


def moved(points: Float[Tensor, "*B 12 3"], offsets: Float[Tensor, "*#B 12 3"]) -> Float[Tensor, "*B 12 3"]:
    """``points`` (metres) with each moved by its offset in its own axes."""
    return points + (offsets[..., None, :] @ axes(points))[..., 0, :]


def _trunk(across: Float[Tensor, "*B 3"], up: Float[Tensor, "*B 3"]) -> Float[Tensor, "*B 3 3"]:
    """Axes with y along ``up`` and x as near to ``across`` as that allows."""
    y = torch.nn.functional.normalize(up, dim=-1)
    x = torch.nn.functional.normalize(across - (across * y).sum(-1, keepdim=True) * y, dim=-1)
    return torch.stack([x, y, torch.linalg.cross(x, y)], dim=-2)


def _carried(before: Float[Tensor, "*B 3 3"], up: Float[Tensor, "*B 3"]) -> Float[Tensor, "*B 3 3"]:
    """The axes ``before`` under the smallest rotation that brings their y to ``up``: I + [v] + [v]² / (1 + c)."""
    y = torch.nn.functional.normalize(up, dim=-1)
    old = before[..., 1, :]
    v = torch.linalg.cross(old, y)[..., None, :].expand_as(before)
    c = (old * y).sum(-1)[..., None, None]
    once = torch.linalg.cross(v, before)
    return before + once + torch.linalg.cross(v, once) / (1 + c).clamp_min(1e-6)
