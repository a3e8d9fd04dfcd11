"""The vocabulary that all stages share: skeletons, containers, recordings and errors. Imports no other room."""

from kinelift.poses.containers import (
    Action,
    ActionWindows,
    Frame,
    JointState,
    People,
    Person,
    Poses3D,
    Recording,
    Track2D,
    VideoFacts,
)
from kinelift.poses.skeleton import COCO17, COCO23, H36M17, H36M21, Skeleton, convert, missing_keypoints, skeleton
from kinelift.poses.world import World

__all__ = [
    "COCO17",
    "COCO23",
    "H36M17",
    "H36M21",
    "Action",
    "ActionWindows",
    "Frame",
    "JointState",
    "People",
    "Person",
    "Poses3D",
    "Recording",
    "Skeleton",
    "Track2D",
    "VideoFacts",
    "World",
    "convert",
    "missing_keypoints",
    "skeleton",
]
