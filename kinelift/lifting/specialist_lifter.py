"""Action-specific inference (Bai): lift, recognise the action, lift again with that action's specialist."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from kinelift.lifting.lifter import Lifter
from kinelift.poses import Action, Poses3D, Skeleton, Track2D
from kinelift.poses.camera import Camera
from kinelift.poses.errors import WeightsError

TABLE = "specialists.json"
"""What ``lifting specialists`` writes beside its checkpoints."""


@dataclass(frozen=True, eq=False)
class SpecialistLifter:
    """A generalist with specialists by the label that ``recognise`` gives an action.

    Only actions whose specialist measured better than the generalist have one here.
    """

    generalist: Lifter
    specialists: Mapping[str, Lifter]
    recognise: Callable[[Poses3D], Sequence[Action]]

    @staticmethod
    def load(folder: Path, recognise: Callable[[Poses3D], Sequence[Action]], device: str = "cpu") -> "SpecialistLifter":
        """The lifters of a folder that ``lifting specialists`` wrote. Raises ``WeightsError`` for any other."""
        try:
            table = json.loads((folder / TABLE).read_text())
            better = {row["label"]: folder / row["file"] for row in table["actions"] if row["specialist_wins"]}
            generalist = folder / table["generalist"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise WeightsError(
                f"{folder} holds no specialists: {error}. Train them with: kinelift lifting specialists"
            ) from error
        lifters = {label: Lifter.load(path, device) for label, path in better.items()}
        return SpecialistLifter(Lifter.load(generalist, device), lifters, recognise)

    @property
    def source(self) -> Skeleton:
        """The layout of the keypoints that it takes."""
        return self.generalist.source

    def lift(self, track: Track2D, camera: Camera) -> Poses3D:
        """The generalist's poses, and those of specialists for as long as their actions last."""
        poses = self.generalist.lift(track, camera)
        points, root = poses.points.copy(), None if poses.root is None else poses.root.copy()
        known = [action for action in self.recognise(poses) if action.label in self.specialists]
        again = {label: self.specialists[label].lift(track, camera) for label in {a.label for a in known}}
        for action in known:
            during = (track.times >= action.start) & (track.times < action.end)
            special = again[action.label]
            points[during] = special.points[during]
            if root is not None and special.root is not None:
                root[during] = special.root[during]
        return replace(poses, points=np.asarray(points), root=root)
