"""From the joints of each motion-capture layout to those of ``MOCAP``, in metres."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinelift.lifting.mocap.kinematics import Motion
from kinelift.lifting.synthesis.bank import FACE, MOCAP
from kinelift.poses.errors import DataError

ACCLAIM_METRES = 0.0254 / 0.45
"""Metres a unit in the CMU database's ASF/AMC and in BVH made from it by MotionBuilder."""

FACE_POINTS = np.array(
    [(0, 0.06, 0.115), (0.032, 0.09, 0.09), (-0.032, 0.09, 0.09), (0.075, 0.07, 0.01), (-0.075, 0.07, 0.01)]
)
"""Nose, eyes and ears in metres from the head's lower joint: rest pose facing +Z, Y up, left at +X. Not measured."""

HEAD_LENGTH = 0.18
"""Metres from the head's lower joint to its top, where a layout has no top."""


@dataclass(frozen=True)
class Layout:
    """Which joint of a file stands for which of ours. Every side is listed once, ``{side}`` and all."""

    joints: Mapping[str, str]
    sides: tuple[str, str]
    """What the file writes for left and right."""
    head: str
    """The joint that carries the head's rotation."""
    metres: float
    """Metres of a unit, unless the legs would then not be a person's."""

    def find(self, joint: str) -> str:
        """The file's name of one of our joints."""
        side, _, part = joint.rpartition("_")
        name = self.joints[part if side else joint]
        return name.format(side=self.sides[side == "right"]) if side else name

    def fits(self, motion: Motion) -> bool:
        """Whether the file has every joint that this layout names."""
        return all(self.find(j) in motion.positions for j in _NEEDED if not (j == "head" and "head" not in self.joints))


_NEEDED = tuple(j for j in MOCAP.joints if j not in FACE and j != "hip")

ACCLAIM = Layout(
    {"hip": "{side}hipjoint", "knee": "{side}femur", "ankle": "{side}tibia", "spine": "lowerback", "thorax": "thorax",
     "neck": "upperneck", "head": "head", "shoulder": "{side}clavicle", "elbow": "{side}humerus",
     "wrist": "{side}radius"},
    ("l", "r"), "head", ACCLAIM_METRES,
)  # fmt: skip

MOTIONBUILDER = Layout(
    {"hip": "{side}UpLeg", "knee": "{side}Leg", "ankle": "{side}Foot", "spine": "Spine", "thorax": "Neck",
     "neck": "Head", "head": "Head_end", "shoulder": "{side}Arm", "elbow": "{side}ForeArm", "wrist": "{side}Hand"},
    ("Left", "Right"), "Head", ACCLAIM_METRES,
)  # fmt: skip

DAZ = Layout(
    {"hip": "{side}Thigh", "knee": "{side}Shin", "ankle": "{side}Foot", "spine": "abdomen", "thorax": "neck",
     "neck": "head", "shoulder": "{side}Shldr", "elbow": "{side}ForeArm", "wrist": "{side}Hand"},
    ("l", "r"), "head", 0.01,
)  # fmt: skip

MAX = Layout(
    {"hip": "{side}Hip", "knee": "{side}Knee", "ankle": "{side}Ankle", "spine": "Chest", "thorax": "lowerneck",
     "neck": "Head", "head": "Head_end", "shoulder": "{side}Shoulder", "elbow": "{side}Elbow", "wrist": "{side}Wrist"},
    ("Left", "Right"), "Head", ACCLAIM_METRES,
)  # fmt: skip
"""CMU's conversion for 3ds Max."""

LAYOUTS = (ACCLAIM, MOTIONBUILDER, DAZ, MAX)

LEG = 0.83
"""Metres from hip to ankle of a straight leg, about: tells in which unit a file is written."""
UNITS = (ACCLAIM_METRES, 0.0254, 0.01, 0.001, 1.0)
"""Metres of the units that files are written in: CMU's, inches, centimetres, millimetres, metres."""


def joints(motion: Motion, layout: Layout) -> Float[np.ndarray, "T J 3"]:
    """The joints of ``MOCAP`` in world metres. The hip is midway between both hips; the face is fixed to the head."""
    out = np.empty((len(motion), len(MOCAP), 3))
    metres = unit(motion, layout)
    for name in _NEEDED:
        if name != "head" or "head" in layout.joints:
            out[:, MOCAP.index(name)] = motion.positions[layout.find(name)] * metres
    left, right, neck, thorax = (MOCAP.index(n) for n in ("left_hip", "right_hip", "neck", "thorax"))
    out[:, MOCAP.index("hip")] = (out[:, left] + out[:, right]) / 2
    if "head" not in layout.joints:
        up = out[:, neck] - out[:, thorax]
        out[:, MOCAP.index("head")] = out[:, neck] + HEAD_LENGTH * up / np.linalg.norm(up, axis=1, keepdims=True)
    face = np.einsum("tij,fj->tfi", motion.rotations[layout.head], FACE_POINTS)
    out[:, [MOCAP.index(name) for name in FACE]] = out[:, neck, None] + face
    return out


def unit(motion: Motion, layout: Layout) -> float:
    """Metres of a unit of the file: the layout's, or the one of ``UNITS`` that gives legs nearest to ``LEG``.

    The layout's unit stands as long as the legs are between half and twice that long.
    """
    hip, knee, ankle = (motion.positions[layout.find(f"left_{part}")][0] for part in ("hip", "knee", "ankle"))
    leg = float(np.linalg.norm(knee - hip) + np.linalg.norm(ankle - knee))
    if leg == 0 or 0.5 < leg * layout.metres / LEG < 2:
        return layout.metres
    return min(UNITS, key=lambda metres: abs(np.log(leg * metres / LEG)))


def recognise(motion: Motion) -> Layout:
    """The layout of a file, by its joints' names. Raises ``DataError`` for none that we know."""
    for layout in LAYOUTS:
        if layout.fits(motion):
            return layout
    names = ", ".join(list(motion.positions)[:6])
    raise DataError(
        f"Unknown bone names ({names}, …). Known: CMU's ASF, its MotionBuilder, DAZ and 3ds Max conversions."
    )


def mend_thorax(motion: Motion, thorax: Float[np.ndarray, " 3"]) -> Motion:
    """Put back the thorax bone that MotionBuilder's conversion dropped: neck, head and arms move up by it.

    ``thorax``: the bone in the rest pose, in the file's unit, in the frame of ``Spine1``.
    """
    shift = np.einsum("tij,j->ti", motion.rotations["Spine1"], thorax)
    moved = {n: p + shift if _above(n) else p for n, p in motion.positions.items()}
    return Motion(moved, motion.rotations, motion.rate)


def risen(motion: Motion) -> Motion:
    """The spine joint one bone further up, for files whose first bone of the spine has no length."""
    return Motion({**motion.positions, "Spine": motion.positions["Spine1"]}, motion.rotations, motion.rate)


def _above(name: str) -> bool:
    parts = ("Neck", "Head", "Shoulder", "Arm", "Hand", "Finger", "Thumb")
    return any(part in name for part in parts)
