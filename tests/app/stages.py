"""Stages that tests can see through: people who walk as told, a lifter and a classifier with known answers."""

import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from kinelift.app.pipeline import Pipeline
from kinelift.app.settings import Settings
from kinelift.detectors.protocol import Detector
from kinelift.detectors.scripted import Scripted
from kinelift.poses import COCO17, H36M17, Action, Frame, People, Poses3D, Skeleton, Track2D, convert
from kinelift.poses.camera import Camera
from kinelift.poses.containers import Recognition

DEPTH = 4.0
"""Metres from the camera to everybody."""

_STANDING = {
    "nose": (0, 0.05), "left_eye": (0.02, 0.03), "right_eye": (-0.02, 0.03),
    "left_ear": (0.04, 0.04), "right_ear": (-0.04, 0.04),
    "left_shoulder": (0.12, 0.2), "right_shoulder": (-0.12, 0.2),
    "left_elbow": (0.16, 0.38), "right_elbow": (-0.16, 0.38),
    "left_wrist": (0.18, 0.52), "right_wrist": (-0.18, 0.52), "left_hip": (0.08, 0.5), "right_hip": (-0.08, 0.5),
    "left_knee": (0.09, 0.75), "right_knee": (-0.09, 0.75), "left_ankle": (0.1, 1.0), "right_ankle": (-0.1, 1.0),
}  # fmt: skip
"""Somebody who stands, in heights of their own: x from the middle, y from the top of the head down."""


def standing(*middles: float, height: float = 80.0, top: float = 20.0, frame: int = 0) -> People:
    """People who stand side by side, their middles at these x in pixels."""
    shape = np.array([_STANDING[joint] for joint in COCO17.joints]) * height
    points = shape + np.array([(x, top) for x in middles]).reshape(-1, 1, 2)
    boxes = np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1)
    count = len(middles)
    return People(frame, points, np.full((count, 17), 0.9), boxes, np.full(count, 0.9))


def script(frames: int, *people: Callable[[int], float | None]) -> Scripted:
    """For every person where they are in each frame; None = not there."""
    where = [[x for x in (person(k) for person in people) if x is not None] for k in range(frames)]
    return Scripted([standing(*middles, frame=k) for k, middles in enumerate(where)])


class WithoutUp:
    """A lifter that does not estimate which way is up."""

    def estimate_up(self, track: Track2D, camera: Camera) -> None:
        """Nothing is known."""


class Flat(WithoutUp):
    """Lifts everybody onto a plane at ``DEPTH``; joints that COCO lacks are NaN."""

    def lift(self, track: Track2D, camera: Camera, up: np.ndarray | None = None) -> Poses3D:
        metres = np.concatenate([camera.plane(track.points) * DEPTH, np.full((*track.scores.shape, 1), DEPTH)], axis=-1)
        hips = metres[:, [COCO17.index("left_hip"), COCO17.index("right_hip")]].mean(axis=1)
        points = convert(metres, COCO17, H36M17) - hips[:, None]
        points[:, H36M17.root] = 0.0
        return Poses3D(points, track.times, hips)


class Limping(WithoutUp):
    """Lifts everybody to somebody who stands, with one leg whose length changes from frame to frame."""

    def lift(self, track: Track2D, camera: Camera, up: np.ndarray | None = None) -> Poses3D:
        plane = convert(camera.plane(track.points), COCO17, H36M17)
        flat = np.concatenate([plane * DEPTH, np.zeros((*plane.shape[:2], 1))], axis=-1)
        hips = flat[:, [H36M17.index("left_hip"), H36M17.index("right_hip")]].mean(axis=1)
        points = flat - hips[:, None]
        points[:, H36M17.index("left_ankle"), 1] += 0.1 * np.sin(track.times * 9)
        for joint, up in (("hip", 0.0), ("spine", 0.25), ("thorax", 0.55), ("neck", 0.65), ("head", 0.8)):
            points[:, H36M17.index(joint)] = [0.0, -up, 0.0]
        return Poses3D(points, track.times, hips + np.array([0.0, 0.0, DEPTH]))


class Waving:
    """Says that everybody waves from their first frame to their last."""

    def recognise(self, poses: Poses3D) -> Recognition:
        return Recognition((Action(float(poses.times[0]), float(poses.times[-1]), "wave", 0.8),))


def pipeline(detector: Detector, **settings: object) -> Pipeline:
    """``Flat`` lifts to what it says: nothing is fitted after it."""
    chosen = Settings(**{"fit": "off"} | settings)
    return Pipeline(detector, Flat(), Waving(), chosen, {"lifter": "flat"})


@dataclass
class Counting:
    """A detector that notes how many pictures are in memory while it works."""

    detector: Detector
    most: int = 0
    alive: "weakref.WeakSet[Frame]" = field(default_factory=weakref.WeakSet)

    @property
    def skeleton(self) -> Skeleton:
        return self.detector.skeleton

    def detect(self, frames: Iterable[Frame]) -> Iterator[People]:
        return self.detector.detect(map(self._count, frames))

    def _count(self, frame: Frame) -> Frame:
        self.alive.add(frame)
        self.most = max(self.most, len(self.alive))
        return frame


@dataclass
class Recorder:
    """A watch that notes what it saw: (what, total, how many came)."""

    seen: list[tuple[str, int | None, int]] = field(default_factory=list)

    def __call__(self, items: Iterable, what: str, total: int | None = None) -> Iterator:
        count = 0
        for item in items:
            yield item
            count += 1
        self.seen.append((what, total, count))
