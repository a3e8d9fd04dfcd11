"""Any detector, asked for one frame at a time."""

from dataclasses import dataclass

from kinelift.detectors.protocol import Detector
from kinelift.poses import Frame, People, Skeleton


@dataclass(frozen=True, eq=False)
class OneByOne:
    """``detector`` as the first stage of ``Refined``: it sees every frame alone and needs no hint of the last one."""

    detector: Detector

    @property
    def skeleton(self) -> Skeleton:
        """The joints of the detector."""
        return self.detector.skeleton

    def look(self, frame: Frame, before: People) -> People:
        """The people in one frame."""
        (people,) = self.detector.detect([frame])
        return people
