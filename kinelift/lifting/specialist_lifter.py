"""Action-specific inference (Bai): lift, recognise actions, then lift each action again with its specialist."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from kinelift.lifting.lifter import Lifter
from kinelift.poses import Action, Poses3D, Skeleton, Track2D
from kinelift.poses.camera import Camera
from kinelift.poses.errors import WeightsError

TABLE = "specialists.json"
"""File that ``lifting specialists`` writes next to its checkpoints."""


@dataclass(frozen=True, eq=False)
class SpecialistLifter:
    """A general lifter, and specialists for some actions.

    Only specialists with a lower measured error than the generalist are used.
    """

    generalist: Lifter
    specialists: Mapping[str, Lifter]
    """By the label that ``recognise`` gives the action."""
    recognise: Callable[[Poses3D], Sequence[Action]]

    @staticmethod
    def load(folder: Path, recognise: Callable[[Poses3D], Sequence[Action]], device: str = "cpu") -> "SpecialistLifter":
        """Load the lifters from a folder written by ``lifting specialists``.

        Raises:
            WeightsError: The folder is no such folder.
        """
        if not (folder / TABLE).is_file():
            raise WeightsError(
                f"The folder {folder} holds no specialists ({TABLE}). Give a checkpoint, the name of registered "
                "weights, or a folder made by kinelift lifting specialists."
            )
        try:
            table = json.loads((folder / TABLE).read_text())
            better = {row["label"]: folder / row["file"] for row in table["actions"] if row["specialist_wins"]}
            generalist = folder / table["generalist"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise WeightsError(
                f"Cannot load specialists from {folder}: {error}. Train them with: kinelift lifting specialists"
            ) from error
        lifters = {label: Lifter.load(path, device) for label, path in better.items()}
        return SpecialistLifter(Lifter.load(generalist, device), lifters, recognise)

    @property
    def source(self) -> Skeleton:
        """The skeleton of the input keypoints."""
        return self.generalist.source

    def estimate_up(self, track: Track2D, camera: Camera) -> Float[np.ndarray, "T 3"] | None:
        """The direction up as the generalist estimates it."""
        return self.generalist.estimate_up(track, camera)

    def lift(self, track: Track2D, camera: Camera, up: Float[np.ndarray, " 3"] | None = None) -> Poses3D:
        """The generalist's poses, replaced by a specialist's for the duration of its action."""
        poses = self.generalist.lift(track, camera, up)
        points, root = poses.points.copy(), None if poses.root is None else poses.root.copy()
        specialised = [action for action in self.recognise(poses) if action.label in self.specialists]
        lifted = {label: self.specialists[label].lift(track, camera, up) for label in {a.label for a in specialised}}
        for action in specialised:
            during = (track.times >= action.start) & (track.times < action.end)
            special = lifted[action.label]
            points[during] = special.points[during]
            if root is not None and special.root is not None:
                root[during] = special.root[during]
        return replace(poses, points=np.asarray(points), root=root)
