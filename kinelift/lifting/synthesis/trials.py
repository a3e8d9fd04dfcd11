"""Simulated test videos from motion capture: 2D tracks as a detector would give them, and the true poses."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor

from kinelift.lifting.anthropometry import Population, draw
from kinelift.lifting.coordinates import turn
from kinelift.lifting.synthesis import random
from kinelift.lifting.synthesis.bank import BODY_JOINTS, COCO, KEYPOINTS, MOCAP, MotionBank
from kinelift.lifting.synthesis.body import apply_segment_lengths
from kinelift.lifting.synthesis.noise import NoiseSettings, apply_detector_offsets, corrupt
from kinelift.lifting.synthesis.view import View, ViewSettings, draw_view
from kinelift.poses import Track2D
from kinelift.poses.camera import Camera

RATE = 30.0
"""Frames per second of the test videos."""
PIECE = 4.0
"""Seconds per test video."""
VIEW = ViewSettings(distance=(3.0, 7.0), steep=0.0, roll=0.0, rolled=0.0, spread=0.5)
"""The test cameras: 3–7 m away, 0.3–3 m high, 35–90° wide, with the person in the middle half of the image."""
ADULTS = Population(children=0.0)
CAMERA = Camera(1000.0, (1000.0, 1000.0))


@dataclass(frozen=True, eq=False)
class Trial:
    """One test video of one person."""

    subject: str
    action: str
    clip: str
    """The recording that the video shows; videos of the same one by several cameras, or of pieces of it, share it."""
    track: Track2D
    truth: Float[np.ndarray, "T K 3"]
    """Joints relative to the root, metres, camera axes."""
    camera: Camera
    root: int
    """Index of the root joint in ``truth``."""


def trials(bank: MotionBank, cameras: int, noise: NoiseSettings | None, seed: int) -> Iterator[Trial]:
    """Cut every clip into pieces of 4 s at 30 frames/s, and record each with random cameras.

    Args:
        bank: The clips.
        cameras: Cameras per piece, each with a different adult body (``lifting.anthropometry``).
        noise: Errors of the detector. None gives exact keypoints for all joints, including those outside the image.
        seed: Of cameras, bodies and noise.
    """
    generator, bodies = Generator().manual_seed(seed), Generator().manual_seed(seed)
    for k in range(len(bank)):
        length, rate = int(bank.lengths[k]), float(bank.rates[k])
        for start in torch.arange(0, length, PIECE * rate).tolist():
            frames = torch.arange(start, min(start + PIECE * rate, length), rate / RATE)
            points = bank.interpolate(torch.tensor([k]), frames[None]).expand(cameras, -1, -1, -1)
            points = apply_segment_lengths(points, draw(cameras, ADULTS, bodies))
            for track, truth in _projected(points, noise, generator):
                yield Trial(bank.subjects[k], bank.actions[k], bank.names[k], track, truth, CAMERA, MOCAP.root)


def _projected(
    points: Float[Tensor, "B T J 3"], noise: NoiseSettings | None, generator: Generator
) -> Iterator[tuple[Track2D, Float[np.ndarray, "T K 3"]]]:
    """Project each sample with a random camera that looks at the person's mean position."""
    count = len(points)
    view = draw_view(count, VIEW, generator)
    heading = random.rotation_about("y", random.uniform((count,), 0, random.FULL_TURN, generator))
    body = view.to_camera(turn(points - points[:, :, :1].mean(1, keepdim=True), heading))
    times = torch.arange(points.shape[1]) / RATE
    plane, detected = _detect(body[:, :, COCO], view, times, noise, generator)
    truth = body[:, :, BODY_JOINTS] - body[:, :, MOCAP.root, None]
    for points2d, mask, pose in zip(plane.double().numpy(), detected.numpy(), truth.double().numpy(), strict=True):
        pixels = np.where(mask[..., None], points2d * np.asarray(CAMERA.focal) + np.asarray(CAMERA.centre), np.nan)
        filled = np.zeros(mask.shape, dtype=bool)
        yield Track2D(pixels, mask.astype(float), times.double().numpy(), filled, 0, (2000, 2000), KEYPOINTS), pose


def _detect(
    joints: Float[Tensor, "B T K 3"], view: View, times: Tensor, noise: NoiseSettings | None, generator: Generator
) -> tuple[Float[Tensor, "B T K 2"], Bool[Tensor, "B T K"]]:
    if noise is None:
        return joints[..., :2] / joints[..., 2:], torch.ones(joints.shape[:3], dtype=torch.bool)
    noisy = torch.ones(len(joints), dtype=torch.bool)
    joints = apply_detector_offsets(joints, noisy, noise, generator)
    plane = joints[..., :2] / joints[..., 2:]
    return corrupt(plane, view.inside(plane), noisy, times, noise, generator)
