"""Look again, close up, where a person of the last frame is missing from this one."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, UInt8

from kinelift.poses import Frame, People, Skeleton
from kinelift.poses.boxes import iou
from kinelift.poses.lookahead import map_ahead


@runtime_checkable
class Finder(Protocol):
    """Finds people in one picture; ``MoveNet`` is one."""

    @property
    def skeleton(self) -> Skeleton:
        """The joints of the ``People`` that ``find`` returns."""

    def find(self, image: UInt8[np.ndarray, "H W 3"], frame: int = 0) -> People:
        """The people in one RGB picture, most confident first, in pixels of that picture."""


class SecondLook:
    """A detector that does not lose a person at the first doubt.

    ``wide`` sees whole frames. For each person of the last answer whom it does not find again, ``near`` sees a square
    around the last box, ``margin`` times its longer side, so at a higher resolution. Whom it finds there is added,
    unless ``wide`` found the same person. A second look costs time only while somebody is missing.
    """

    def __init__(self, wide: Finder, near: Finder, *, margin: float = 1.6, overlap: float = 0.3) -> None:
        self._wide, self._near = wide, near
        self._margin, self._overlap = margin, overlap

    @property
    def skeleton(self) -> Skeleton:
        """The joints of ``wide``, which ``near`` must share."""
        return self._wide.skeleton

    def detect(self, frames: Iterable[Frame]) -> Iterator[People]:
        """The people in each frame: those of ``wide``, then those of ``near``."""
        before = People.nobody(0, len(self.skeleton))

        def look(frame: Frame) -> People:
            nonlocal before
            before = self.look(frame, before)
            return before

        return map_ahead(look, frames)

    def look(self, frame: Frame, before: People) -> People:
        """The people in one frame, given those of the last one."""
        now = self._wide.find(frame.image, frame.index)
        for box in before.boxes:
            if not (iou(box[None], now.boxes) > self._overlap).any():
                now = self._with_one_near(now, frame.image, box)
        return now

    def _with_one_near(self, now: People, image: UInt8[np.ndarray, "H W 3"], box: Float[np.ndarray, "4"]) -> People:
        view, corner = _square(image, box, self._margin)
        seen = self._near.find(view, now.frame)
        found = replace(seen, points=seen.points + corner, boxes=seen.boxes + np.tile(corner, 2))
        for one in np.flatnonzero(iou(box[None], found.boxes)[0] > self._overlap):
            if not _same(found.points[one], found.boxes[one], now.points).any():
                return now.and_also(found.only([int(one)]))
        return now


def _square(
    image: UInt8[np.ndarray, "H W 3"], box: Float[np.ndarray, "4"], margin: float
) -> tuple[UInt8[np.ndarray, "S S 3"], Float[np.ndarray, "2"]]:
    """The square around ``box``, black outside the picture, and where its upper left corner lies in the picture."""
    height, width = image.shape[:2]
    side = max(2, round(margin * float((box[2:] - box[:2]).max())))
    x, y = (int(v) for v in np.round((box[:2] + box[2:]) / 2 - side / 2))
    view = np.zeros((side, side, 3), np.uint8)
    left, top, right, bottom = max(x, 0), max(y, 0), min(x + side, width), min(y + side, height)
    if left < right and top < bottom:
        view[top - y : bottom - y, left - x : right - x] = image[top:bottom, left:right]
    return view, np.array([x, y], dtype=np.float64)


def _same(
    points: Float[np.ndarray, "J 2"], box: Float[np.ndarray, "4"], others: Float[np.ndarray, "N J 2"]
) -> Bool[np.ndarray, " N"]:
    """Whether most joints lie within a tenth of the box's diagonal of those of each other person."""
    distance = np.median(np.linalg.norm(others - points, axis=-1), axis=-1)
    return distance < 0.1 * np.linalg.norm(box[2:] - box[:2])
