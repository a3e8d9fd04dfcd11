"""What travels between the stages. NaN = not seen, None = not computed, zero is a coordinate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, UInt8

from kinelift.poses.camera import Camera
from kinelift.poses.errors import ShapeError
from kinelift.poses.skeleton import COCO17, H36M17, Skeleton


@dataclass(frozen=True, eq=False)
class Frame:
    """One upright picture with square pixels: ``image`` RGB, ``time`` in seconds from the start of the stream."""

    index: int
    time: Fraction
    image: UInt8[np.ndarray, "H W 3"]


@dataclass(frozen=True, eq=False)
class People:
    """Everybody that a detector found in one frame.

    ``points`` in pixels (x right, y down, pixel centres at +0.5), NaN where a joint was not found; ``scores`` 0–1;
    ``boxes`` (x1, y1, x2, y2) in pixels; ``confidence`` 0–1, one a person. N = 0 where nobody was seen.
    """

    frame: int
    points: Float[np.ndarray, "N J 2"]
    scores: Float[np.ndarray, "N J"]
    boxes: Float[np.ndarray, "N 4"]
    confidence: Float[np.ndarray, " N"]

    def __post_init__(self) -> None:
        n, j = self.points.shape[:2]
        _expect("scores", self.scores, (n, j))
        _expect("boxes", self.boxes, (n, 4))
        _expect("confidence", self.confidence, (n,))

    def __len__(self) -> int:
        return len(self.points)

    def only(self, rows: Sequence[int]) -> "People":
        """Some of the people, in this order."""
        which = list(rows)
        return People(self.frame, self.points[which], self.scores[which], self.boxes[which], self.confidence[which])

    def and_also(self, others: "People") -> "People":
        """These people and then the others, as of this frame."""
        pairs = (
            (self.points, others.points),
            (self.scores, others.scores),
            (self.boxes, others.boxes),
            (self.confidence, others.confidence),
        )
        return People(self.frame, *map(np.concatenate, pairs))

    @staticmethod
    def nobody(frame: int, joints: int) -> "People":
        """A frame in which nobody was seen."""
        return People(frame, np.zeros((0, joints, 2)), np.zeros((0, joints)), np.zeros((0, 4)), np.zeros(0))


@dataclass(frozen=True, eq=False)
class Track2D:
    """One person over consecutive frames of a video.

    ``points`` in pixels, NaN = not seen; ``scores`` 0–1, 0 = not seen; ``times`` in seconds; ``start`` = index of the
    first frame in the video; ``size`` = (width, height) of the picture; ``filled`` marks interpolated joints.
    """

    points: Float[np.ndarray, "T J 2"]
    scores: Float[np.ndarray, "T J"]
    times: Float[np.ndarray, " T"]
    filled: Bool[np.ndarray, "T J"]
    start: int
    size: tuple[int, int]
    skeleton: Skeleton = COCO17

    def __post_init__(self) -> None:
        t = len(self.points)
        _expect("points", self.points, (t, len(self.skeleton), 2))
        _expect("scores", self.scores, (t, len(self.skeleton)))
        _expect("times", self.times, (t,))
        _expect("filled", self.filled, (t, len(self.skeleton)))

    def __len__(self) -> int:
        return len(self.points)

    @property
    def stop(self) -> int:
        """Index of the frame after the last one."""
        return self.start + len(self)

    def mirrored(self) -> "Track2D":
        """The same movement in a mirror: x reflected about the picture's centre, sides swapped."""
        swap = list(self.skeleton.mirror)
        points = self.points[:, swap] * [-1.0, 1.0] + [float(self.size[0]), 0.0]
        return replace(self, points=points, scores=self.scores[:, swap], filled=self.filled[:, swap])


@dataclass(frozen=True, eq=False)
class Poses3D:
    """One person's 3D poses: metres in the camera frame (x right, y down, z forward).

    ``points`` are relative to the skeleton's root joint; ``root`` is the root's place in the camera frame, or None
    where it was not computed.
    """

    points: Float[np.ndarray, "T J 3"]
    times: Float[np.ndarray, " T"]
    root: Float[np.ndarray, "T 3"] | None = None
    skeleton: Skeleton = H36M17

    def __post_init__(self) -> None:
        t = len(self.points)
        _expect("points", self.points, (t, len(self.skeleton), 3))
        _expect("times", self.times, (t,))
        if self.root is not None:
            _expect("root", self.root, (t, 3))

    def __len__(self) -> int:
        return len(self.points)

    def mirrored(self) -> "Poses3D":
        """The same movement in a mirror: x negated, sides swapped."""
        flip = np.array([-1.0, 1.0, 1.0])
        root = None if self.root is None else self.root * flip
        return replace(self, points=self.points[:, list(self.skeleton.mirror)] * flip, root=root)


@dataclass(frozen=True)
class Action:
    """What a person does from ``start`` to ``end`` (seconds), with its mean probability 0–1."""

    start: float
    end: float
    label: str
    probability: float


@dataclass(frozen=True, eq=False)
class Person:
    """One identity in a video. ``poses`` and ``actions`` are None until their stage has run."""

    id: int
    track: Track2D
    poses: Poses3D | None = None
    actions: tuple[Action, ...] | None = None

    def action_at(self, time: float) -> Action | None:
        """The action under way at ``time`` (seconds), if any."""
        return next((a for a in self.actions or () if a.start <= time < a.end), None)


@dataclass(frozen=True, eq=False)
class VideoFacts:
    """What a video is: upright display size in square pixels, and the exact time of every frame in seconds."""

    name: str
    width: int
    height: int
    times: Float[np.ndarray, " T"]

    @property
    def frame_rate(self) -> float:
        """Mean frames a second (25 for a single frame)."""
        span = float(self.times[-1] - self.times[0]) if len(self.times) > 1 else 0.0
        return (len(self.times) - 1) / span if span > 0 else 25.0


@dataclass(frozen=True, eq=False)
class Recording:
    """All that the analysis of one video found.

    ``made_with``: JSON values that tell how, as the program's version and what was chosen; ``camera``: the one that
    the poses are seen by, or None where nobody was lifted to 3D.
    """

    video: VideoFacts
    people: tuple[Person, ...]
    made_with: Mapping[str, Any] = field(default_factory=dict)
    camera: Camera | None = None


def _expect(name: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ShapeError(f"{name} has shape {array.shape}, expected {shape}.")
