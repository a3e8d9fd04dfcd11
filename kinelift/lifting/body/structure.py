"""The kinematic chains of the body: each joint as a sum of bones.

Both hips lie on one line through the root, so 16 bones have 15 directions. A joint is the root plus the sum of
length × direction along its chain; the same holds for any weighted mean of joints.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from kinelift.lifting.anthropometry import SEGMENT_OF, SEGMENTS, adult
from kinelift.lifting.synthesis.offsets import PARTS
from kinelift.poses import COCO17, H36M17

TIPS = tuple(name for name in H36M17.joints if name not in ("hip", "right_hip"))
"""The joint at the end of each direction. The direction of ``left_hip`` runs from the right hip to the left hip."""
SEGMENT = tuple(SEGMENTS.index(SEGMENT_OF[tip]) for tip in TIPS)
"""The index of the segment that gives each direction its length."""
LIMBS = (
    ("knee", "hip", "thigh"), ("ankle", "knee", "shank"),
    ("elbow", "shoulder", "upper_arm"), ("wrist", "elbow", "forearm"),
)  # fmt: skip
"""Joint, the joint above it, and the segment between them."""
SHOULDER_LINE = 0.92
"""Half the shoulder width as a share of the segment from the thorax to a shoulder."""


def chains() -> Float[np.ndarray, "J D"]:
    """The coefficient of each direction in the chain from the root to each joint: 0, 1, or -1 for the right hip."""
    out = np.zeros((len(H36M17), len(TIPS)))
    for parent, joint in H36M17.outward:
        out[joint] = out[parent]
        name = H36M17.joints[joint]
        if name == "right_hip":
            out[joint, TIPS.index("left_hip")] = -1
        else:
            out[joint, TIPS.index(name)] = 1
    return out


def keypoints_at_joints() -> Float[np.ndarray, "K J"]:
    """COCO keypoints as linear combinations of H36M joints, if detectors placed them at joint centres.

    Returns:
        One row of joint weights per keypoint; NaN for keypoints that are not joints.
    """
    out = np.full((len(COCO17), len(H36M17)), np.nan)
    for k, name in enumerate(COCO17.joints):
        if name in H36M17.joints:
            out[k] = 0
            out[k, H36M17.index(name)] = 1
    return out


def keypoints_with_offsets(offsets: Mapping[str, tuple[float, float, float]]) -> Float[np.ndarray, "K J"]:
    """COCO keypoints as linear combinations of H36M joints, displaced by a detector's offsets.

    Only the part of an offset that a linear combination can express is kept: sideways for hips and shoulders, and
    along the limb or trunk. Metres become shares of a median man's lengths, as the offsets are those of a body about
    that tall.

    Args:
        offsets: Displacement of each part from its joint centre (``lifting.synthesis.offsets``).

    Returns:
        One row of joint weights per keypoint; NaN for keypoints that are not joints.
    """
    size = dict(zip(SEGMENTS, adult("men").tolist(), strict=True))
    trunk, table = size["spine"] + size["thorax"], keypoints_at_joints()
    for side, other in (("left", "right"), ("right", "left")):
        joints = {part: H36M17.index(f"{side}_{part}") for part in PARTS}
        rows = {part: table[COCO17.index(f"{side}_{part}")] for part in PARTS}
        for part, width in (("hip", 2 * size["hip"]), ("shoulder", 2 * SHOULDER_LINE * size["shoulder"])):
            _shift(rows[part], H36M17.index(f"{other}_{part}"), joints[part], offsets[part][0] / width)
            _shift(rows[part], H36M17.index("hip"), H36M17.index("thorax"), offsets[part][1] / trunk)
        for part, above, segment in LIMBS:
            _shift(rows[part], joints[part], joints[above], offsets[part][1] / size[segment])
    return table


def _shift(row: Float[np.ndarray, " J"], start: int, end: int, share: float) -> None:
    """Shift a keypoint by a share of the vector from one joint to another."""
    row[end] += share
    row[start] -= share
