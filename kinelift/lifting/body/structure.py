"""The body as a sum of bones: which directions and lengths place which joint.

The hips lie at ± one direction, so 16 bones have 15 directions. A joint is the root plus its chain of
length × direction, and so is any linear combination of joints.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from kinelift.lifting.anthropometry import SEGMENT_OF, SEGMENTS, adult
from kinelift.lifting.synthesis.offsets import PARTS
from kinelift.poses import COCO17, H36M17

TIPS = tuple(name for name in H36M17.joints if name not in ("hip", "right_hip"))
"""The joint at the end of each direction; that of ``left_hip`` leads from the right hip to the left one."""
SEGMENT = tuple(SEGMENTS.index(SEGMENT_OF[tip]) for tip in TIPS)
"""The segment whose length belongs to each direction."""
LIMBS = (
    ("knee", "hip", "thigh"), ("ankle", "knee", "shank"),
    ("elbow", "shoulder", "upper_arm"), ("wrist", "elbow", "forearm"),
)  # fmt: skip
"""Joint, the joint above it, and the segment between them."""
SHOULDER_LINE = 0.92
"""Half the distance between the shoulders, a share of the segment from the thorax to one of them."""


def chains() -> Float[np.ndarray, "J D"]:
    """How often each direction occurs between the root and each joint: 1, or -1 for the right hip."""
    out = np.zeros((len(H36M17), len(TIPS)))
    for parent, joint in H36M17.outward:
        out[joint] = out[parent]
        name = H36M17.joints[joint]
        if name == "right_hip":
            out[joint, TIPS.index("left_hip")] = -1
        else:
            out[joint, TIPS.index(name)] = 1
    return out


def centres() -> Float[np.ndarray, "K J"]:
    """Keypoints that lie on joint centres: of every COCO keypoint, its weights of H36M joints. NaN: not a joint."""
    out = np.full((len(COCO17), len(H36M17)), np.nan)
    for k, name in enumerate(COCO17.joints):
        if name in H36M17.joints:
            out[k] = 0
            out[k, H36M17.index(name)] = 1
    return out


def keypoints(parts: Mapping[str, tuple[float, float, float]]) -> Float[np.ndarray, "K J"]:
    """Keypoints beside the joint centres by the offsets of ``lifting.synthesis.offsets``, as sums of joints.

    Of an offset only what such a sum can say is kept: to the side for hips and shoulders, and up. Lengths are those of
    a man, about as tall as the body that the offsets are of. Like ``centres``.
    """
    size = dict(zip(SEGMENTS, adult("men").tolist(), strict=True))
    trunk, out = size["spine"] + size["thorax"], centres()
    for side, other in (("left", "right"), ("right", "left")):
        at = {part: H36M17.index(f"{side}_{part}") for part in PARTS}
        rows = {part: out[COCO17.index(f"{side}_{part}")] for part in PARTS}
        for part, width in (("hip", 2 * size["hip"]), ("shoulder", 2 * SHOULDER_LINE * size["shoulder"])):
            _towards(rows[part], H36M17.index(f"{other}_{part}"), at[part], parts[part][0] / width)
            _towards(rows[part], H36M17.index("hip"), H36M17.index("thorax"), parts[part][1] / trunk)
        for part, above, bone in LIMBS:
            _towards(rows[part], at[part], at[above], parts[part][1] / size[bone])
    return out


def _towards(row: Float[np.ndarray, " J"], start: int, end: int, share: float) -> None:
    """Move a keypoint by a share of the way from one joint to another."""
    row[end] += share
    row[start] -= share
