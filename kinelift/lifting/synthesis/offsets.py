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

from kinelift.poses import COCO17

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
DIFFERENCES: Mapping[str, Mapping[str, tuple[float, float, float]]] = {
    "none": {
        "shoulder": (0.002, 0.0012, 0.0001),
        "elbow": (0.0018, -0.0008, -0.0004),
        "wrist": (0.0013, 0.0017, -0.0006),
        "hip": (0.0037, 0.0196, 0.0018),
        "knee": (-0.0007, -0.0013, 0.0029),
        "ankle": (0.0002, -0.0033, 0.0003),
    },
    "full": {
        "shoulder": (-0.0009, -0.0004, 0.0016),
        "elbow": (0.0002, 0.0018, 0.0005),
        "wrist": (0.0004, 0.0007, 0.0017),
        "hip": (-0.0027, -0.0038, -0.0022),
        "knee": (0.0007, 0.0044, -0.0006),
        "ankle": (0.0, 0.0045, 0.0002),
    },
    "heavy": {
        "shoulder": (-0.0004, -0.0007, -0.0016),
        "elbow": (-0.0022, -0.0005, -0.0003),
        "wrist": (-0.0015, -0.0013, -0.0003),
        "hip": (-0.0011, -0.0092, -0.0022),
        "knee": (0.0, -0.0031, -0.0023),
        "ankle": (-0.0001, -0.0013, 0.0),
    },
}
"""Keypoint of a detector (``--refine``) minus what all three say together, metres, as ``PUBLISHED``:
``python -m benchmarks.keypoints.keypoint_offsets``, 2026-11-27, on two people, a man and a rendered woman. ``full`` and
``heavy`` are of one family, and so weigh more in what all say than MoveNet alone (``none``), whose hips lie 2 cm
higher."""
OFFSETS: Mapping[str, Mapping[str, tuple[float, float, float]]] = {
    detector: {part: (x + u, y + v, z + w) for part, (u, v, w) in parts.items() for x, y, z in [PUBLISHED[part]]}
    for detector, parts in DIFFERENCES.items()
}
"""Keypoint of each detector minus joint centre, metres, of a left joint of a body ``STATURE`` tall."""
SPREADS: Mapping[str, Mapping[str, float]] = {
    "none": {
        "shoulder": 0.0082,
        "elbow": 0.0097,
        "wrist": 0.0095,
        "hip": 0.0175,
        "knee": 0.0095,
        "ankle": 0.0095,
    },
    "full": {
        "shoulder": 0.0071,
        "elbow": 0.0094,
        "wrist": 0.0058,
        "hip": 0.0135,
        "knee": 0.0084,
        "ankle": 0.0096,
    },
    "heavy": {
        "shoulder": 0.0067,
        "elbow": 0.0087,
        "wrist": 0.0052,
        "hip": 0.0128,
        "knee": 0.0081,
        "ankle": 0.0072,
    },
}
"""Standard deviation of a coordinate, metres, of what is constant besides, for a person, side and view: measured with
``DIFFERENCES``. It does not hold by how much the published offsets are wrong for a person, in all detectors alike."""

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
