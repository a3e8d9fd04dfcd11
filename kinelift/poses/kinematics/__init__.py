"""Poses as joint rotations: from points to rotations, back, and to anatomical angles. Y is up, lengths are metres."""

from kinelift.poses.kinematics.motion import Motion
from kinelift.poses.kinematics.rig import Rig
from kinelift.poses.kinematics.solve import solve

__all__ = ["Motion", "Rig", "solve"]
