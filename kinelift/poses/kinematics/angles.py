"""Anatomical angles by the conventions of the International Society of Biomechanics (ISB), degrees.

Axes of a segment: X forward, Y up along it, Z to the right. Angles of the left side are those of the mirrored body, so
that the same sign means the same movement on both sides. Sources: Wu et al., ISB recommendation on definitions of joint
coordinate systems, part I (2002: hip, ankle, spine) and II (2005: shoulder, elbow); Grood and Suntay (1983).

Joint centres define less than the bony landmarks of ISB do. Segments have the axes of the rig: the pelvis has the tilt
of the lower back, thigh and upper arm the twist of the knee and the elbow. Of knees and elbows only the flexion is
known, of ankles the dorsiflexion; the rotation of forearms is not.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from kinelift.poses.kinematics.euler import without_gimbal_warning
from kinelift.poses.kinematics.frames import angle_between
from kinelift.poses.kinematics.motion import Motion
from kinelift.poses.kinematics.rig import SIDES
from kinelift.poses.skeleton import Skeleton

Angles = Mapping[str, Float[np.ndarray, " T"]]
STRAIGHT = 15.0
"""Degrees of flexion of knee or elbow below which the rotation of thigh or upper arm about its axis is not given."""
SINGULAR = 15.0
"""Degrees from an arm along the trunk within which plane of elevation and rotation of the shoulder are not given."""
HINGES = {
    "knee_flexion": ("hip", "knee", "ankle"),
    "elbow_flexion": ("shoulder", "elbow", "wrist"),
}
"""The joints whose angle is a flexion: 0 when straight."""
_ISB = Rotation.from_matrix([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
"""ISB's axes (forward, up, right) as columns in the axes of the rig (left, up, forward)."""
_HANGING = Rotation.from_euler("z", -90, degrees=True)
"""The right upper arm's axes at rest, where it points sideways, against those of a hanging one."""
_MIRROR = np.diag([-1.0, 1.0, 1.0])


def flexion(
    points: Float[np.ndarray, "T J 3"], skeleton: Skeleton, joints: tuple[str, str, str]
) -> Float[np.ndarray, " T"]:
    """The angle at the middle one of three joints: 0 when they lie on a line; NaN where one is unknown."""
    first, middle, last = (points[:, skeleton.index(joint)] for joint in joints)
    return angle_between(middle - first, last - middle)


def dorsiflexion(points: Float[np.ndarray, "T J 3"], skeleton: Skeleton, side: str) -> Float[np.ndarray, " T"]:
    """How far toes are raised towards the shank, from a sole perpendicular to it; NaN without heel and toe."""
    if f"{side}_heel" not in skeleton.joints:
        return np.full(len(points), np.nan)
    ankle, knee, heel, toe = (points[:, skeleton.index(f"{side}_{part}")] for part in ("ankle", "knee", "heel", "toe"))
    return 90.0 - angle_between(knee - ankle, toe - heel)


def joint_angles(
    points: Float[np.ndarray, "T J 3"], skeleton: Skeleton, motion: Motion
) -> dict[str, Float[np.ndarray, " T"]]:
    """All angles by name, the left side first; NaN where an angle is unknown or not defined.

    - ``hip_flexion``, ``hip_adduction``, ``hip_rotation`` (inwards): thigh against pelvis, Z-X-Y.
    - ``knee_flexion``, ``elbow_flexion``: the direct angle of three joints, 0 when straight.
    - ``ankle_dorsiflexion``: 0 where the sole is perpendicular to the shank.
    - ``shoulder_plane`` (0 sideways, 90 forward), ``shoulder_elevation``, ``shoulder_rotation`` (inwards): upper arm
      against thorax, Y-X-Y.
    - ``trunk_flexion`` (forward), ``trunk_bending`` (to the right), ``trunk_rotation`` (to the left): thorax against
      pelvis, Z-X-Y.

    Args:
        points: The joints, metres.
        skeleton: Their layout.
        motion: The rotations of the same frames.
    """
    turns = Turns(motion)
    out: dict[str, Float[np.ndarray, " T"]] = {}
    for side in SIDES:
        hinges = {
            name: flexion(points, skeleton, tuple(f"{side}_{joint}" for joint in joints))  # type: ignore[arg-type]
            for name, joints in HINGES.items()
        }
        hip, shoulder = turns.hip(side), turns.shoulder(side)
        bent = hinges["knee_flexion"] >= STRAIGHT
        named = {
            "hip_flexion": hip[:, 0], "hip_adduction": hip[:, 1], "hip_rotation": np.where(bent, hip[:, 2], np.nan),
            "knee_flexion": hinges["knee_flexion"], "ankle_dorsiflexion": dorsiflexion(points, skeleton, side),
            **_shoulder(shoulder, hinges["elbow_flexion"]), "elbow_flexion": hinges["elbow_flexion"],
        }  # fmt: skip
        out |= {f"{side}_{name}": values for name, values in named.items()}
    trunk = turns.trunk()
    return {**out, "trunk_flexion": -trunk[:, 0], "trunk_bending": trunk[:, 1], "trunk_rotation": trunk[:, 2]}


class Turns:
    """Angles between the segments of a motion; NaN for segments whose joints were never seen.

    Args:
        motion: The rotations of the rig.
    """

    def __init__(self, motion: Motion) -> None:
        world, rig = motion.oriented(), motion.rig
        shown = {node.name for node in rig.nodes if node.aim is None or rig.at(node.aim) is not None}
        self._unknown = np.full((len(motion), 3), np.nan)
        self._world = {name: world[:, index] for index, name in enumerate(rig.names) if name in shown}

    def pelvis(self) -> Float[np.ndarray, "T 3"]:
        """Tilt, list and rotation of the pelvis against the world, Z-X-Y."""
        return _cardan(self._segment("hips", "right"))

    def trunk(self) -> Float[np.ndarray, "T 3"]:
        """Extension, bending to the right and rotation to the left of the thorax against the pelvis, Z-X-Y."""
        return self._turn("hips", "upper_back", "right")

    def hip(self, side: str) -> Float[np.ndarray, "T 3"]:
        """Flexion, adduction and inward rotation of a thigh against the pelvis, Z-X-Y."""
        return self._turn("hips", f"{side}_thigh", side)

    def arm(self, side: str) -> Float[np.ndarray, "T 3"]:
        """Flexion, adduction and inward rotation of an upper arm against the thorax, Z-X-Y; 0 when it hangs."""
        return self._turn("upper_back", f"{side}_upper_arm", side)

    def shoulder(self, side: str) -> Float[np.ndarray, "T 3"]:
        """Plane of elevation, elevation and inward rotation of an upper arm against the thorax, Y-X-Y."""
        if not {"upper_back", f"{side}_upper_arm"} <= {*self._world}:
            return self._unknown
        turn = self._segment("upper_back", side).inv() * self._segment(f"{side}_upper_arm", side)
        with without_gimbal_warning():
            first, second, third = turn.as_euler("YXY", degrees=True).T
        return np.stack([_wrapped(first + 180), second, _wrapped(third + 180)], axis=-1)  # elevation is about -X

    def _turn(self, base: str, moved: str, side: str) -> Float[np.ndarray, "T 3"]:
        if not {base, moved} <= {*self._world}:
            return self._unknown
        return _cardan(self._segment(base, side).inv() * self._segment(moved, side))

    def _segment(self, name: str, side: str) -> Rotation:
        """From the ISB axes of a segment to the world, which is mirrored for the left side."""
        turn = Rotation.from_quat(self._world[name])
        if side == "left":
            turn = Rotation.from_matrix(_MIRROR @ turn.as_matrix() @ _MIRROR)
        return turn * _HANGING * _ISB if name.endswith("upper_arm") else turn * _ISB


def _shoulder(angles: Float[np.ndarray, "T 3"], elbow: Float[np.ndarray, " T"]) -> dict[str, Float[np.ndarray, " T"]]:
    """The shoulder's angles where they are defined."""
    plane, elevation, rotation = angles.T
    defined = (elevation >= SINGULAR) & (elevation <= 180 - SINGULAR)
    return {
        "shoulder_plane": np.where(defined, plane, np.nan),
        "shoulder_elevation": elevation,
        "shoulder_rotation": np.where(defined & (elbow >= STRAIGHT), rotation, np.nan),
    }


def _cardan(turn: Rotation) -> Float[np.ndarray, "T 3"]:
    """Angles Z-X-Y, the second from -90 to 90."""
    with without_gimbal_warning():
        return np.asarray(turn.as_euler("ZXY", degrees=True))


def _wrapped(degrees: Float[np.ndarray, " T"]) -> Float[np.ndarray, " T"]:
    return np.asarray((degrees + 180.0) % 360.0 - 180.0)
