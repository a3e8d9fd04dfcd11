"""Places all poses in one upright world (metres, y up, floor at 0), computed once before drawing.

The camera's pitch is unknown, but people mostly stand: the vertical is estimated from their bodies.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import gaussian_filter1d

from kinelift.poses import JointState, Poses3D, Recording, Skeleton

MIN_STANDING_COSINE = np.cos(np.radians(35))
"""A person stands if trunk and legs are aligned within 35°."""
MIN_PITCH_COSINE = np.cos(np.radians(60))
"""Estimates of the camera's pitch beyond 60° are rejected."""
ROOT_SIGMA = 0.25
"""Standard deviation (s) of the smoothing of root depths, for display only: monocular depth is noisy."""
PERSON_SPACING = 1.4
"""Distance (metres) between people whose positions are unknown."""


@dataclass(frozen=True, eq=False)
class Actor:
    """One person in the world.

    Args:
        id: The person's id.
        skeleton: The joints.
        joints: Positions in the world (metres, y up); NaN = unknown.
        guessed: Whether a joint is a guess in a frame, because it was not seen there.
        start: The video frame of the first pose.
    """

    id: int
    skeleton: Skeleton
    joints: Float[np.ndarray, "T J 3"]
    guessed: Bool[np.ndarray, "T J"]
    start: int

    def at(self, frame: int) -> Float[np.ndarray, "J 3"] | None:
        """The pose in a frame of the video, NaN where a joint is unknown; None if all are."""
        t = frame - self.start
        if not 0 <= t < len(self.joints) or not np.isfinite(self.joints[t]).any():
            return None
        pose: Float[np.ndarray, "J 3"] = self.joints[t]
        return pose


def build_scene(recording: Recording) -> tuple[Actor, ...]:
    """Rotate all poses upright and place them on one floor.

    The whole clip shares the floor, so that jumps stay visible.
    """
    lifted = [(person, person.poses) for person in recording.people if person.poses is not None]
    rotation = world_rotation(estimate_up([poses for _, poses in lifted]))
    actors = []
    for order, (person, poses) in enumerate(lifted):
        roots = _root_path(poses, order) @ rotation.T
        joints = poses.points @ rotation.T + roots[:, None]
        guessed = np.zeros(joints.shape[:2], bool) if poses.seen is None else poses.seen == JointState.UNSEEN
        actors.append(Actor(person.id, poses.skeleton, joints, guessed, person.track.start))
    return tuple(_place_on_floor(actors))


def estimate_up(people: Sequence[Poses3D]) -> Float[np.ndarray, " 3"]:
    """Estimate the vertical as the median direction from the ankles to the thorax of people who stand.

    Returns:
        A unit vector in the camera frame, against gravity. It is the camera's own up (−y) if hardly anybody stands or
        the estimate differs from that by more than 60°.
    """
    camera_up = np.array([0.0, -1.0, 0.0])
    per_person = [_standing_directions(poses) for poses in people]
    directions = np.concatenate(per_person) if per_person else np.zeros((0, 3))
    if len(directions) < 5:
        return camera_up
    up: Float[np.ndarray, " 3"] = np.median(directions, axis=0)
    up /= np.linalg.norm(up)
    return up if up @ camera_up >= MIN_PITCH_COSINE else camera_up


def world_rotation(up: Float[np.ndarray, " 3"]) -> Float[np.ndarray, "3 3"]:
    """The rotation from camera to world axes.

    Args:
        up: Unit vector against gravity in the camera frame; it becomes +y. The camera's right stays horizontal.
    """
    horizontal = np.cross(np.array([0.0, 0.0, 1.0]), up)
    right = horizontal / max(float(np.linalg.norm(horizontal)), 1e-9)
    right = right if right[0] > 0 else -right
    return np.stack([right, up, np.cross(right, up)])


def _standing_directions(poses: Poses3D) -> Float[np.ndarray, "S 3"]:
    """Unit vectors from the middle of the ankles to the thorax, in the frames in which the person stands."""
    index = poses.skeleton.index
    ankles = (poses.points[:, index("left_ankle")] + poses.points[:, index("right_ankle")]) / 2
    legs = _unit(poses.points[:, poses.skeleton.root] - ankles)
    trunk = _unit(poses.points[:, index("thorax")] - poses.points[:, poses.skeleton.root])
    standing = (legs * trunk).sum(1) > MIN_STANDING_COSINE
    directions: Float[np.ndarray, "S 3"] = _unit(poses.points[:, index("thorax")] - ankles)[standing]
    return directions


def _unit(vectors: Float[np.ndarray, "T 3"]) -> Float[np.ndarray, "T 3"]:
    unit: Float[np.ndarray, "T 3"] = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return unit


def _root_path(poses: Poses3D, order: int) -> Float[np.ndarray, "T 3"]:
    """The smoothed path of the root in the camera frame; people without positions stand side by side."""
    if poses.root is None or not np.isfinite(poses.root).all():
        return np.tile([order * PERSON_SPACING, 0.0, 0.0], (len(poses), 1))
    if len(poses) < 3:
        return poses.root
    sigma = ROOT_SIGMA / max(float(np.median(np.diff(poses.times))), 1e-3)
    depth = gaussian_filter1d(poses.root[:, 2], sigma, axis=0, mode="nearest")
    path: Float[np.ndarray, "T 3"] = poses.root * (depth / poses.root[:, 2])[:, None]
    return path


def _place_on_floor(actors: list[Actor]) -> list[Actor]:
    """Shift everybody so that the floor, the 10th percentile of the lowest joints' heights, is at 0.

    People without ankles count only if nobody has any.
    """
    ankles = [[actor.skeleton.index(f"{side}_ankle") for side in ("left", "right")] for actor in actors]
    whole = [a for a, pair in zip(actors, ankles, strict=True) if np.isfinite(a.joints[:, pair]).any()]
    lowest = [np.nan_to_num(actor.joints[..., 1], nan=np.inf).min(1) for actor in whole or actors]
    heights = np.concatenate(lowest) if lowest else np.zeros(0)
    heights = heights[np.isfinite(heights)]
    floor = float(np.percentile(heights, 10)) if len(heights) else 0.0
    return [replace(actor, joints=actor.joints - np.array([0.0, floor, 0.0])) for actor in actors]
