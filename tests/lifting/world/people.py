"""People on a level floor before a tilted camera, and a lifter that knows them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kinelift.lifting.anthropometry import typical, typical_foot
from kinelift.lifting.body.problem import State
from kinelift.poses import COCO23, H36M21, Poses3D, Track2D, convert
from kinelift.poses.camera import Camera
from tests.lifting.body.people import CAMERA, SIZE, Scene, noisy, standing
from tests.lifting.world.test_up import around, tilted

HEIGHT = 1.6
"""Metres: height of the camera over the floor."""
_, ANKLE = typical_foot()


def person(
    pitch: float, places: np.ndarray, size: float = 1.0, rate: float = 30.0, seed: int = 0, jitter: float = 3.0
) -> Scene:
    """A person who stands and sways.

    Args:
        pitch: Degrees by which the camera looks down.
        places: Where the right ankle stands in every frame: to the right and ahead of the camera, metres.
        size: Times a typical body.
        rate: Frames per second.
        seed: Of the noise.
        jitter: Noise of the keypoints, pixels.
    """
    times = np.arange(len(places)) / rate
    sway = 20 + 10 * np.sin(3 * times)
    directions = np.stack([standing(knee=angle, heading=30.0) for angle in sway])
    level = State(np.zeros((len(places), 3)), directions).joints(size * typical().double().numpy())
    ankle = np.stack([places[:, 0], np.full(len(places), HEIGHT - ANKLE * size), places[:, 1]], 1)
    root = ankle - level[:, H36M21.index("right_ankle")]
    cosine, sine = np.cos(np.radians(pitch)), np.sin(np.radians(pitch))
    turn = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    points, root = level @ turn.T, root @ turn.T
    pixels = convert(CAMERA.project(points + root[:, None]), H36M21, COCO23)
    visible = np.isfinite(pixels).all(-1)
    track = Track2D(pixels, visible.astype(float), times, np.zeros(visible.shape, bool), 0, SIZE, COCO23)
    return Scene(noisy(track, jitter, seed), Poses3D(points, times, root, H36M21))


@dataclass(frozen=True, eq=False)
class Scripted:
    """Lifts the people of ``scenes``, with errors of a few degrees, of average size, and sees which way is up."""

    scenes: Sequence[Scene]
    up: np.ndarray

    def lift(self, track: Track2D, camera: Camera, up: np.ndarray | None = None) -> Poses3D:
        truth = next(one.truth for one in self.scenes if one.track is track)
        noise = np.random.default_rng(len(track)).normal(0, 0.015, truth.points.shape)
        noise[:, 0] = 0
        return replace(truth, points=truth.points + noise, root=None)

    def estimate_up(self, track: Track2D, camera: Camera) -> np.ndarray:
        return around(self.up, 3.0, len(track))


def scripted(*scenes: Scene, pitch: float) -> Scripted:
    return Scripted(scenes, tilted(pitch))
