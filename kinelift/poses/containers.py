"""The data passed between stages. NaN = not seen, None = not computed; zero is a valid coordinate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int8, UInt8

from kinelift.poses.camera import Camera
from kinelift.poses.errors import ShapeError
from kinelift.poses.skeleton import COCO17, H36M17, Skeleton, convert
from kinelift.poses.world import World


@dataclass(frozen=True, eq=False)
class Frame:
    """One upright RGB image with square pixels.

    Attributes:
        index: Number of the frame in the video, from 0.
        time: Seconds from the start of the stream.
        image: RGB, 0-255.
    """

    index: int
    time: Fraction
    image: UInt8[np.ndarray, "H W 3"]


@dataclass(frozen=True, eq=False)
class People:
    """All people detected in one frame; N = 0 if there are none.

    Attributes:
        frame: Index of the frame in the video.
        points: Joints in px (x right, y down, pixel centres at +0.5), NaN where not detected.
        scores: Confidence of each joint, 0-1.
        boxes: (x1, y1, x2, y2) of each person, px.
        confidence: Confidence of each person, 0-1.
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

    def select(self, rows: Sequence[int]) -> "People":
        """The people with these indices, in this order."""
        kept = list(rows)
        return People(self.frame, self.points[kept], self.scores[kept], self.boxes[kept], self.confidence[kept])

    def concatenate(self, others: "People") -> "People":
        """These people followed by the others, in this frame."""
        pairs = (
            (self.points, others.points),
            (self.scores, others.scores),
            (self.boxes, others.boxes),
            (self.confidence, others.confidence),
        )
        return People(self.frame, *map(np.concatenate, pairs))

    @staticmethod
    def nobody(frame: int, joints: int) -> "People":
        """A frame without people."""
        return People(frame, np.zeros((0, joints, 2)), np.zeros((0, joints)), np.zeros((0, 4)), np.zeros(0))


@dataclass(frozen=True, eq=False)
class Track2D:
    """One person over consecutive frames of a video.

    Attributes:
        points: Joints in px, NaN where not seen.
        scores: Confidence of each joint, 0-1; 0 where not seen.
        times: Time of each frame, s.
        filled: Whether a joint was interpolated.
        start: Index of the first frame in the video.
        size: (width, height) of the pictures, px.
        skeleton: Layout of the joints.
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
        """Index in the video of the frame after the last."""
        return self.start + len(self)

    def converted(self, skeleton: Skeleton) -> "Track2D":
        """The same track in another layout, by joint names. Joints that this one lacks are not seen."""
        if skeleton == self.skeleton:
            return self
        points = convert(self.points, self.skeleton, skeleton)
        scores, filled = (
            np.nan_to_num(convert(values[..., None].astype(float), self.skeleton, skeleton)[..., 0])
            for values in (self.scores, self.filled)
        )
        return replace(self, points=points, scores=scores, filled=filled > 0, skeleton=skeleton)

    def mirrored(self) -> "Track2D":
        """The same movement mirrored: x reflected about the picture's centre, left and right joints swapped."""
        swap = list(self.skeleton.mirror)
        points = self.points[:, swap] * [-1.0, 1.0] + [float(self.size[0]), 0.0]
        return replace(self, points=points, scores=self.scores[:, swap], filled=self.filled[:, swap])


class JointState(IntEnum):
    """What a 3D joint rests on in one frame. In data files: its number, or its name in lower case."""

    UNSEEN = 0
    """Its keypoint was not detected, and no short gap was interpolated: the position is a guess, or empty."""
    INTERPOLATED = 1
    """Its keypoint was interpolated between two frames."""
    SEEN = 2
    """Its keypoint was detected."""


@dataclass(frozen=True, eq=False)
class Poses3D:
    """3D poses of one person, in metres in the camera frame (x right, y down, z forward).

    Attributes:
        points: Joints relative to the skeleton's root joint; NaN if the joint was never seen, or the frame not lifted.
        times: Time of each frame, s.
        root: Position of the root joint in the camera frame; None if not computed.
        skeleton: Layout of the joints.
        contact: Whether a joint rests on the floor; None if not computed.
        seen: The ``JointState`` of each joint; None if not computed.
        error: Expected distance of each point from the truth, metres; NaN where ``points`` is; None if not computed.
    """

    points: Float[np.ndarray, "T J 3"]
    times: Float[np.ndarray, " T"]
    root: Float[np.ndarray, "T 3"] | None = None
    skeleton: Skeleton = H36M17
    contact: Bool[np.ndarray, "T J"] | None = None
    seen: Int8[np.ndarray, "T J"] | None = None
    error: Float[np.ndarray, "T J"] | None = None

    def __post_init__(self) -> None:
        t = len(self.points)
        _expect("points", self.points, (t, len(self.skeleton), 3))
        _expect("times", self.times, (t,))
        if self.root is not None:
            _expect("root", self.root, (t, 3))
        for name in PER_JOINT:
            if (array := getattr(self, name)) is not None:
                _expect(name, array, (t, len(self.skeleton)))

    def __len__(self) -> int:
        return len(self.points)

    def converted(self, skeleton: Skeleton) -> "Poses3D":
        """The same poses in a layout with some of these joints, by their names.

        Raises:
            DataError: This layout lacks a joint.
        """
        if skeleton == self.skeleton:
            return self
        kept = [self.skeleton.index(joint) for joint in skeleton.joints]
        fields = {name: array[:, kept] for name in PER_JOINT if (array := getattr(self, name)) is not None}
        return replace(self, points=self.points[:, kept], skeleton=skeleton, **fields)

    def frames(self, start: int, stop: int) -> "Poses3D":
        """The frames from ``start`` to ``stop``."""
        names = ("points", "times", "root", *PER_JOINT)
        return replace(self, **{n: array[start:stop] for n in names if (array := getattr(self, n)) is not None})

    def rotated(self, rotation: Float[np.ndarray, "3 3"]) -> "Poses3D":
        """The same poses in other axes, the rows of ``rotation``."""
        root = None if self.root is None else self.root @ rotation.T
        return replace(self, points=self.points @ rotation.T, root=root)

    def mirrored(self) -> "Poses3D":
        """The same movement mirrored: x negated, left and right joints swapped."""
        flip, swap = np.array([-1.0, 1.0, 1.0]), list(self.skeleton.mirror)
        root = None if self.root is None else self.root * flip
        swapped = {name: array[:, swap] for name in PER_JOINT if (array := getattr(self, name)) is not None}
        return replace(self, points=self.points[:, swap] * flip, root=root, **swapped)


PER_JOINT = ("contact", "seen", "error")
"""The optional fields of ``Poses3D`` with one value per frame and joint."""


@dataclass(frozen=True)
class Action:
    """An action recognised from ``start`` to ``end`` (seconds), with its mean probability, 0-1.

    ``top`` holds the most probable labels with their mean probabilities, in descending order; empty if not known.
    """

    start: float
    end: float
    label: str
    probability: float
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, eq=False)
class ActionWindows:
    """How probable each action is in short windows of a person's time, from which the actions were decided.

    Attributes:
        labels: What the columns stand for.
        times: Middle of each window, s.
        probabilities: 0-1.
    """

    labels: tuple[str, ...]
    times: Float[np.ndarray, " W"]
    probabilities: Float[np.ndarray, "W K"]

    def __post_init__(self) -> None:
        _expect("probabilities", self.probabilities, (len(self.times), len(self.labels)))


@dataclass(frozen=True, eq=False)
class Recognition:
    """What a classifier says about one person: actions in order of time, and the windows they were decided from."""

    actions: tuple[Action, ...]
    windows: ActionWindows | None = None


@dataclass(frozen=True, eq=False)
class Person:
    """One identity in a video. ``poses`` and ``actions`` are None until their stage has run.

    ``windows`` are those that the actions were decided from; None if not known.
    """

    id: int
    track: Track2D
    poses: Poses3D | None = None
    actions: tuple[Action, ...] | None = None
    windows: ActionWindows | None = None

    def action_at(self, time: float) -> Action | None:
        """The action at ``time`` (seconds), or None."""
        return next((a for a in self.actions or () if a.start <= time < a.end), None)


@dataclass(frozen=True, eq=False)
class VideoFacts:
    """A video's name, upright display size in square pixels, and exact time of every frame in seconds."""

    name: str
    width: int
    height: int
    times: Float[np.ndarray, " T"]

    @property
    def frame_rate(self) -> float:
        """Mean frame rate in Hz; 25 for a single frame."""
        span = float(self.times[-1] - self.times[0]) if len(self.times) > 1 else 0.0
        return (len(self.times) - 1) / span if span > 0 else 25.0


@dataclass(frozen=True, eq=False)
class Recording:
    """The results of analysing one video.

    Attributes:
        video: Facts about the video.
        people: Everybody who was tracked.
        made_with: How it was made, as JSON values, such as the program's version and its settings.
        camera: The camera of the 3D poses; None if there are none.
        world: Where the camera stands; None if not computed.
    """

    video: VideoFacts
    people: tuple[Person, ...]
    made_with: Mapping[str, Any] = field(default_factory=dict)
    camera: Camera | None = None
    world: World | None = None


def _expect(name: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ShapeError(f"{name} has shape {array.shape}, expected {shape}.")
