"""Recorded sequences for tests: somebody who sways before a camera, different for every seed."""

import numpy as np

from kinelift.lifting.datasets.sequences import Sequence, SequenceBank
from kinelift.poses.camera import Camera
from kinelift.poses.skeleton import HUMANEVA15

SIZE = (640, 480)
CAMERA = Camera(500.0, (330.0, 245.0))


def sequence(seed: int, subject: str, action: str = "Walking 1", frames: int = 60, labelled: bool = True) -> Sequence:
    """Joints of one body (the same for all), each on a slow path of its own, 4 m away."""
    body = np.random.default_rng(7).normal(0, 0.3, (15, 3))
    random = np.random.default_rng(seed)
    phase, speed = random.uniform(0, 6, (2, 1, 15, 3))
    truth = body + 0.15 * np.sin(np.arange(frames)[:, None, None] * speed / 15 + phase) + [0.0, 0.0, 4.0]
    keypoints = CAMERA.project(truth)
    return Sequence(subject, action, keypoints, truth if labelled else None, CAMERA, SIZE, 50.0, HUMANEVA15, HUMANEVA15)


def bank(*subjects: str, actions: tuple[str, ...] = ("Walking 1",), **how: int | bool) -> SequenceBank:
    """A sequence of every action of every subject."""
    made = [
        sequence(10 * s + a, subject, action, **how)  # type: ignore[arg-type]
        for s, subject in enumerate(subjects)
        for a, action in enumerate(actions)
    ]
    return SequenceBank(tuple(made))
