"""Straight edges of the background, some of which are vertical or level in the world."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from kinelift.app.camera.keyframe import View
from kinelift.poses import Frame, People
from kinelift.poses.camera import Camera
from kinelift.poses.edges import Edges

PICTURES = 8
"""Pictures that are searched, at most twice as many at a time; they are spread over the video."""
FIRST_INTERVAL = 15
"""Frames between them, doubled when there are too many."""
MIN_LENGTH = 0.04
"""Shortest edge, as a share of the picture's longer side."""
BORDER = 3
"""Pixels of the small pictures along their sides in which edges do not count: black bars are not the world."""


@dataclass(frozen=True, eq=False)
class _Picture:
    frame: int
    ends: Float[np.ndarray, "N 2 3"]
    """Rays to the ends of the edges, in camera axes."""
    lengths: Float[np.ndarray, " N"]


class EdgeCollector:
    """Finds straight edges outside people in some pictures of a video (line segment detector, Grompone von Gioi 2010).

    Args:
        camera: The camera.
        size: (width, height) of the video's pictures, px.
    """

    def __init__(self, camera: Camera, size: tuple[int, int]) -> None:
        self._view, self._detector = View(camera, size), cv2.createLineSegmentDetector()
        self._waiting: deque[tuple[int, UInt8[np.ndarray, "h w"]]] = deque()
        self._interval, self._found = FIRST_INTERVAL, list[_Picture]()

    def watch(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Pass frames on, and keep small copies of some until ``update`` tells who is in them."""
        for frame in frames:
            if frame.index % self._interval == 0:
                self._waiting.append((frame.index, self._view.small(frame)))
            yield frame

    def update(self, people: People) -> None:
        """Search the picture with these people, if it was kept."""
        while self._waiting and self._waiting[0][0] < people.frame:
            self._waiting.popleft()
        if self._waiting and self._waiting[0][0] == people.frame:
            kept = self._waiting.popleft()
            if people.frame % self._interval == 0:  # the interval may have grown since the picture was read
                self._found.append(self._search(*kept, people))
        if len(self._found) > 2 * PICTURES:
            self._found, self._interval = self._found[::2], 2 * self._interval

    def result(self, rotations: Float[np.ndarray, "F 3 3"] | None = None) -> Edges:
        """The edges of all pictures.

        Args:
            rotations: For every frame, the rotation from the camera's axes to the reference axes; None if it is still.
        """
        normals, lengths = [np.zeros((0, 3))], [np.zeros(0)]
        for picture in self._found:
            ends = picture.ends if rotations is None else picture.ends @ rotations[picture.frame].T
            normals.append(np.cross(ends[:, 0], ends[:, 1]))
            lengths.append(picture.lengths / len(self._found))
        across = np.concatenate(normals)
        return Edges(across / np.linalg.norm(across, axis=1, keepdims=True), np.concatenate(lengths))

    def _search(self, frame: int, picture: UInt8[np.ndarray, "h w"], people: People) -> _Picture:
        found = self._detector.detect(picture)[0]
        ends = np.zeros((0, 2, 2)) if found is None else np.asarray(found, dtype=np.float64).reshape(-1, 2, 2)
        lengths = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1) / max(picture.shape)
        free = self._view.background(people.boxes[np.isfinite(people.boxes).all(1)])
        free[:BORDER] = free[-BORDER:] = free[:, :BORDER] = free[:, -BORDER:] = 0
        column, row = ends.mean(1).round().astype(int).T
        inside = free[row.clip(0, free.shape[0] - 1), column.clip(0, free.shape[1] - 1)] > 0
        kept = inside & (lengths > MIN_LENGTH)
        rays = self._view.rays(ends[kept].reshape(-1, 2)).reshape(-1, 2, 3)
        valid = np.isfinite(rays).all((1, 2))
        return _Picture(frame, rays[valid], lengths[kept][valid])
