"""The kinematic chains of the body: each joint as a sum of bones.

Both hips lie on one line through the root, so 20 bones have 19 directions. A joint is the root plus the sum of
length × direction along its chain; the same holds for any weighted mean of joints.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from kinelift.lifting.anthropometry import SEGMENT_OF, SEGMENTS, adult
from kinelift.lifting.synthesis.offsets import PARTS
from kinelift.poses import COCO23, H36M21, convert

TIPS = tuple(name for name in H36M21.joints if name not in ("hip", "right_hip"))
"""The joint at the end of each direction. The direction of ``left_hip`` runs from the right hip to the left hip."""
SEGMENT = tuple(SEGMENTS.index(SEGMENT_OF[tip]) for tip in TIPS)
"""The index of the segment that gives each direction its length."""
FEET = tuple(H36M21.index(f"{side}_{part}") for side in ("right", "left") for part in ("heel", "toe"))
"""The joints that may rest on the floor."""
SOLES = tuple((TIPS.index(f"{side}_heel"), TIPS.index(f"{side}_toe")) for side in ("right", "left"))
"""Indices of the directions from an ankle to its heel and to its toe."""
FOOT_SHAPE = -0.55
"""Cosine of the angle between them (``anthropometry.HEEL`` and ``BIG_TOE``)."""
LIMBS = (
    ("knee", "hip", "thigh"), ("ankle", "knee", "shank"),
    ("elbow", "shoulder", "upper_arm"), ("wrist", "elbow", "forearm"),
)  # fmt: skip
"""Joint, the joint above it, and the segment between them."""
SHOULDER_LINE = 0.92
"""Half the shoulder width as a share of the segment from the thorax to a shoulder."""


def chains() -> Float[np.ndarray, "J D"]:
    """The coefficient of each direction in the chain from the root to each joint: 0, 1, or -1 for the right hip."""
    out = np.zeros((len(H36M21), len(TIPS)))
    for parent, joint in H36M21.outward:
        out[joint] = out[parent]
        name = H36M21.joints[joint]
        if name == "right_hip":
            out[joint, TIPS.index("left_hip")] = -1
        else:
            out[joint, TIPS.index(name)] = 1
    return out


def keypoints_at_joints() -> Float[np.ndarray, "K J"]:
    """Keypoints of coco23 as linear combinations of h36m21 joints, if detectors placed them at joint centres.

    Returns:
        One row of joint weights per keypoint of coco23; NaN for keypoints that are not joints.
    """
    return convert(np.eye(len(H36M21))[..., None], H36M21, COCO23)[..., 0].T


def keypoints_with_offsets(offsets: Mapping[str, tuple[float, float, float]]) -> Float[np.ndarray, "K J"]:
    """Keypoints of coco23 as linear combinations of h36m21 joints, displaced by a detector's offsets.

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
        joints = {part: H36M21.index(f"{side}_{part}") for part in PARTS}
        rows = {part: table[COCO23.index(f"{side}_{part}")] for part in PARTS}
        for part, width in (("hip", 2 * size["hip"]), ("shoulder", 2 * SHOULDER_LINE * size["shoulder"])):
            _shift(rows[part], H36M21.index(f"{other}_{part}"), joints[part], offsets[part][0] / width)
            _shift(rows[part], H36M21.index("hip"), H36M21.index("thorax"), offsets[part][1] / trunk)
        for part, above, segment in LIMBS:
            _shift(rows[part], joints[part], joints[above], offsets[part][1] / size[segment])
    return table


def _shift(row: Float[np.ndarray, " J"], start: int, end: int, share: float) -> None:
    """Shift a keypoint by a share of the vector from one joint to another."""
    row[end] += share
    row[start] -= share
