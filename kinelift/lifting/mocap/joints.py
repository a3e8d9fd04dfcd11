"""Converts the joints of motion capture files, in several bone layouts, to those of ``MOCAP`` in metres."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinelift.lifting.mocap import feet
from kinelift.lifting.mocap.kinematics import JointMotion
from kinelift.lifting.synthesis.bank import MOCAP
from kinelift.poses.errors import DataError
from kinelift.poses.skeleton import FACE

ACCLAIM_METRES = 0.0254 / 0.45
"""Metres per unit in the CMU database's ASF/AMC files and in BVH files that MotionBuilder made from them."""

FACE_POINTS = np.array(
    [(0, 0.06, 0.115), (0.032, 0.09, 0.09), (-0.032, 0.09, 0.09), (0.075, 0.07, 0.01), (-0.075, 0.07, 0.01)]
)
"""Nose, eyes and ears relative to the head's lower joint in metres: facing +Z, Y up, left at +X. Estimated."""

TOES = np.array([0.0, -0.05, 0.18])
"""Tip of the toes relative to the ankle in metres, in the same axes, for files without toes."""

HEAD_LENGTH = 0.18
"""Metres from the head's lower joint to its top, for layouts without the top."""


@dataclass(frozen=True)
class BoneLayout:
    """Names in a file of the joints of ``MOCAP``. Joints of both sides are listed once, with ``{side}`` in the name."""

    joints: Mapping[str, str]
    sides: tuple[str, str]
    """The file's names for left and right."""
    head: str
    """The joint with the head's rotation."""
    foot: str
    """The joint with a foot's rotation."""
    metres: float
    """Metres per unit, unless the legs would then have an implausible length."""

    def find(self, joint: str) -> str:
        """Get the file's name of a joint of ``MOCAP``."""
        side, _, part = joint.partition("_")
        return self.on_side(self.joints[part], side) if part else self.joints[joint]

    def on_side(self, name: str, side: str) -> str:
        """Get the name of the left or right one of two joints."""
        return name.format(side=self.sides[side == "right"])

    def fits(self, motion: JointMotion) -> bool:
        """Tell whether the file has every joint of this layout. Toes may be missing."""
        needed = [j for j in _NEEDED if j in self.joints or j.partition("_")[2] in self.joints]
        return all(self.find(j) in motion.positions for j in needed if not j.endswith("big_toe"))


_MARKERS = tuple(f"{side}_{part}" for side in feet.SIDES for part in ("heel", "small_toe"))
_NEEDED = tuple(j for j in MOCAP.joints if j not in (*FACE, *_MARKERS, "hip"))

ACCLAIM = BoneLayout(
    {"hip": "{side}hipjoint", "knee": "{side}femur", "ankle": "{side}tibia", "spine": "lowerback", "thorax": "thorax",
     "neck": "upperneck", "head": "head", "shoulder": "{side}clavicle", "elbow": "{side}humerus",
     "wrist": "{side}radius", "big_toe": "{side}toes"},
    ("l", "r"), "head", "{side}foot", ACCLAIM_METRES,
)  # fmt: skip

MOTIONBUILDER = BoneLayout(
    {"hip": "{side}UpLeg", "knee": "{side}Leg", "ankle": "{side}Foot", "spine": "Spine", "thorax": "Neck",
     "neck": "Head", "head": "Head_end", "shoulder": "{side}Arm", "elbow": "{side}ForeArm", "wrist": "{side}Hand",
     "big_toe": "{side}ToeBase_end"},
    ("Left", "Right"), "Head", "{side}Foot", ACCLAIM_METRES,
)  # fmt: skip

DAZ = BoneLayout(
    {"hip": "{side}Thigh", "knee": "{side}Shin", "ankle": "{side}Foot", "spine": "abdomen", "thorax": "neck",
     "neck": "head", "shoulder": "{side}Shldr", "elbow": "{side}ForeArm", "wrist": "{side}Hand",
     "big_toe": "{side}Foot_end"},
    ("l", "r"), "head", "{side}Foot", 0.01,
)  # fmt: skip

MAX = BoneLayout(
    {"hip": "{side}Hip", "knee": "{side}Knee", "ankle": "{side}Ankle", "spine": "Chest", "thorax": "lowerneck",
     "neck": "Head", "head": "Head_end", "shoulder": "{side}Shoulder", "elbow": "{side}Elbow", "wrist": "{side}Wrist",
     "big_toe": "{side}Toe_end"},
    ("Left", "Right"), "Head", "{side}Ankle", ACCLAIM_METRES,
)  # fmt: skip
"""CMU's conversion for 3ds Max."""

BONE_LAYOUTS = (ACCLAIM, MOTIONBUILDER, DAZ, MAX)

LEG = 0.83
"""Approximate metres from hip to ankle of a straight leg, to detect the unit of a file."""
UNITS = (ACCLAIM_METRES, 0.0254, 0.01, 0.001, 1.0)
"""Possible units of a file in metres: CMU's, inches, centimetres, millimetres, metres."""


def joints(motion: JointMotion, layout: BoneLayout) -> Float[np.ndarray, "T J 3"]:
    """Convert to the joints of ``MOCAP`` in world metres, with the hip midway between the hips and a rigid face.

    Heels and small toes only mark the axes of the feet (``feet.recorded``) until the motion is retargeted.
    """
    out = np.empty((len(motion), len(MOCAP), 3))
    metres = unit(motion, layout)
    for name in _NEEDED:
        if (name != "head" or "head" in layout.joints) and layout.find(name) in motion.positions:
            out[:, MOCAP.index(name)] = motion.positions[layout.find(name)] * metres
    left, right, neck, thorax = (MOCAP.index(n) for n in ("left_hip", "right_hip", "neck", "thorax"))
    out[:, MOCAP.index("hip")] = (out[:, left] + out[:, right]) / 2
    if "head" not in layout.joints:
        up = out[:, neck] - out[:, thorax]
        out[:, MOCAP.index("head")] = out[:, neck] + HEAD_LENGTH * up / np.linalg.norm(up, axis=1, keepdims=True)
    face = np.einsum("tij,fj->tfi", motion.rotations[layout.head], FACE_POINTS)
    out[:, [MOCAP.index(name) for name in FACE]] = out[:, neck, None] + face
    for side in feet.SIDES:
        ankle, tip, heel, small = (MOCAP.index(f"{side}_{n}") for n in ("ankle", "big_toe", "heel", "small_toe"))
        rotation = motion.rotations[layout.on_side(layout.foot, side)]
        if layout.find(f"{side}_big_toe") not in motion.positions:
            out[:, tip] = out[:, ankle] + rotation @ TOES
        out[:, heel], out[:, small] = feet.recorded(out[:, ankle], out[:, tip], rotation, side)
    return out


def unit(motion: JointMotion, layout: BoneLayout) -> float:
    """Detect the unit of a file, in metres.

    It is the layout's unit if legs then have between half and twice the length ``LEG``. Otherwise it is the one of
    ``UNITS`` that brings them closest to ``LEG``.
    """
    hip, knee, ankle = (motion.positions[layout.find(f"left_{part}")][0] for part in ("hip", "knee", "ankle"))
    leg = float(np.linalg.norm(knee - hip) + np.linalg.norm(ankle - knee))
    if leg == 0 or 0.5 < leg * layout.metres / LEG < 2:
        return layout.metres
    return min(UNITS, key=lambda metres: abs(np.log(leg * metres / LEG)))


def detect_layout(motion: JointMotion) -> BoneLayout:
    """Detect the layout of a file by the names of its joints.

    Raises:
        DataError: The layout is not known.
    """
    for layout in BONE_LAYOUTS:
        if layout.fits(motion):
            return layout
    names = ", ".join(list(motion.positions)[:6])
    raise DataError(
        f"Unknown bone names ({names}, …). Known: CMU's ASF and its MotionBuilder, DAZ and 3ds Max conversions."
    )


def restore_thorax(motion: JointMotion, thorax: Float[np.ndarray, " 3"]) -> JointMotion:
    """Restore the thorax bone that MotionBuilder's conversion omitted, which moves neck, head and arms up.

    Args:
        motion: The file's joints.
        thorax: The bone in the rest pose, in the file's unit and the frame of ``Spine1``.
    """
    shift = np.einsum("tij,j->ti", motion.rotations["Spine1"], thorax)
    shifted = {n: p + shift if _above_thorax(n) else p for n, p in motion.positions.items()}
    return JointMotion(shifted, motion.rotations, motion.rate)


def raise_spine(motion: JointMotion) -> JointMotion:
    """Move the spine joint up one bone, for files in which the first bone of the spine has no length."""
    return JointMotion({**motion.positions, "Spine": motion.positions["Spine1"]}, motion.rotations, motion.rate)


def _above_thorax(name: str) -> bool:
    parts = ("Neck", "Head", "Shoulder", "Arm", "Hand", "Finger", "Thumb")
    return any(part in name for part in parts)
