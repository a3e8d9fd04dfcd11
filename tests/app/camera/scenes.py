"""A camera that turns on the spot in a painted room, and what stands or moves before it."""

from collections.abc import Iterable, Sequence
from fractions import Fraction

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from kinelift.app.camera.motion import Motion, MotionEstimator
from kinelift.poses import Frame, People
from kinelift.poses.camera import Camera

SIZE = (320, 240)
CAMERA = Camera.from_focal(300.0, SIZE)


def texture(width: int, height: int, seed: int = 0, grain: float = 2.5) -> np.ndarray:
    """Random grey blobs with full contrast."""
    noise = cv2.GaussianBlur(np.random.default_rng(seed).normal(size=(height, width)), (0, 0), grain)
    return np.clip(128 + 60 * noise / noise.std(), 0, 255).astype(np.uint8)


def view(turn: Rotation, wall: np.ndarray, zoom: float = 1.0) -> np.ndarray:
    """The picture of a wall (one of its pixels is one in the middle of the picture) by a camera that is turned."""
    focal, (x, y) = CAMERA.focals[0], CAMERA.centre
    inner = np.array([[focal * zoom, 0, x - 0.5], [0, focal * zoom, y - 0.5], [0, 0, 1]])
    painted = np.array([[focal, 0, wall.shape[1] / 2], [0, focal, wall.shape[0] / 2], [0, 0, 1]])
    warp = painted @ turn.as_matrix() @ np.linalg.inv(inner)
    return cv2.warpPerspective(wall, warp, SIZE, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


def sway(frames: int, yaw: float, pitch: float = 0.0, roll: float = 0.0) -> Rotation:
    """One swing to both sides about each axis, in degrees; rotations from the turned axes to those of the room."""
    phase = np.sin(np.linspace(0, 2 * np.pi, frames))
    return Rotation.from_euler("YXZ", phase[:, None] * [yaw, pitch, roll], degrees=True)


def estimate(pictures: Iterable[np.ndarray], boxes: Sequence[Sequence[float]] = ()) -> Motion:
    """What is made of grey pictures, with people in the same ``boxes`` in each."""
    return watched(pictures, boxes).result()


def watched(pictures: Iterable[np.ndarray], boxes: Sequence[Sequence[float]] = ()) -> MotionEstimator:
    """The estimator after grey pictures, with people in the same ``boxes`` in each."""
    motion = MotionEstimator(CAMERA, SIZE)
    for k, picture in enumerate(pictures):
        frame = Frame(k, Fraction(k, 30), np.repeat(picture[..., None], 3, -1))
        assert [one.index for one in motion.watch([frame])] == [k]
        count, edges = len(boxes), np.array(boxes, float).reshape(-1, 4)
        motion.update(People(k, np.full((count, 17, 2), np.nan), np.zeros((count, 17)), edges, np.ones(count)))
    return motion


def errors(found: Motion, turns: Rotation) -> np.ndarray:
    """Degrees between the found and the true rotations, after the one that best fits all."""
    assert found.rotations is not None
    offsets = Rotation.from_matrix(found.rotations) * turns.inv()
    return np.degrees((offsets * offsets.mean().inv()).magnitude())
