"""The real program in a process of its own, with stages that need no weights and take their time.

python -m tests.end_to_end.doubled SECONDS-A-FRAME run VIDEO …
"""

import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from kinelift.__main__ import main
from kinelift.app.pipeline import Pipeline
from kinelift.app.settings import Detection, Settings
from kinelift.app.video import Video
from kinelift.detectors.protocol import Detector
from kinelift.poses import Frame, People, Skeleton
from tests.app.stages import pipeline, script


@dataclass(frozen=True)
class Slow:
    """A detector that takes its time."""

    detector: Detector
    seconds: float

    @property
    def skeleton(self) -> Skeleton:
        return self.detector.skeleton

    def detect(self, frames: Iterable[Frame]) -> Iterator[People]:
        for people in self.detector.detect(frames):
            time.sleep(self.seconds)
            yield people


def load(detection: Detection, lifter: str, classifier: str, device: str, settings: Settings) -> Pipeline:
    return pipeline(Slow(script(10_000, lambda k: 30.0 + k % 50, lambda k: 120.0), SECONDS), people=settings.people)


def frames(video: Video, original: Any = Video.frames) -> Iterator[Frame]:
    for frame in original(video):
        time.sleep(SECONDS)
        yield frame


if __name__ == "__main__":
    SECONDS = float(sys.argv[1])
    with patch.object(Pipeline, "load", load), patch.object(Video, "frames", frames):
        sys.exit(main(sys.argv[2:]))
