"""Where the camera stands, estimated while people move."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int

from kinelift.lifting.world import up as up_direction
from kinelift.lifting.world.assumed import assumed_world, world_around
from kinelift.poses import Poses3D, World

EVERY = 1.0
"""Seconds between two estimates."""
MEMORY = 600
"""Estimates of the direction up that are remembered."""


@dataclass
class LiveWorld:
    """Up from what the network saw in the last frames, and the floor under the lowest joints of the last seconds.

    The origin stays under the first person's first place.
    """

    now: World | None = None
    _due: float = 0.0
    _ups: deque[Float[np.ndarray, " 3"]] = field(default_factory=lambda: deque(maxlen=MEMORY))
    _first: Poses3D | None = None

    def see(self, up: Float[np.ndarray, " 3"] | None) -> None:
        """Take the direction up that the network sees; None = it sees none."""
        if up is not None:
            self._ups.append(up)

    def is_due(self, time: float) -> bool:
        """Whether the world is to be estimated again at ``time`` (s)."""
        return self.now is None or time >= self._due

    def update(self, people: Sequence[Poses3D], time: float) -> None:
        """Estimate it again.

        Args:
            people: Everybody in the last seconds, camera axes.
            time: Now, s.
        """
        self._due = time + EVERY
        placed = ((poses, _placed(poses)) for poses in people)
        known = [(poses, frames) for poses, frames in placed if len(frames)]
        if not known:
            return
        if self._first is None:
            poses, frames = known[0]
            self._first = poses.frames(int(frames[0]), int(frames[0]) + 1)
        up = up_direction.combine([np.array(self._ups)]) if self._ups else None
        everybody = [self._first, *(poses for poses, _ in known)]
        self.now = assumed_world(everybody) if up is None else world_around(up, everybody)


def _placed(poses: Poses3D) -> Int[np.ndarray, " N"]:
    """The frames in which the place of the root joint is known."""
    return np.flatnonzero([] if poses.root is None else np.isfinite(poses.root).all(1))
