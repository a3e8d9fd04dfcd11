"""Bodies that stand or walk upright in front of a raised camera, and the program's recordings of them.

The trunk is upright, so that the angle from hip to thorax against the estimated vertical is an error. A walking body
moves along a line at constant speed, with flat feet: each stands still, then swings to its next place. The knees
follow from the places of hips and ankles.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import gaussian_filter1d

from benchmarks.bodies.standing import Lengths, stand, stature
from benchmarks.bodies.still_views import RATE, StillView
from benchmarks.bodies.world.labels import Span
from kinelift.app.pipeline import Pipeline
from kinelift.app.settings import Settings
from kinelift.app.video import Summary, Video
from kinelift.detectors.converted import as_skeleton
from kinelift.detectors.scripted import Scripted
from kinelift.lifting.synthesis.bank import COCO, MOCAP
from kinelift.poses import COCO17, Frame, People, Recording
from kinelift.poses.boxes import bounding_boxes
from kinelift.poses.camera import DEFAULT_FIELD_OF_VIEW, Camera
from kinelift.poses.skeleton import COCO23

SIZE = (1280, 720)
"""Width and height of the pictures, px."""
STEP, PERIOD = 0.31, 1.1
"""Length of a step as a share of stature, and duration of two steps, s."""
SWING = 0.4
"""Share of the period in which a foot is in the air."""
LIFTED = 0.08
"""Largest height of a swinging foot, m."""
BENT = 0.97
"""Distance from hip to ankle as a share of the leg's length, at most, so that knees can bend."""
SMOOTH = 0.05
"""Standard deviation, s, of the smoothing of the hip's height."""
FOOT = {"heel": (-0.045, 0.0), "big_toe": (0.107, -0.012), "small_toe": (0.085, 0.025)}
"""Forwards and outwards from the ankle to the foot's keypoints on the floor, as a share of stature."""


@dataclass(frozen=True, eq=False)
class Motion:
    """A body over time, in m, Y up, floor at 0.

    Attributes:
        points: The joints of ``MOCAP``.
        air: Whether the left and the right foot are in the air.
        tall: Stature, m.
    """

    points: Float[np.ndarray, "T J 3"]
    air: Bool[np.ndarray, "T 2"]
    tall: float

    def keypoints(self) -> Float[np.ndarray, "T 23 3"]:
        """The keypoints of coco23: joints of the body, and feet flat under the ankles."""
        feet = [self._foot(name) for name in COCO23.joints[len(COCO17) :]]
        return np.concatenate([self.points[:, list(COCO[: len(COCO17)])], np.stack(feet, axis=1)], axis=1)

    def spans(self) -> list[Span]:
        """The spans in which heels and toes are on the floor or in the air, without their first and last frames."""
        return [
            Span("", "", foot, part, first + 1, last - 1, "air" if air else "contact", "" if air else "floor")
            for k, foot in enumerate(("left", "right"))
            for first, last, air in _runs(self.air[:, k])
            for part in ("heel", "toe")
            if last - first > 2
        ]

    def _foot(self, name: str) -> Float[np.ndarray, "T 3"]:
        side, _, part = name.partition("_")
        forwards, outwards = FOOT[part]
        ankle = self.points[:, MOCAP.index(f"{side}_ankle")]
        rest = self.points[0, MOCAP.index("left_ankle"), 1]
        sideways = outwards if side == "left" else -outwards
        return ankle + np.array([sideways * self.tall, 0.01 - rest, forwards * self.tall])


def _runs(values: Bool[np.ndarray, " T"]) -> Iterator[tuple[int, int, bool]]:
    """First and last index, and value, of each run of equal values."""
    edges = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), len(values)]
    yield from ((first, last - 1, bool(values[first])) for first, last in pairwise(edges))


def standing(lengths: Lengths, seconds: float) -> Motion:
    """A body that stands still."""
    frames = round(seconds * RATE)
    points = np.repeat(stand(lengths)[None], frames, axis=0)
    return Motion(points, np.zeros((frames, 2), bool), stature(lengths))


def walking(lengths: Lengths, seconds: float) -> Motion:
    """A body that walks along +Z and is at the origin in the middle of the time.

    The hip is as high as both legs allow.
    """
    still, frames = stand(lengths), round(seconds * RATE)
    phase = np.arange(frames) / RATE / PERIOD
    stride = 2 * STEP * stature(lengths)
    way = stride * (phase - phase.mean())
    hip, ankle = (still[MOCAP.index(f"left_{part}")] for part in ("hip", "ankle"))
    reach, air, low = BENT * (hip[1] - ankle[1]), np.zeros((frames, 2), bool), np.full(frames, np.inf)
    steps = []
    for k in range(2):
        along, up, air[:, k] = _tread(phase + k / 2)
        places = stride * (along - k / 2 - phase.mean())
        steps.append((places, up))
        low = np.minimum(low, up + np.sqrt((reach**2 - (places - way) ** 2).clip(0)))
    rise = gaussian_filter1d(low, SMOOTH * RATE, mode="nearest") - (hip[1] - ankle[1])
    points = still + np.stack([0 * way, rise, way], axis=-1)[:, None]
    for side, (places, up) in zip(("left", "right"), steps, strict=True):
        thigh, knee, foot = (MOCAP.index(f"{side}_{part}") for part in ("hip", "knee", "ankle"))
        points[:, foot] = np.stack([np.full(frames, still[foot, 0]), still[foot, 1] + up, places], axis=-1)
        points[:, knee] = _knee(points[:, thigh], points[:, foot], still, side)
    return Motion(points, air, stature(lengths))


def _tread(
    phase: Float[np.ndarray, " T"],
) -> tuple[Float[np.ndarray, " T"], Float[np.ndarray, " T"], Bool[np.ndarray, " T"]]:
    """How far a foot has come, in double steps, its height in m, and whether it is in the air.

    In the middle of its stance it is below the hip.
    """
    stance = 1 - SWING
    whole, share = np.floor(phase + stance / 2), (phase + stance / 2) % 1
    moved = ((share - stance) / SWING).clip(0, 1)
    return whole + (1 - np.cos(np.pi * moved)) / 2, LIFTED * np.sin(np.pi * moved), share > stance


def _knee(
    hip: Float[np.ndarray, "T 3"], ankle: Float[np.ndarray, "T 3"], still: Float[np.ndarray, "J 3"], side: str
) -> Float[np.ndarray, "T 3"]:
    """The knee of a leg, in front of the line from hip to ankle."""
    a, b, c = (still[MOCAP.index(f"{side}_{part}")] for part in ("hip", "knee", "ankle"))
    thigh, shank = np.linalg.norm(b - a), np.linalg.norm(c - b)
    line = ankle - hip
    far = np.linalg.norm(line, axis=-1, keepdims=True)
    along = (thigh**2 - shank**2 + far**2) / (2 * far)
    forwards = np.cross(line, [-1.0, 0.0, 0.0])
    forwards /= np.linalg.norm(forwards, axis=-1, keepdims=True)
    return hip + along * line / far + np.sqrt((thigh**2 - along**2).clip(0)) * forwards


class Reel(Video):
    """A video of black frames without a file."""

    def __init__(self, size: tuple[int, int], times: Sequence[Fraction]) -> None:
        """Frames of ``size`` px at ``times``, s."""
        self.path, (self.width, self.height), self.damage = Path("reel"), size, None
        self._times = times
        self.summary = Summary("", "", "", size, size, 0, False, Fraction(1), None, None, None, len(times), None)

    @property
    def expected_frames(self) -> int:
        """The number of frames."""
        return len(self._times)

    def frames(self) -> Iterator[Frame]:
        """The frames, which share one image."""
        image = np.zeros((self.height, self.width, 3), np.uint8)
        yield from (Frame(k, time, image) for k, time in enumerate(self._times))


def film(pipeline: Pipeline, motion: Motion, view: StillView) -> tuple[Recording, Float[np.ndarray, " 3"]]:
    """The program's recording of a motion, from exact keypoints, and the direction up in the camera frame."""
    place, camera = view.place(motion.tall), Camera.from_field_of_view(DEFAULT_FIELD_OF_VIEW, SIZE)
    seen = camera.project(place.to_camera(motion.keypoints()))
    source = pipeline.detector.skeleton
    script = Scripted([_alone(k, points) for k, points in enumerate(seen)], COCO23)
    program = replace(pipeline, detector=as_skeleton(script, source), settings=Settings())
    times = [Fraction(k, RATE) for k in range(len(seen))]
    return program.run(Reel(SIZE, times)), place.rotation @ [0.0, 1.0, 0.0]


def _alone(frame: int, points: Float[np.ndarray, "K 2"]) -> People:
    """One person whose every keypoint is seen."""
    return People(frame, points[None], np.ones((1, len(points))), bounding_boxes(points[None]), np.ones(1))
