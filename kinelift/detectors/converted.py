"""Conversion of a detector's joints to another skeleton."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from kinelift.detectors.protocol import Detector, Memory, ResumableDetector, is_resumable
from kinelift.poses import Frame, People, Skeleton, convert


@dataclass(frozen=True, eq=False)
class Converted:
    """``detector`` with its joints converted to ``skeleton`` by name.

    Joints that the detector does not have are never seen: NaN, with score 0.
    """

    detector: Detector
    skeleton: Skeleton

    def detect(self, frames: Iterable[Frame]) -> Iterator[People]:
        """Detect the people in each frame."""
        for people in self.detector.detect(frames):
            yield converted(people, self.detector.skeleton, self.skeleton)

    @property
    def resumable(self) -> bool:
        """Whether ``detector`` can be continued."""
        return is_resumable(self.detector)

    def detect_from(self, memory: Memory, frames: Iterable[Frame]) -> Iterator[People]:
        """Detect the people in each frame of a stretch; see ``ResumableDetector``."""
        assert isinstance(self.detector, ResumableDetector)
        for people in self.detector.detect_from(memory, frames):
            yield converted(people, self.detector.skeleton, self.skeleton)


def converted(people: People, known: Skeleton, wanted: Skeleton) -> People:
    """Convert the joints of ``people`` from one skeleton to another by name; see ``Converted``."""
    scores = convert(people.scores[..., None], known, wanted)[..., 0]
    return replace(people, points=convert(people.points, known, wanted), scores=np.nan_to_num(scores))


def as_skeleton(detector: Detector, skeleton: Skeleton) -> Detector:
    """Convert ``detector`` to ``skeleton``, unless it has that skeleton already."""
    return detector if detector.skeleton == skeleton else Converted(detector, skeleton)
