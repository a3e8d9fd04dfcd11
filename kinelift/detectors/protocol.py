"""What the rest of the program asks of a detector."""

from collections.abc import Iterable, Iterator
from typing import Protocol, runtime_checkable

from kinelift.poses import Frame, People, Skeleton


@runtime_checkable
class Detector(Protocol):
    """Finds people in a stream of frames.

    A detector answers every frame, in order, with N = 0 where nobody is seen. It may read a few frames ahead, to
    fill a batch, but never the whole stream.
    """

    @property
    def skeleton(self) -> Skeleton:
        """The joints of every ``People`` that ``detect`` yields."""

    def detect(self, frames: Iterable[Frame]) -> Iterator[People]:
        """The people in each frame. Raises ``DetectorError`` if the detector cannot run here."""
