"""Detectors that answer one frame at a time: the first stage of ``Refined``."""

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


@dataclass(frozen=True, eq=False)
class FrameByFrame:
    """Makes a ``FramewiseDetector`` of any detector, which then sees every frame alone, without the hint."""

    detector: Detector

    @property
    def skeleton(self) -> Skeleton:
        """The joints of the detector."""
        return self.detector.skeleton

    def detect_frame(self, frame: Frame, previous: People) -> People:
        """Detect the people in one frame."""
        (people,) = self.detector.detect([frame])
        return people


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
