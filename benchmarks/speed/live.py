"""Measure frames per second and latency of a live analysis beside a stated load; prints JSON.

    python -m benchmarks.speed.live VIDEO [--seconds 30] [--busy 1] [--cores 2] [--no-draw]

The video is scaled to 640 × 480 pixels and 30 frames per second, repeated for so many seconds, and played in real time.
Beside it run ``busy`` processes that do nothing but count. All share the first ``cores`` cores. Each result is drawn as
for the window, but not shown. The first seconds, in which networks are prepared, do not count. ``processor_ms``: CPU
time of the whole program for each frame that was analysed, which other programs hardly affect.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import tyro

from benchmarks.reporting import machine
from benchmarks.speed.pipeline import ffmpeg
from kinelift.app.detection_flags import LiveDetectionFlags
from kinelift.app.live.analyser import LiveAnalyser, Moment
from kinelift.app.live.clock import SystemClock
from kinelift.app.live.newest import Newest
from kinelift.app.live.session import Step, follow
from kinelift.app.live.settings import LiveSettings
from kinelift.app.live.sources import FileSource
from kinelift.app.live.statistics import Statistics
from kinelift.app.live.window import drawn
from kinelift.app.pipeline import Pipeline
from kinelift.app.spec import PipelineSpec
from kinelift.weights.store import fetch

SIZE = (640, 480)
RATE = 30
WARMING = 3.0
"""Seconds that do not count."""


def main(
    video: tyro.conf.Positional[Path],
    detection: LiveDetectionFlags,
    seconds: float = 30.0,
    busy: int = 1,
    cores: int = 2,
    draw: bool = True,
) -> None:
    """Measure and print.

    Args:
        video: The video.
        detection: Detection of people in the frames.
        seconds: How long it is played.
        busy: Processes that count beside it.
        cores: Cores that all share.
        draw: Draw every result.
    """
    fetch("movenet-multipose")
    fetch("blazepose-full")
    allowed = sorted(os.sched_getaffinity(0))[:cores]
    os.sched_setaffinity(0, allowed)
    pipeline = Pipeline.open(PipelineSpec(detection, "live", device="cpu", settings=LiveSettings().whole()))
    with TemporaryDirectory() as folder:
        scaled = Path(folder) / "scaled.mp4"
        scale(video, scaled, seconds)
        before = os.getloadavg()[0]
        with counting(busy):
            done = played(scaled, pipeline, draw)
    asked = {"seconds": seconds, "busy": busy, "cores": len(allowed), "draw": draw, "load_before": round(before, 2)}
    print(json.dumps({"machine": machine(), "detector": pipeline.description, **asked, **figures(done)}, indent=2))


def scale(video: Path, out: Path, seconds: float) -> None:
    """Write the video at ``SIZE`` and ``RATE``, with borders, repeated for so many seconds."""
    width, height = SIZE
    fitted = f"scale={width}:{height}:force_original_aspect_ratio=decrease,pad={width}:{height}:-1:-1,setsar=1"
    repeated = ("-stream_loop", "-1", "-i", str(video), "-t", str(seconds))
    ffmpeg(*repeated, "-an", "-vf", f"{fitted},fps={RATE}", "-pix_fmt", "yuv420p", str(out))


@contextmanager
def counting(count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run so many busy processes, which end with the context."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


class Done(NamedTuple):
    """A frame that was analysed: when it was done on the clock, and the CPU time used until then, s."""

    at: float
    processor: float
    step: Step


def played(video: Path, pipeline: Pipeline, draw: bool) -> list[Done]:
    """Play the video in real time; every frame that was analysed."""
    source, clock = FileSource(video), SystemClock()
    analyser = LiveAnalyser(pipeline, source.name, source.size)

    def show(moment: Moment) -> bool:
        if draw:
            drawn(analyser, moment)
        return True

    with Newest(source.frames(clock)) as newest:
        return [Done(clock.now(), time.process_time(), step) for step in follow(newest, analyser, clock, show)]


def figures(done: list[Done]) -> dict[str, Any]:
    """Frames per second, latency in ms, frames dropped, and people per frame, without the first seconds."""
    first, *counted = [one for one in done if one.at >= done[0].at + WARMING]
    statistics = Statistics(first.at)
    for one in counted:
        statistics.add(one.step.latency, one.step.dropped)
    summary = statistics.summary(counted[-1].at)
    return {
        "frames_per_second": round(summary.rate, 1),
        "latency_ms": {"median": round(1e3 * summary.latency), "p95": round(1e3 * summary.late)},
        "processor_ms": round(1e3 * (counted[-1].processor - first.processor) / summary.frames, 1),
        "analysed": summary.frames,
        "dropped": summary.dropped,
        "people": round(float(np.mean([len(one.step.moment.present) for one in counted])), 2),
    }


if __name__ == "__main__":
    tyro.cli(main)
