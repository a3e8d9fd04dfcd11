"""A detector with scripted answers, for tests of everything that comes after detection."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from kinelift.detectors.protocol import FrameIndependent
from kinelift.poses import COCO17, Frame, People, Skeleton


@dataclass(frozen=True)
class Scripted(FrameIndependent):
    """Plays ``script`` back: frame ``k`` shows ``script[k]``, frames after its end show nobody."""

    script: Sequence[People]
    skeleton: Skeleton = COCO17

    def detect(self, frames: Iterable[Frame]) -> Iterator[People]:
        """Yield the scripted people of each frame, with the frame's index."""
        for frame in frames:
            if frame.index < len(self.script):
                yield replace(self.script[frame.index], frame=frame.index)
            else:
                yield People.nobody(frame.index, len(self.skeleton))
