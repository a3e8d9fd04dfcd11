"""Recordings of a walking stick figure by known cameras, for the tests of this folder."""

from math import pi

import numpy as np
from jaxtyping import Float

from kinelift.lifting.datasets.sequences import Sequence, SequenceBank
from kinelift.poses import H36M17, Skeleton
from kinelift.poses.camera import Camera, Distortion, Extrinsics

SIZE = (640, 480)
LENS = Camera((765.0, 764.0), (300.0, 232.0), Distortion(-0.29, 0.1, -0.0014, 0.0011))
RATE = 50.0


def standing(turn: float, distance: float = 4.0, height: float = 1.5) -> Extrinsics:
    """A camera that looks at the centre of the room (z up) from the direction ``turn`` (rad)."""
    centre = np.array([distance * np.cos(turn), distance * np.sin(turn), height])
    forward = np.array([0.0, 0.0, 0.9]) - centre
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    return Extrinsics(np.stack([right, np.cross(forward, right), forward]), centre)


def walk(frames: int, joints: int = 17, seed: int = 0) -> Float[np.ndarray, "T J 3"]:
    """Joints that wander smoothly through a room of 2 × 2 × 2 m, z up."""
    random = np.random.default_rng(seed)
    time = np.arange(frames)[:, None, None] / RATE
    speed, phase = random.uniform(0.5, 3.0, (2, joints, 3)) * [[[1.0]], [[2 * pi]]]
    return (0.7 + 0.4 * random.random((joints, 3))) * np.sin(speed * time + phase) + [0.0, 0.0, 1.0]


def sequence(
    frames: int = 20, subject: str = "S1", action: str = "Walk 1", view: str = "0", labelled: bool = True,
    seed: int = 0, camera: Camera = LENS, layout: Skeleton = H36M17, rate: float = RATE,
) -> Sequence:  # fmt: skip
    """A walk seen by a camera."""
    truth = standing(float(seed)).to_camera(walk(frames, len(layout), seed)).astype(np.float32)
    keypoints = camera.project(truth.astype(np.float64)).astype(np.float32)
    return Sequence(subject, action, keypoints, truth if labelled else None, camera, SIZE, rate, layout, layout, view)


def bank() -> SequenceBank:
    """Two subjects, three actions, two cameras, one sequence without truth."""
    return SequenceBank((
        sequence(20, "S1", "Walk 1", "0", seed=1),
        sequence(7, "S1", "Walk 2", "1", seed=2),
        sequence(1, "S2", "Walking", "0", seed=3),
        sequence(11, "S2", "Sit", "1", labelled=False, seed=4),
    ))  # fmt: skip
