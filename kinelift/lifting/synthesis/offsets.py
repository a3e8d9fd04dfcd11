"""Offsets of detected keypoints from the joint centres of motion capture, constant in the body's axes.

For a person who stands with hanging arms, the axes of a keypoint are x to the person's left, y up and z forward:

- hips have the axes of the pelvis: y from the midpoint of the hips to the midpoint of the shoulders, x from the right
  hip to the left one, made perpendicular to y, and z = x × y;
- shoulders have the axes of the thorax, which are the same with the line of the shoulders as x;
- knees, ankles, elbows and wrists have the axes of the bone that ends there. y points from its lower to its upper end.
  The axes are those of the bone above (thigh: pelvis, upper arm: thorax) after the smallest rotation that aligns y.

So z of a knee points to the kneecap, and z of an elbow to its crook, as long as the limb does not twist.
"""

from collections.abc import Mapping
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from kinelift.poses import COCO17

STATURE = 1.75
"""Metres. Height of the body that the offsets refer to."""
FIRST_BODY_KEYPOINT = COCO17.index("left_shoulder")
"""Index of the first of the twelve body keypoints, shoulders to ankles; those before it are the face."""
BODY = COCO17.joints[FIRST_BODY_KEYPOINT:]
"""Names of the twelve body keypoints."""
PARTS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
PUBLISHED: Mapping[str, tuple[float, float, float]] = {
    "shoulder": (0.032, -0.005, -0.016),
    "elbow": (0.001, -0.012, 0.012),
    "wrist": (-0.004, 0.001, 0.009),
    "hip": (0.022, -0.015, 0.007),
    "knee": (0.002, 0.010, 0.003),
    "ankle": (0.015, 0.022, 0.0),
}
"""Keypoint minus joint centre of a left joint, in metres: the marker positions of Pose2Sim's OpenSim model, which its
authors placed by hand, the same for HALPE_26, BODY_25 and COCO_133. For a right joint x has the opposite sign."""
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
"""Keypoint of a detector (``--refine``) minus the consensus of all three, in metres, in the axes of ``PUBLISHED``.
Measured by ``python -m benchmarks.keypoints.keypoint_offsets``, 2026-11-27, on two people, a man and a rendered woman.
``full`` and ``heavy`` are of one family, so the consensus is closer to them than to MoveNet alone (``none``), whose
hips are 2 cm higher."""
OFFSETS: Mapping[str, Mapping[str, tuple[float, float, float]]] = {
    detector: {part: (x + u, y + v, z + w) for part, (u, v, w) in parts.items() for x, y, z in [PUBLISHED[part]]}
    for detector, parts in DIFFERENCES.items()
}
"""Keypoint of each detector minus joint centre, in metres, for a left joint of a body of height ``STATURE``."""
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
"""Standard deviation per coordinate, in metres, of the remaining constant offset of a person, side and view. Measured
with ``DIFFERENCES``. It does not include errors of the published offsets that all detectors share."""

_CHAINS = (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle"))


def both_sides(parts: Mapping[str, tuple[float, float, float]]) -> Float[Tensor, "12 3"]:
    """Extend the offsets of left keypoints to all ``BODY`` keypoints."""
    rows = []
    for name in BODY:
        side, part = name.split("_")
        x, y, z = parts[part]
        rows.append((x if side == "left" else -x, y, z))
    return torch.tensor(rows)


def keypoint_axes(points: Float[Tensor, "*B 12 3"]) -> Float[Tensor, "*B 12 3 3"]:
    """Compute the axes of every keypoint.

    Args:
        points: ``BODY`` joints in any right-handed frame.

    Returns:
        Unit vectors x, y and z as rows.
    """
    at = {name: points[..., k, :] for k, name in enumerate(BODY)}
    middle = {part: (at[f"left_{part}"] + at[f"right_{part}"]) / 2 for part in ("shoulder", "hip")}
    up = middle["shoulder"] - middle["hip"]
    frames: dict[str, Tensor] = {}
    for chain in _CHAINS:
        across = at[f"left_{chain[0]}"] - at[f"right_{chain[0]}"]
        for side in ("left", "right"):
            names = [f"{side}_{part}" for part in chain]
            frames[names[0]] = _trunk(across, up)
            for upper, lower in pairwise(names):
                frames[lower] = _align_axes(frames[upper], at[upper] - at[lower])
    return torch.stack([frames[name] for name in BODY], dim=-3)


def add_offsets(points: Float[Tensor, "*B 12 3"], offsets: Float[Tensor, "*#B 12 3"]) -> Float[Tensor, "*B 12 3"]:
    """Move each of ``points`` (metres) by its offset in its own axes."""
    return points + (offsets[..., None, :] @ keypoint_axes(points))[..., 0, :]


def _trunk(across: Float[Tensor, "*B 3"], up: Float[Tensor, "*B 3"]) -> Float[Tensor, "*B 3 3"]:
    """Build axes with y along ``up`` and x as close to ``across`` as possible."""
    y = torch.nn.functional.normalize(up, dim=-1)
    x = torch.nn.functional.normalize(across - (across * y).sum(-1, keepdim=True) * y, dim=-1)
    return torch.stack([x, y, torch.linalg.cross(x, y)], dim=-2)


def _align_axes(axes: Float[Tensor, "*B 3 3"], up: Float[Tensor, "*B 3"]) -> Float[Tensor, "*B 3 3"]:
    """Apply to ``axes`` the smallest rotation that aligns their y with ``up``: I + [v] + [v]² / (1 + c)."""
    y = torch.nn.functional.normalize(up, dim=-1)
    old = axes[..., 1, :]
    v = torch.linalg.cross(old, y)[..., None, :].expand_as(axes)
    c = (old * y).sum(-1)[..., None, None]
    once = torch.linalg.cross(v, axes)
    rotated: Tensor = axes + once + torch.linalg.cross(v, once) / (1 + c).clamp_min(1e-6)
    return rotated
