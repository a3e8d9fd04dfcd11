"""Detectors that answer one frame at a time: the first stage of ``Refined``."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

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
