"""Made-up people for tests of what becomes of recordings."""

import numpy as np

from kinelift.poses import COCO17, H36M17, Action, Person, Poses3D, Recording, Skeleton, Track2D, VideoFacts

RATE = 30000 / 1001


def video(frames: int = 20, width: int = 64, height: int = 48, name: str = "dance") -> VideoFacts:
    return VideoFacts(name, width, height, np.arange(frames) / RATE)


def track(start: int = 0, frames: int = 20, layout: Skeleton = COCO17, seed: int = 0) -> Track2D:
    """Random joints inside a 64 × 48 picture, a fifth of them not seen."""
    chance = np.random.default_rng(seed)
    points = chance.uniform((0, 0), (64, 48), (frames, len(layout), 2))
    scores = chance.uniform(0.3, 1, (frames, len(layout)))
    gone = chance.random(scores.shape) < 0.2
    points[gone], scores[gone] = np.nan, 0.0
    filled = ~gone & (chance.random(scores.shape) < 0.1)
    return Track2D(points, scores, (start + np.arange(frames)) / RATE, filled, start, (64, 48), layout)


def poses(track: Track2D, layout: Skeleton = H36M17, seed: int = 1) -> Poses3D:
    """Random poses at the times of ``track``, with all that can be known of joints.

    Nothing is lifted in the first frame, there is no root in the second, and the last joint was never seen.
    """
    chance = np.random.default_rng(seed)
    points = chance.normal(0, 0.5, (len(track), len(layout), 3))
    points -= points[:, layout.root : layout.root + 1]
    root = chance.normal((0, 0, 4), 0.2, (len(track), 3))
    points[:1], root[:2] = np.nan, np.nan
    contact = chance.random(points.shape[:2]) < 0.1
    seen, error = chance.integers(0, 3, points.shape[:2], np.int8), chance.uniform(0.02, 0.3, points.shape[:2])
    seen[:, -1], error[:1] = 0, np.nan
    return Poses3D(points, track.times, root, layout, contact, seen, error)


def person(number: int, start: int = 0, frames: int = 20) -> Person:
    """Somebody with everything known about them."""
    seen = track(start, frames, seed=number)
    begin, end = float(seen.times[0]), float(seen.times[-1])
    actions = (Action(begin, (begin + end) / 2, "walk", 0.9), Action((begin + end) / 2, end, "unknown", 0.4))
    return Person(number, seen, poses(seen, seed=number), actions)


def recording(*people: Person, frames: int = 20) -> Recording:
    return Recording(video(frames), people, {"detector": "movenet", "focal": "61.5 px"})
