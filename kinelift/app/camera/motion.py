"""Notices that a camera turns, and how, while a video is read."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from scipy.spatial.transform import Rotation, Slerp

from kinelift.app.camera.keyframe import View
from kinelift.app.camera.rotation_fit import angle
from kinelift.app.camera.shot import ShotRotations, State
from kinelift.poses import Frame, People
from kinelift.poses.camera import MAX_RAY_ANGLE, Camera

MAX_LOST = 6
"""After as many pictures that nothing explains, a new shot begins with the first of them."""
MIN_TURN = np.radians(0.4)
"""A camera that turns less is still: as much drift was measured where people who were not recognised fill a picture."""
MIN_TURNED = 5
"""Pictures in which the camera must be turned, at least."""
MIN_EXPLAINED = 0.7
"""Share of the pictures that must be explained for a rotation to be trusted."""
MEMORY = 10
"""Frames for which people are remembered where they were, for detectors that skip frames."""


@dataclass(frozen=True, eq=False)
class Motion:
    """How a camera turned.

    Attributes:
        rotations: For every frame, the rotation from the camera's axes to the reference axes; None = it did not turn.
        notes: What the user should know.
    """

    rotations: Float[np.ndarray, "F 3 3"] | None
    notes: tuple[str, ...] = ()


class MotionEstimator:
    """Estimates how a camera turns, from the background of its pictures. It keeps a few small pictures at a time.

    Args:
        camera: The camera.
        size: (width, height) of the video's pictures, px.
    """

    def __init__(self, camera: Camera, size: tuple[int, int]) -> None:
        self._view, self._generator = View(camera, size), np.random.default_rng(0)
        self._waiting: deque[tuple[int, UInt8[np.ndarray, "h w"]]] = deque()
        self._lost: list[tuple[UInt8[np.ndarray, "h w"], UInt8[np.ndarray, "h w"]]] = []
        self._boxes, self._age = np.zeros((0, 4)), 0
        self._shots = [ShotRotations(self._view, self._generator)]

    def watch(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Pass frames on, and keep a small copy of each until ``update`` tells who is in it."""
        for frame in frames:
            self._waiting.append((frame.index, self._view.small(frame)))
            yield frame

    def update(self, people: People) -> None:
        """Estimate the rotation in the frame of ``people``, who are not background."""
        index, picture = self._waiting.popleft()
        assert index == people.frame, "detectors answer every frame, in order"
        if len(people):
            self._boxes, self._age = people.boxes, 0
        self._age += 1
        boxes = self._boxes if self._age <= MEMORY else np.zeros((0, 4))
        self._add(picture, self._view.background(boxes[np.isfinite(boxes).all(1)]))

    def result(self) -> Motion:
        """How the camera turned in all frames so far."""
        shots = [(shot, _completed(shot)) for shot in self._shots]
        states = [state for shot in self._shots for state in shot.states]
        lost = sum(state is State.LOST for state in states) + sum(len(shot.states) <= MAX_LOST for shot in self._shots)
        turning = [turns is not None for _, turns in shots]
        if len(states) > MAX_LOST and lost > (1 - MIN_EXPLAINED) * len(states):
            note = "the camera may move, but its background does not show how; it was taken to be still."
            return Motion(None, (note,))
        if not any(turning):
            return Motion(None)
        rotations = np.concatenate(
            [np.tile(np.eye(3), (len(shot.states), 1, 1)) if turns is None else turns for shot, turns in shots]
        )
        return Motion(rotations, tuple(_notes(rotations, sum(turning) > 1 or len(shots) > 1)))

    @property
    def pictures(self) -> int:
        """The number of small pictures that are kept."""
        return len(self._waiting) + len(self._lost) + sum(shot.pictures for shot in self._shots)

    def _add(self, picture: UInt8[np.ndarray, "h w"], background: UInt8[np.ndarray, "h w"]) -> None:
        state = self._shots[-1].add(picture, background)
        if state is not State.LOST:
            self._lost.clear()
            return
        self._lost.append((picture, background))
        if len(self._lost) >= MAX_LOST:
            again, self._lost = self._lost, []
            ended = self._shots[-1]
            del ended.states[-MAX_LOST:], ended.rotations[-MAX_LOST:]
            ended.end()
            self._shots.append(ShotRotations(self._view, self._generator))
            for one, free in again:
                self._add(one, free)


def _completed(shot: ShotRotations) -> Float[np.ndarray, "F 3 3"] | None:
    """The rotations of a shot relative to the middle of their range, interpolated where lost; None if it is still."""
    rotations = np.asarray(shot.rotations).reshape(-1, 3, 3)
    known = np.isfinite(rotations).all((1, 2))
    if known.mean() < MIN_EXPLAINED or (angle(rotations[known]) > MIN_TURN).sum() < MIN_TURNED:
        return None
    frames = np.arange(len(rotations))
    path = Slerp(frames[known], Rotation.from_matrix(rotations[known]))
    complete = path(frames.clip(frames[known][0], frames[known][-1]))
    vectors = complete.as_rotvec()
    middle = Rotation.from_rotvec((vectors.min(0) + vectors.max(0)) / 2)
    return np.asarray((middle.inv() * complete).as_matrix())


def _notes(rotations: Float[np.ndarray, "F 3 3"], several: bool) -> Iterator[str]:
    largest = np.degrees(angle(rotations).max())
    yield f"the camera turns by up to {largest:.0f}° from its middle. This was undone; translation is not estimated."
    if several:
        yield "the video has several shots; the poses of each have the axes of that shot."
    if largest > MAX_RAY_ANGLE / 2:
        yield f"what is seen more than {MAX_RAY_ANGLE:.0f}° away from the middle of the camera's turns has no 3D poses."
