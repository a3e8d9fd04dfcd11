"""Searches again for lost people, in a close-up of where they were in the previous frame."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, UInt8

from kinelift.detectors.protocol import Memory
from kinelift.poses import Frame, People, Skeleton
from kinelift.poses.boxes import iou
from kinelift.poses.lookahead import map_ahead

_REMEMBERED = ("points", "scores", "boxes", "confidence")


@runtime_checkable
class ImageDetector(Protocol):
    """Detects people in single images; ``MoveNet`` is one."""

    @property
    def skeleton(self) -> Skeleton:
        """The joints of the ``People`` that ``find`` returns."""

    def find(self, image: UInt8[np.ndarray, "H W 3"], frame: int = 0) -> People:
        """Detect the people in one RGB image, most confident first, in pixels of that image."""


class SecondLook:
    """A detector that searches a close-up before giving up on a person.

    The close-up is a square region of interest around the person's last box, which the network sees at a higher
    resolution. It costs time only while somebody is missing.
    """

    resumable = True

    def __init__(
        self, full_frame: ImageDetector, close_up: ImageDetector, *, margin: float = 1.6, overlap: float = 0.3
    ) -> None:
        """Combine two detectors that share a skeleton.

        Args:
            full_frame: Sees whole frames.
            close_up: Sees the region around each person of the previous frame whom ``full_frame`` does not find again.
            margin: The side of that region, as a multiple of the longer side of the person's previous box.
            overlap: The IoU above which a detection counts as being at the same place as a previous box.
        """
        self._full_frame, self._close_up = full_frame, close_up
        self._margin, self._overlap = margin, overlap

    @property
    def skeleton(self) -> Skeleton:
        """The joints of both detectors."""
        return self._full_frame.skeleton

    def detect(self, frames: Iterable[Frame]) -> Iterator[People]:
        """Detect the people in each frame: first those found in the full frame, then those found in close-ups."""
        return self.detect_from({}, frames)

    def detect_from(self, memory: Memory, frames: Iterable[Frame]) -> Iterator[People]:
        """Detect the people in each frame of a stretch; see ``ResumableDetector``."""
        previous = People.nobody(0, len(self.skeleton))
        if memory:
            previous = People(0, **{name: memory[name] for name in _REMEMBERED})

        def detect_next(frame: Frame) -> People:
            nonlocal previous
            previous = self.detect_frame(frame, previous)
            return previous

        yield from map_ahead(detect_next, frames)
        memory.update({name: getattr(previous, name) for name in _REMEMBERED})

    def detect_frame(self, frame: Frame, previous: People) -> People:
        """Detect the people in one frame, given those in the previous frame."""
        people = self._full_frame.find(frame.image, frame.index)
        for box in previous.boxes:
            if not (iou(box[None], people.boxes) > self._overlap).any():
                people = self._add_from_close_up(people, frame.image, box)
        return people

    def _add_from_close_up(
        self, people: People, image: UInt8[np.ndarray, "H W 3"], box: Float[np.ndarray, "4"]
    ) -> People:
        """``people``, plus anyone found around ``box`` who is not already among them."""
        region, corner = _square_region(image, box, self._margin)
        found = self._close_up.find(region, people.frame)
        found = replace(found, points=found.points + corner, boxes=found.boxes + np.tile(corner, 2))
        for row in np.flatnonzero(iou(box[None], found.boxes)[0] > self._overlap):
            if not _is_same_person(found.points[row], found.boxes[row], people.points).any():
                return people.concatenate(found.select([int(row)]))
        return people


def _square_region(
    image: UInt8[np.ndarray, "H W 3"], box: Float[np.ndarray, "4"], margin: float
) -> tuple[UInt8[np.ndarray, "S S 3"], Float[np.ndarray, "2"]]:
    """The square around ``box``, black outside the image, and the position of its upper left corner in the image."""
    height, width = image.shape[:2]
    side = max(2, round(margin * float((box[2:] - box[:2]).max())))
    x, y = (int(v) for v in np.round((box[:2] + box[2:]) / 2 - side / 2))
    region = np.zeros((side, side, 3), np.uint8)
    left, top, right, bottom = max(x, 0), max(y, 0), min(x + side, width), min(y + side, height)
    if left < right and top < bottom:
        region[top - y : bottom - y, left - x : right - x] = image[top:bottom, left:right]
    return region, np.array([x, y], dtype=np.float64)


def _is_same_person(
    points: Float[np.ndarray, "J 2"], box: Float[np.ndarray, "4"], others: Float[np.ndarray, "N J 2"]
) -> Bool[np.ndarray, " N"]:
    """For each of ``others``: whether half of its joints lie within a tenth of the box's diagonal of ``points``."""
    distance = np.median(np.linalg.norm(others - points, axis=-1), axis=-1)
    same: Bool[np.ndarray, " N"] = distance < 0.1 * np.linalg.norm(box[2:] - box[:2])
    return same
