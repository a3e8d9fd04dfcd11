"""Synthetic views of a body that stands still, and the program's poses for them."""

from dataclasses import dataclass, replace
from fractions import Fraction
from math import cos, radians, sin
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator

from kinelift.app.detection import open_detector
from kinelift.app.pipeline import Pipeline
from kinelift.app.settings import Detection, Settings
from kinelift.app.video import Video, VideoWriter
from kinelift.detectors.converted import as_skeleton
from kinelift.lifting.synthesis.bank import COCO
from kinelift.lifting.synthesis.noise import NoiseSettings, corrupt
from kinelift.poses import COCO17, Person, Poses3D, Recording, Track2D, VideoFacts
from kinelift.poses.camera import DEFAULT_FIELD_OF_VIEW, Camera, Extrinsics
from kinelift.poses.errors import DataError
from kinelift.poses.keypoints import Format, write

SIZE = (720, 1280)
RATE = 30
DISTANCE = 4.0
"""Metres from the camera to the vertical axis through the person's hip."""
HEADINGS = tuple(range(0, 360, 45))
"""Rotation of the person to their left, degrees: 0 faces the camera, 90 shows it their right side."""
HEIGHTS = (0.6, 1.2, 2.5)
"""Heights of the camera above the floor, m."""


@dataclass(frozen=True)
class StillView:
    """A camera at ``height`` m aimed at the middle of a person rotated by ``heading`` degrees."""

    heading: float
    height: float

    def place(self, tall: float) -> Extrinsics:
        """The extrinsics in the person's rest frame; ``tall`` is the person's stature, m."""
        turn = radians(-self.heading)
        where = np.array([DISTANCE * sin(turn), self.height, DISTANCE * cos(turn)])
        forward = np.array([0.0, tall / 2, 0.0]) - where
        forward /= np.linalg.norm(forward)
        right = np.cross(forward, [0.0, 1.0, 0.0])
        right /= np.linalg.norm(right)
        return Extrinsics(np.stack([right, np.cross(forward, right), forward]), where)

    def keypoints(self, points: Float[np.ndarray, "J 3"], tall: float) -> Float[np.ndarray, "K 2"]:
        """Project joints in the rest frame to coco23 keypoints in px, in a picture of ``SIZE``."""
        camera = Camera.from_field_of_view(DEFAULT_FIELD_OF_VIEW, SIZE)
        return camera.project(self.place(tall).to_camera(points[list(COCO)]))


VIEWS = tuple(StillView(heading, height) for height in HEIGHTS for heading in HEADINGS)


@dataclass(frozen=True, eq=False)
class Studio:
    """Runs the program on keypoints of a blank video, loading the networks only once.

    Otherwise like ``kinelift run VIDEO --keypoints FILE``.
    """

    pipeline: Pipeline
    video: Path

    @staticmethod
    def open(folder: Path, frames: int, lifter: str, settings: Settings) -> "Studio":
        """Load the networks, and write a blank video of ``frames`` frames to ``folder``."""
        video, nobody = folder / "still.mp4", np.full((frames, len(COCO17), 2), np.nan)
        blank(video, frames)
        write(video.with_suffix(".npz"), sighted(nobody, video.stem), Format.NPZ)
        chosen = Detection(options={"keypoints": video.with_suffix(".npz")})
        return Studio(Pipeline.load(chosen, lifter, device="cpu", settings=settings), video)

    def lift(self, points: Float[np.ndarray, "T K 2"]) -> Poses3D:
        """Lift coco17 keypoints of one person; those of feet are left out.

        Args:
            points: Keypoints in px, NaN where not seen.

        Raises:
            DataError: The program tracks nobody.
        """
        file = self.video.with_suffix(".json")
        write(file, sighted(points, self.video.stem), Format.COCO)
        found = as_skeleton(
            open_detector(Detection(options={"keypoints": file}), "cpu").detector, self.pipeline.detector.skeleton
        )
        people = replace(self.pipeline, detector=found).run(Video(self.video)).people
        poses = [person.poses for person in people if person.poses is not None]
        if not poses:
            raise DataError(f"The program tracked nobody in {file}. Give more visible joints in more frames.")
        return max(poses, key=len)


def sighted(points: Float[np.ndarray, "T K 2"], name: str) -> Recording:
    """A recording of one person's 2D keypoints, without feet."""
    points, times = points[:, : len(COCO17)], np.arange(len(points)) / RATE
    scores = np.where(np.isfinite(points).all(-1), 1.0, 0.0)
    track = Track2D(points, scores, times, np.zeros(scores.shape, bool), 0, SIZE)
    return Recording(VideoFacts(name, *SIZE, times), (Person(1, track),))


def blank(path: Path, frames: int) -> None:
    """Write a black video of ``SIZE`` and ``RATE``."""
    image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    with VideoWriter(path, *SIZE) as writer:
        for k in range(frames):
            writer.write(image, Fraction(k, RATE))


def noisy(
    still: Float[np.ndarray, "K 2"], frames: int, noise: NoiseSettings | None, generator: Generator
) -> Float[np.ndarray, "T K 2"]:
    """Keypoints, px, of a body that stands still, with a detector's ``noise``; NaN where lost."""
    points = torch.from_numpy(np.broadcast_to(still, (1, frames, *still.shape)).copy()).float()
    if noise is None:
        return points[0].double().numpy()
    filmed = replace(noise, frame_rate=(RATE, RATE))
    present, inside = torch.ones(1, dtype=torch.bool), torch.ones(points.shape[:3], dtype=torch.bool)
    moved, seen = corrupt(points, inside, present, torch.arange(frames) / RATE, filmed, generator)
    return np.where(seen[0, ..., None].numpy(), moved[0].double().numpy(), np.nan)
