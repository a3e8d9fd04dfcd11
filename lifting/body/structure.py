"""The body as a sum of bones: which directions and lengths place which joint.

The hips lie at ± one direction, so 16 bones have 15 directions. A joint is the root plus its chain of
length × direction, and so is any linear combination of joints.
"""

import numpy as np
from jaxtyping import Float

from lifting.anthropometry import SEGMENT_OF, SEGMENTS
from poses import COCO17, H36M17

TIPS = tuple(name for name in H36M17.joints if name not in ("hip", "right_hip"))
"""The joint at the end of each direction; that of ``left_hip`` leads from the right hip to the left one."""
SEGMENT = tuple(SEGMENTS.index(SEGMENT_OF[tip]) for tip in TIPS)
"""The segment whose length belongs to each direction."""
JOINTS = len(H36M17)


def chains() -> Float[np.ndarray, "17 15"]:
    """How often each direction occurs between the root and each joint: 1, or -1 for the right hip."""
    out = np.zeros((JOINTS, len(TIPS)))
    for parent, joint in H36M17.outward:
        out[joint] = out[parent]
        name = H36M17.joints[joint]
        if name == "right_hip":
            out[joint, TIPS.index("left_hip")] = -1
        else:
            out[joint, TIPS.index(name)] = 1
    return out


def centres() -> Float[np.ndarray, "17 17"]:
    """Keypoints that lie on joint centres: of every COCO keypoint, its weights of H36M joints. NaN: not a joint."""
    out = np.full((len(COCO17), JOINTS), np.nan)
    for k, name in enumerate(COCO17.joints):
        if name in H36M17.joints:
            out[k] = 0
            out[k, H36M17.index(name)] = 1
    return out


def published() -> Float[np.ndarray, "17 17"]:
    """Keypoints where Pose2Sim's marker files have them: hips 26 % and shoulders 19 % wider apart than the joints, hips
    15 mm lower, knees 10 mm and ankles 22 mm higher.
    """
    out = centres()
    for side, other in (("left", "right"), ("right", "left")):
        hip, knee, ankle, shoulder = (H36M17.index(f"{side}_{part}") for part in ("hip", "knee", "ankle", "shoulder"))
        rows = {part: out[COCO17.index(f"{side}_{part}")] for part in ("hip", "knee", "ankle", "shoulder")}
        _towards(rows["hip"], H36M17.index("hip"), hip, 0.26)
        _towards(rows["hip"], H36M17.index("spine"), H36M17.index("hip"), 0.06)
        _towards(rows["knee"], knee, hip, 0.025)
        _towards(rows["ankle"], ankle, knee, 0.055)
        _towards(rows["shoulder"], H36M17.index(f"{other}_shoulder"), shoulder, 0.095)
    return out


def _towards(row: Float[np.ndarray, " 17"], start: int, end: int, share: float) -> None:
    """Move a keypoint by a share of the way from one joint to another."""
    row[end] += share
    row[start] -= share
