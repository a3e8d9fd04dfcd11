"""Bone lengths of one person, learned while poses come in, so that limbs do not grow and shrink."""

import numpy as np
from jaxtyping import Float

from kinelift.poses import Skeleton

MEMORY = 400
"""Poses over which lengths are averaged: 20 s at 20 poses per second."""


class RunningLengths:
    """The mean length of each bone over all poses so far, the same on both sides of the body.

    After ``MEMORY`` poses the older ones are forgotten slowly, so that lengths learned in a bad view do not stay.
    """

    def __init__(self, skeleton: Skeleton) -> None:
        """Start without poses of ``skeleton``."""
        self._bones = np.array(skeleton.outward)
        self._other_side = [skeleton.outward.index((skeleton.mirror[a], skeleton.mirror[b])) for a, b in self._bones]
        self._root = skeleton.root
        self._lengths = np.zeros(len(self._bones))
        self._count = 0

    def applied(self, pose: Float[np.ndarray, "J 3"]) -> Float[np.ndarray, "J 3"]:
        """Learn from a pose, and return it with the lengths learned so far.

        Args:
            pose: Finite joints in metres.

        Returns:
            The pose with the same directions of bones and the same place of the root joint.
        """
        bones = pose[self._bones[:, 1]] - pose[self._bones[:, 0]]
        lengths = np.linalg.norm(bones, axis=1)
        self._count = min(self._count + 1, MEMORY)
        self._lengths += ((lengths + lengths[self._other_side]) / 2 - self._lengths) / self._count
        bones *= (self._lengths / lengths.clip(min=1e-9))[:, None]
        out = pose.copy()
        for (parent, joint), bone in zip(self._bones, bones, strict=True):
            out[joint] = out[parent] + bone
        return out
