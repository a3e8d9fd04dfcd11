"""The real program in a process of its own, with stages that need no weights, and a place where it waits for a signal.

python -m tests.end_to_end.doubled nowhere|finding|drawing run VIDEO …

It waits in the middle of the first or the second pass over the video, once it has printed WAITING.
"""

import signal
import sys
from collections.abc import Iterator
from itertools import count
from typing import Any
from unittest.mock import patch

from kinelift.__main__ import main
from kinelift.app.pipeline import Pipeline
from kinelift.app.spec import PipelineSpec
from kinelift.app.video import Video
from kinelift.poses import Frame
from tests.app.stages import pipeline, script

WAITING = "waiting for a signal\n"
PASSES = {"nowhere": -1, "finding": 0, "drawing": 1}
MIDDLE = 20
"""The frame that is kept back."""


def opened(spec: PipelineSpec) -> Pipeline:
    return pipeline(
        script(10_000, lambda k: 30.0 + k % 50, lambda k: 120.0),
        people=spec.settings.people,
        viewer=spec.settings.viewer,
    )


def frames(video: Video, original: Any = Video.frames, passes: Iterator[int] = count()) -> Iterator[Frame]:  # noqa: B008
    number = next(passes)
    for frame in original(video):
        if (number, frame.index) == (PASSES[sys.argv[1]], MIDDLE):
            sys.stdout.write(WAITING)
            sys.stdout.flush()
            signal.pause()
        yield frame


if __name__ == "__main__":
    with patch.object(Pipeline, "open", opened), patch.object(Video, "frames", frames):
        sys.exit(main(sys.argv[2:]))
