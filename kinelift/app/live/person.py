"""One person of a live analysis: what was seen of them, their poses and their action."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from kinelift.lifting.causal import CausalLifter, CausalPose
from kinelift.lifting.confidence import with_confidence
from kinelift.poses import Action, Person, Poses3D, Skeleton, Track2D


class Row(NamedTuple):
    """A person in one analysed frame. Points in px, NaN where not seen; ``pose`` is None if there is none."""

    frame: int
    points: Float[np.ndarray, "J 2"]
    scores: Float[np.ndarray, " J"]
    pose: CausalPose | None


@dataclass(eq=False)
class LivePerson:
    """A person who is followed.

    Args:
        id: The tracker's number.
        lifter: Lifts this person.
        target: The joints of its poses.
    """

    id: int
    lifter: CausalLifter
    target: Skeleton
    rows: list[Row] = field(default_factory=list)
    action: Action | None = None
    """What they do now; None if it is not known yet."""
    due: float = 0.0
    """When the action is to be decided again, s."""

    def forget(self, before: int) -> None:
        """Forget all frames before one."""
        del self.rows[: bisect_left(self.rows, before, key=lambda row: row.frame)]

    def since(self, frame: int, times: Sequence[float], size: tuple[int, int], skeleton: Skeleton) -> Person | None:
        """This person from a frame on, with frames counted from there; None if they were not seen since.

        Their only action is the one of now, at all times.

        Args:
            frame: The first frame.
            times: Times of all analysed frames, s. Those that it lacks are left out.
            size: (width, height) of the pictures, px.
            skeleton: Layout of the keypoints.
        """
        begin, end = (bisect_left(self.rows, one, key=lambda row: row.frame) for one in (frame, len(times)))
        rows = self.rows[begin:end]
        if not rows:
            return None
        first, last = rows[0].frame, rows[-1].frame
        at = [row.frame - first for row in rows]
        points = np.full((last - first + 1, len(skeleton), 2), np.nan)
        scores = np.zeros(points.shape[:2])
        poses = np.full((len(points), len(self.target), 3), np.nan)
        root = np.full((len(points), 3), np.nan)
        points[at], scores[at] = [row.points for row in rows], [row.scores for row in rows]
        for k, row in zip(at, rows, strict=True):
            if row.pose is not None:
                poses[k], root[k] = row.pose.points, row.pose.root
        when = np.array(times[first : last + 1])
        track = Track2D(points, scores, when, np.zeros(scores.shape, bool), first - frame, size, skeleton)
        lifted = with_confidence(Poses3D(poses, when, root, self.target), track)
        lasting = None if self.action is None else (replace(self.action, start=0.0, end=inf),)
        return Person(self.id, track, lifted, lasting)
