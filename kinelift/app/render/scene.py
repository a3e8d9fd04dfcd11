"""Everybody's poses in one upright world: metres, y up, the floor at 0. All of it is worked out once, before drawing.

The camera's pitch is not known, but people mostly stand: what is up is estimated from their own bodies.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter1d

from kinelift.poses import Poses3D, Recording, Skeleton

UPRIGHT = np.cos(np.radians(35))
"""Trunk and legs this well in line count as standing."""
STEEPEST = np.cos(np.radians(60))
"""No camera is believed to look further up or down than this."""
ROOT_SECONDS = 0.25
"""Standard deviation of the smoothing of paths, for display only: depth from a single view is noisy."""
APART = 1.4
"""Metres between people whose place is not known."""


@dataclass(frozen=True, eq=False)
class Actor:
    """One person in the world: ``joints`` (T, J, 3), NaN where not known, from frame ``start`` of the video on."""

    id: int
    skeleton: Skeleton
    joints: Float[np.ndarray, "T J 3"]
    start: int

    def at(self, frame: int) -> Float[np.ndarray, "J 3"] | None:
        """The pose in a frame of the video, or None."""
        t = frame - self.start
        if not 0 <= t < len(self.joints) or not np.isfinite(self.joints[t]).all():
            return None
        return self.joints[t]


def build(recording: Recording) -> tuple[Actor, ...]:
    """Everybody who was lifted, turned upright and put on one floor, which the whole clip shares: jumps stay jumps."""
    lifted = [(person, person.poses) for person in recording.people if person.poses is not None]
    up = upward([poses for _, poses in lifted])
    turn = level(up)
    actors = []
    for k, (person, poses) in enumerate(lifted):
        place = _path(poses, k) @ turn.T
        joints = poses.points @ turn.T + place[:, None]
        actors.append(Actor(person.id, poses.skeleton, joints, person.track.start))
    return tuple(_grounded(actors))


def upward(people: Sequence[Poses3D]) -> Float[np.ndarray, " 3"]:
    """The direction against gravity in the camera frame: the median of standing bodies' ankle-to-thorax directions.

    The camera's own up (−y) where nobody stands, or where the answer would be further than 60° from it.
    """
    camera_up = np.array([0.0, -1.0, 0.0])
    directions = [_standing(poses) for poses in people]
    found = np.concatenate(directions) if directions else np.zeros((0, 3))
    if len(found) < 5:
        return camera_up
    up = np.median(found, axis=0)
    up /= np.linalg.norm(up)
    return up if up @ camera_up >= STEEPEST else camera_up


def level(up: Float[np.ndarray, " 3"]) -> Float[np.ndarray, "3 3"]:
    """The rotation from camera axes to the world: ``up`` becomes +y, the camera's right stays level, depth is −z."""
    across = np.cross(np.array([0.0, 0.0, 1.0]), up)
    right = across / max(float(np.linalg.norm(across)), 1e-9)
    right = right if right[0] > 0 else -right
    return np.stack([right, up, np.cross(right, up)])


def _standing(poses: Poses3D) -> Float[np.ndarray, "S 3"]:
    """Unit directions from the middle of the ankles to the thorax, of frames that show somebody upright."""
    index = poses.skeleton.index
    feet = (poses.points[:, index("left_ankle")] + poses.points[:, index("right_ankle")]) / 2
    legs = _unit(poses.points[:, poses.skeleton.root] - feet)
    trunk = _unit(poses.points[:, index("thorax")] - poses.points[:, poses.skeleton.root])
    straight = (legs * trunk).sum(1) > UPRIGHT
    return _unit(poses.points[:, index("thorax")] - feet)[straight]


def _unit(vectors: Float[np.ndarray, "T 3"]) -> Float[np.ndarray, "T 3"]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def _path(poses: Poses3D, k: int) -> Float[np.ndarray, "T 3"]:
    """Where the root is, in camera axes, smoothed; people without a place stand side by side."""
    if poses.root is None or not np.isfinite(poses.root).all():
        return np.tile([k * APART, 0.0, 0.0], (len(poses), 1))
    if len(poses) < 3:
        return poses.root
    spread = ROOT_SECONDS / max(float(np.median(np.diff(poses.times))), 1e-3)
    smooth = gaussian_filter1d(poses.root[:, 2], spread, axis=0, mode="nearest")
    return poses.root * (smooth / poses.root[:, 2])[:, None]


def _grounded(actors: list[Actor]) -> list[Actor]:
    """The floor is where the lowest tenth of everybody's lower ankles are."""
    lowest = [a.joints[..., 1].min(1) for a in actors]
    heights = np.concatenate(lowest) if lowest else np.zeros(0)
    heights = heights[np.isfinite(heights)]
    floor = float(np.percentile(heights, 10)) if len(heights) else 0.0
    return [replace(a, joints=a.joints - np.array([0.0, floor, 0.0])) for a in actors]
