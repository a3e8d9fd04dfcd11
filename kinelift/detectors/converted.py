"""A detector whose joints are wanted in another layout."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from kinelift.detectors.protocol import Detector
from kinelift.poses import Frame, People, Skeleton, convert


@dataclass(frozen=True, eq=False)
class Converted:
    """``detector`` with its joints brought into the layout ``skeleton``, by name.

    Joints that the detector does not know are never seen: NaN, with score 0.
    """

    detector: Detector
    skeleton: Skeleton

    def detect(self, frames: Iterable[Frame]) -> Iterator[People]:
        """The people in each frame."""
        return map(self._converted, self.detector.detect(frames))

    def _converted(self, people: People) -> People:
        known, wanted = self.detector.skeleton, self.skeleton
        scores = convert(people.scores[..., None], known, wanted)[..., 0]
        return replace(people, points=convert(people.points, known, wanted), scores=np.nan_to_num(scores))


def as_skeleton(detector: Detector, skeleton: Skeleton) -> Detector:
    """``detector`` as it is if it finds the joints of ``skeleton``, else converted."""
    return detector if detector.skeleton == skeleton else Converted(detector, skeleton)
