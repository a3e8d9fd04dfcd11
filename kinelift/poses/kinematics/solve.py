"""Inverse kinematics: the rotations that give a pose back. Each node points exactly where the recorded joint lies."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from kinelift.poses.errors import DataError
from kinelift.poses.kinematics.frames import aligned, smallest, unit
from kinelift.poses.kinematics.motion import Motion, continuous
from kinelift.poses.kinematics.rig import Node, Rig, build, rest_direction
from kinelift.poses.kinematics.twist import FOOT, HINGE, TRUNK, Clue, poles
from kinelift.poses.skeleton import H36M17, H36M21, Skeleton
from kinelift.poses.timeseries import hold

LEFT, UP, FORWARD = np.eye(3)
Points = Mapping[str, Float[np.ndarray, "T 3"]]


def solve(points: Float[np.ndarray, "T J 3"], times: Float[np.ndarray, " T"], skeleton: Skeleton) -> Motion:
    """The motion of a person.

    Bones have their median lengths; ``Motion.joints`` gives the points back exactly if lengths do not vary. What is
    unknown is held: a frame from the one before, a joint with the rotation of its node.

    Args:
        points: The joints in a world with Y up, metres; NaN where unknown.
        times: Seconds, increasing.
        skeleton: The layout: h36m17 or h36m21.

    Raises:
        DataError: The layout is another one, or no frame has a pose.
    """
    if skeleton not in (H36M17, H36M21):
        raise DataError(f"Rotations need poses of {H36M17} or {H36M21}, not of {skeleton}.")
    valid = np.isfinite(points[:, skeleton.root]).all(-1)
    if not valid.any():
        raise DataError("This person has no 3D pose with a known hip.")
    rig = build(points[valid], skeleton)
    known = {joint: points[valid, index] for index, joint in enumerate(skeleton.joints)}
    rotations = _rotations(rig, known, times[valid])
    rows = np.maximum.accumulate(np.where(valid, np.cumsum(valid) - 1, 0))
    return Motion(rig, times, known["hip"][rows], rotations[rows])


def _rotations(rig: Rig, points: Points, times: Float[np.ndarray, " T"]) -> Float[np.ndarray, "T N 4"]:
    """Each node's rotation against its parent."""
    world = [_hips(points)]
    local = [world[0]]
    for node, parent in zip(rig.nodes[1:], rig.parents[1:], strict=True):
        local.append(_turn(rig, node, _Seen(points, world[parent].inv()), times))
        world.append(world[parent] * local[-1])
    return continuous(np.stack([turn.as_quat() for turn in local], axis=1))


@dataclass(frozen=True, eq=False)
class _Seen:
    """The joints as the axes of a part of the body see them."""

    points: Points
    axes: Rotation

    def bone(self, start: str, end: str) -> Float[np.ndarray, "T 3"]:
        """The unit direction from one joint to another, NaN where unknown."""
        unknown = np.full((len(self.axes), 3), np.nan)
        return self.axes.apply(unit(self.points.get(end, unknown) - self.points.get(start, unknown)))


def _hips(points: Points) -> Rotation:
    """The hips lie on their line exactly. Their tilt, which two points do not show, is that of the lower back."""
    world = _Seen(points, Rotation.identity(len(points["hip"])))
    across = _first_known(world.bone("right_hip", "left_hip"), world.bone("right_shoulder", "left_shoulder"), LEFT)
    return aligned((LEFT, UP), (across, _first_known(world.bone("hip", "spine"), UP)))


def _turn(rig: Rig, node: Node, seen: _Seen, times: Float[np.ndarray, " T"]) -> Rotation:
    """The rotation of a node against its parent; the identity if nothing shows it."""
    rest = rest_direction(rig, node)
    if node.aim is None or rest is None:
        return Rotation.identity(len(times))
    bone = hold(seen.bone(node.joint, node.aim))
    side, _, part = node.name.partition("_")
    match part:
        case "upper_arm":
            crook = Clue(seen.bone(f"{side}_elbow", f"{side}_wrist"), HINGE)
            return aligned((rest, FORWARD), (bone, poles(bone, (rest, FORWARD), (crook,), times)))
        case "thigh":
            clues = Clue(-seen.bone(f"{side}_knee", f"{side}_ankle"), HINGE), Clue(_foot(seen, side), FOOT)
            return aligned((rest, FORWARD), (bone, poles(bone, (rest, FORWARD), clues, times)))
        case "foot" | "heel":
            end, joint = ("heel_end", "heel") if part == "foot" else ("toe", "toe")
            other = rig.offsets[rig.index(f"{side}_{end}")] if f"{side}_{end}" in rig.names else UP
            return aligned((rest, other), (bone, hold(seen.bone(f"{side}_ankle", f"{side}_{joint}"))))
        case "back":
            shoulders = seen.bone("right_shoulder", "left_shoulder")
            clues = Clue(shoulders, TRUNK), Clue(np.broadcast_to(LEFT, bone.shape), TRUNK if side == "lower" else 1.0)
            return aligned((rest, LEFT), (bone, poles(bone, (rest, LEFT), clues, times)))
        case _:
            return smallest(np.broadcast_to(rest, bone.shape), bone)


def _foot(seen: _Seen, side: str) -> Float[np.ndarray, "T 3"]:
    """Where a foot points: from heel to toe, or from the ankle if there is no heel."""
    return _first_known(seen.bone(f"{side}_heel", f"{side}_toe"), seen.bone(f"{side}_ankle", f"{side}_toe"))


def _first_known(*choices: Float[np.ndarray, "*#T 3"]) -> Float[np.ndarray, "T 3"]:
    """In each frame, the first of some vectors that is known."""
    out = choices[0]
    for other in choices[1:]:
        out = np.where(np.isfinite(out), out, other)
    return out
