"""A live pipeline that tests can see through, and a clock that only the detector's work moves."""

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Condition

import torch

from kinelift.app.live.settings import LiveSettings
from kinelift.app.live.sources import Captured, FileSource
from kinelift.app.pipeline import Pipeline
from kinelift.detectors.protocol import Detector, FrameIndependent
from kinelift.lifting.lifter import Lifter
from kinelift.lifting.network import LifterNetwork
from kinelift.models.temporal import TemporalConfig, TemporalNet
from kinelift.poses import Frame, People, Skeleton
from tests.app.stages import Waving

PATIENCE = 30.0
"""Seconds after which a test that would hang fails."""


def live_pipeline(detector: Detector) -> Pipeline:
    """An untrained causal lifter, and a classifier that says that everybody waves."""
    torch.manual_seed(0)
    net = TemporalNet(TemporalConfig(17, 3, channels=8, causal=True)).eval()
    lifter = Lifter(LifterNetwork(net, 20.0, "frame"), torch.device("cpu"))
    return Pipeline(detector, lifter, Waving(), LiveSettings().whole(), {"lifter": "live"}, description="scripted")


@dataclass(frozen=True)
class Working(FrameIndependent):
    """A detector that calls ``work`` for every frame that it sees."""

    detector: Detector
    work: Callable[[], None]

    @property
    def skeleton(self) -> Skeleton:
        return self.detector.skeleton

    def detect(self, frames: Iterable[Frame]) -> Iterator[People]:
        for frame in frames:
            self.work()
            yield from self.detector.detect([frame])


class SteppedClock:
    """Time stands still until ``pass_time``, which waits for the reader of the source to catch up."""

    def __init__(self) -> None:
        self._time, self._wanted, self._ended = 0.0, 0.0, False
        self._changed = Condition()

    def now(self) -> float:
        return self._time

    def wait_until(self, moment: float) -> None:
        with self._changed:
            self._wanted = moment
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self._time >= moment - 1e-9, PATIENCE)

    def pass_time(self, seconds: float) -> None:
        with self._changed:
            self._time += seconds
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self._ended or self._wanted > self._time + 1e-9, PATIENCE)

    def end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()


class Paced(FileSource):
    """A file that tells the clock when it has ended."""

    def __init__(self, path: Path, clock: SteppedClock) -> None:
        super().__init__(path)
        self._clock = clock

    def frames(self, clock: object) -> Generator[Captured, None, None]:
        try:
            yield from super().frames(self._clock)
        finally:
            self._clock.end()
