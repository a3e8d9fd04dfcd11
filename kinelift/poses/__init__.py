"""The vocabulary that all stages share: skeletons, containers, recordings and errors. Imports no other room."""

from kinelift.poses.containers import Action, Frame, People, Person, Poses3D, Recording, Track2D, VideoFacts
from kinelift.poses.skeleton import COCO17, H36M17, Skeleton, convert, skeleton

__all__ = [
    "COCO17",
    "H36M17",
    "Action",
    "Frame",
    "People",
    "Person",
    "Poses3D",
    "Recording",
    "Skeleton",
    "Track2D",
    "VideoFacts",
    "convert",
    "skeleton",
]
