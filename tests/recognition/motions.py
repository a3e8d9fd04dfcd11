"""Synthetic motions of an h36m17 body, and clips of them: metres, y up, facing +z, the person's left is +x."""

import numpy as np

from kinelift.poses import H36M17
from kinelift.recognition.data.clips import OTHER, Clip, Dataset, Segment

LABELS = ("walk", "sit", "gesture", "kick", OTHER)

REST = {
    "hip": (0, 0.95, 0), "right_hip": (-0.12, 0.95, 0), "right_knee": (-0.12, 0.5, 0), "right_ankle": (-0.12, 0.08, 0),
    "left_hip": (0.12, 0.95, 0), "left_knee": (0.12, 0.5, 0), "left_ankle": (0.12, 0.08, 0),
    "spine": (0, 1.2, 0), "thorax": (0, 1.45, 0), "neck": (0, 1.55, 0.03), "head": (0, 1.7, 0),
    "left_shoulder": (0.18, 1.43, 0), "left_elbow": (0.2, 1.15, 0), "left_wrist": (0.2, 0.9, 0.05),
    "right_shoulder": (-0.18, 1.43, 0), "right_elbow": (-0.2, 1.15, 0), "right_wrist": (-0.2, 0.9, 0.05),
}  # fmt: skip


def standing(frames: int) -> np.ndarray:
    """A body at rest, (frames, 17, 3)."""
    return np.tile(np.array([REST[name] for name in H36M17.joints]), (frames, 1, 1))


def moved(frames: int, hertz: float, rate: float = 30.0, **amplitudes: tuple[float, float, float]) -> np.ndarray:
    """A body at rest whose named joints swing by ``amplitudes`` metres, ``hertz`` times per second."""
    points = standing(frames)
    swing = np.sin(2 * np.pi * hertz * np.arange(frames) / rate)[:, None]
    for name, amplitude in amplitudes.items():
        points[:, H36M17.index(name)] += swing * amplitude
    return points


def walking(frames: int = 90, rate: float = 30.0) -> np.ndarray:
    """Legs swing in turn while the body travels along z at 1.2 m/s."""
    legs = {
        "left_ankle": (0, 0, 0.3),
        "left_knee": (0, 0, 0.15),
        "right_ankle": (0, 0, -0.3),
        "right_knee": (0, 0, -0.15),
    }
    points = moved(frames, 1.0, rate, **legs)
    points[..., 2] += 1.2 * np.arange(frames)[:, None] / rate
    return points


def waving(frames: int = 90, rate: float = 30.0) -> np.ndarray:
    """The right hand moves up and down in front of the shoulder."""
    points = moved(frames, 1.5, rate, right_wrist=(0, 0.25, 0))
    points[:, H36M17.index("right_wrist")] += (0, 0.6, 0.2)
    points[:, H36M17.index("right_elbow")] += (0, 0.2, 0.2)
    return points


def clip(name: str, subject: str, points: np.ndarray, label: str, rate: float = 30.0, **more: str) -> Clip:
    """A clip that shows ``label`` from beginning to end."""
    return Clip(name, subject, points, np.arange(len(points)) / rate, (Segment(label),), **more)


def dataset(clips: list[Clip]) -> Dataset:
    """Clips with the labels in ``LABELS``."""
    return Dataset(H36M17, LABELS, tuple(clips), "made up")
