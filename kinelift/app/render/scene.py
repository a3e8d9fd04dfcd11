"""Places all poses in one upright world (metres, y up, floor at 0), computed once before drawing."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import gaussian_filter1d

from kinelift.lifting.world.assumed import assumed_world
from kinelift.poses import JointState, Poses3D, Recording, Skeleton, Track2D

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
        extent: The longer side of the person's keypoints in the picture, pixels; NaN where there are none.
    """

    id: int
    skeleton: Skeleton
    joints: Float[np.ndarray, "T J 3"]
    guessed: Bool[np.ndarray, "T J"]
    start: int
    extent: Float[np.ndarray, " T"]

    def at(self, frame: int) -> Float[np.ndarray, "J 3"] | None:
        """The pose in a frame of the video, NaN where a joint is unknown; None if all are."""
        t = frame - self.start
        if not 0 <= t < len(self.joints) or not np.isfinite(self.joints[t]).any():
            return None
        pose: Float[np.ndarray, "J 3"] = self.joints[t]
        return pose


def build_scene(recording: Recording) -> tuple[Actor, ...]:
    """Place all people in the recording's world. Recordings without one get an assumed world."""
    lifted = [(person, person.poses) for person in recording.people if person.poses is not None]
    paths = [poses.root if recording.world else _root_path(poses, k) for k, (_, poses) in enumerate(lifted)]
    everybody = [replace(poses, root=path) for (_, poses), path in zip(lifted, paths, strict=True)]
    world = recording.world or assumed_world(everybody)
    actors = []
    for order, ((person, _), poses) in enumerate(zip(lifted, everybody, strict=True)):
        root = _root_path(poses, order) if poses.root is None else poses.root
        joints = world.from_camera(poses.points + root[:, None]).astype(np.float32)
        guessed = np.zeros(joints.shape[:2], bool) if poses.seen is None else poses.seen == JointState.UNSEEN
        actors.append(Actor(person.id, poses.skeleton, joints, guessed, person.track.start, _extent(person.track)))
    return tuple(actors)


def _extent(track: Track2D) -> Float[np.ndarray, " T"]:
    known = np.isfinite(track.points)
    high = np.where(known, track.points, -np.inf).max(axis=1, initial=-np.inf)
    low = np.where(known, track.points, np.inf).min(axis=1, initial=np.inf)
    extent: Float[np.ndarray, " T"] = (high - low).max(axis=1)
    return np.where(np.isfinite(extent), extent, np.nan)


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
