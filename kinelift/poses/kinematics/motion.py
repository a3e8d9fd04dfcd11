"""A motion: a rig, and how its nodes are turned over time. Forward kinematics gives the places of the nodes."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation, Slerp

from kinelift.poses.kinematics.rig import Rig
from kinelift.poses.skeleton import Skeleton


@dataclass(frozen=True, eq=False)
class Motion:
    """How one person moves.

    Attributes:
        rig: The nodes at rest.
        times: Time of each frame, s.
        root: The place of the root node, metres.
        rotations: Of each node against its parent, of the root against the world: unit quaternions (x, y, z, w) whose
            signs do not jump.
    """

    rig: Rig
    times: Float[np.ndarray, " T"]
    root: Float[np.ndarray, "T 3"]
    rotations: Float[np.ndarray, "T N 4"]

    def __len__(self) -> int:
        return len(self.times)

    def oriented(self) -> Float[np.ndarray, "T N 4"]:
        """The rotation of each node against the world: unit quaternions (x, y, z, w)."""
        out = self.rotations.copy()
        for node, parent in enumerate(self.rig.parents):
            if parent >= 0:
                out[:, node] = (Rotation.from_quat(out[:, parent]) * Rotation.from_quat(out[:, node])).as_quat()
        return out

    def places(self) -> Float[np.ndarray, "T N 3"]:
        """Forward kinematics: the place of each node in the world, metres."""
        turned, out = self.oriented(), np.zeros((len(self), len(self.rig), 3))
        for node, parent in enumerate(self.rig.parents):
            if parent < 0:
                out[:, node] = self.root
            else:
                out[:, node] = out[:, parent] + Rotation.from_quat(turned[:, parent]).apply(self.rig.offsets[node])
        return out

    def joints(self, skeleton: Skeleton) -> Float[np.ndarray, "T J 3"]:
        """The places of the joints of a skeleton; NaN for those that the rig lacks."""
        places, out = self.places(), np.full((len(self), len(skeleton), 3), np.nan)
        for index, joint in enumerate(skeleton.joints):
            if (node := self.rig.at(joint)) is not None:
                out[:, index] = places[:, node]
        return out

    def at(self, times: Float[np.ndarray, " F"]) -> "Motion":
        """The motion at other times: linear between the frames, held before the first one and after the last one."""
        if len(self) == 1:
            return Motion(
                self.rig, times, np.repeat(self.root, len(times), 0), np.repeat(self.rotations, len(times), 0)
            )
        inside = np.clip(times, self.times[0], self.times[-1])
        root = np.stack([np.interp(inside, self.times, axis) for axis in self.root.T], axis=-1)
        rotations = np.stack(
            [Slerp(self.times, Rotation.from_quat(node))(inside).as_quat() for node in self.rotations.swapaxes(0, 1)], 1
        )
        return Motion(self.rig, times, root, continuous(rotations))


def continuous(quaternions: Float[np.ndarray, "T N 4"]) -> Float[np.ndarray, "T N 4"]:
    """The same rotations, with signs such that neighbouring frames are near each other."""
    flips = (quaternions[1:] * quaternions[:-1]).sum(-1) < 0
    sign = np.cumprod(np.where(flips, -1.0, 1.0), axis=0)
    return np.concatenate([quaternions[:1], quaternions[1:] * sign[..., None]])
