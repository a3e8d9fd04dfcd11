"""The first stage of ``Refined``: detectors that look at one frame, given the last one, and detectors with batches."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from kinelift.detectors.converted import converted
from kinelift.detectors.protocol import Detector
from kinelift.poses import Frame, People, Skeleton


@runtime_checkable
class FramewiseDetector(Protocol):
    """Detects the people in one frame, given those of the frame before; ``SecondLook`` is one."""

    @property
    def skeleton(self) -> Skeleton:
        """The joints of the ``People`` that ``detect_frame`` returns."""

    def detect_frame(self, frame: Frame, previous: People) -> People:
        """Detect the people in one frame, most confident first.

        Args:
            frame: The frame to look at.
            previous: The people in the last frame, as a hint where to look.
        """


class Batched:
    """Makes a first stage of any detector: frames known beforehand go through it in its own batches.

    It gets no hint where people were.
    """

    def __init__(self, detector: Detector) -> None:
        """Wrap a detector that answers each frame by itself."""
        self._detector = detector

    @property
    def skeleton(self) -> Skeleton:
        """The joints of the detector."""
        return self._detector.skeleton

    def detect_frame(self, frame: Frame, previous: People) -> People:
        """Detect the people in one frame, alone."""
        (people,) = self._detector.detect([frame])
        return people

    def detect_ahead(self, frames: Iterable[Frame], first: int, every: int) -> Iterator[tuple[Frame, People | None]]:
        """Pass on every frame, with the people in it if it is one of those to detect people in; None for the others.

        As many frames are held as the detector reads ahead.

        Args:
            frames: Consecutive frames.
            first: The number of the first of them.
            every: Detect people in the frames whose number is a multiple of this.
        """
        held: deque[Frame] = deque()
        for people in self._detector.detect(_multiples(frames, first, every, held)):
            while held[0].index != people.frame:
                yield held.popleft(), None
            yield held.popleft(), people
        yield from ((frame, None) for frame in held)


def _multiples(frames: Iterable[Frame], first: int, every: int, held: deque[Frame]) -> Iterator[Frame]:
    """The frames whose number is a multiple of ``every``; all frames are appended to ``held``."""
    for number, frame in enumerate(frames, first):
        held.append(frame)
        if number % every == 0:
            yield frame


@dataclass(frozen=True, eq=False)
class ConvertedFramewise:
    """``detector`` with its joints converted to ``skeleton`` by name; joints that it does not have are never seen."""

    detector: FramewiseDetector
    skeleton: Skeleton

    def detect_frame(self, frame: Frame, previous: People) -> People:
        """Detect the people in one frame."""
        known = self.detector.skeleton
        found = self.detector.detect_frame(frame, converted(previous, self.skeleton, known))
        return converted(found, known, self.skeleton)
