"""Measure the speed of each stage, and the program's speed and peak memory at two lengths; prints JSON.

    python -m benchmarks.speed.pipeline [--video FILE] [--seconds 4] [--frames 60]

Baselines come from the same run: decoding alone for the stages, and the short clip for one four times as long. Stages
run one after another on frames in memory, which gives the cost of each, without overlap.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import tyro
from imageio_ffmpeg import get_ffmpeg_exe

from benchmarks.reporting import machine
from kinelift.weights.store import fetch

T = TypeVar("T")
TIMES_LONGER = 4


def main(video: Path | None = None, seconds: float = 4.0, frames: int = 60) -> None:
    """Measure and print.

    Args:
        video: The video; the sample clip if not given.
        seconds: Length of the short clip for the whole program; the long one is four times that.
        frames: Number of frames for timing the stages.
    """
    source = video or fetch("sample-clip")
    fetch("movenet-multipose")
    fetch("blazepose-full")
    with tempfile.TemporaryDirectory() as folder:
        # First, because a child's peak memory starts at its parent's, and the stages below load every library.
        whole = programs(source, seconds, Path(folder))
        report = {"machine": machine(), "whole": whole, "stages": stages(source, frames, Path(folder))}
    print(json.dumps(report, indent=2))


def programs(source: Path, seconds: float, folder: Path) -> dict[str, Any]:
    """Run the program on a short clip and on one four times as long, each in its own process."""
    short, long = folder / "short.mp4", folder / "long.mp4"
    ffmpeg("-t", str(seconds), "-i", str(source), "-an", str(short))
    ffmpeg("-stream_loop", str(TIMES_LONGER - 1), "-i", str(short), "-c", "copy", str(long))
    once, longer = program(short, folder), program(long, folder)
    ratio = longer["peak_memory_mb"] / once["peak_memory_mb"]
    return {"once": once, "four_times": longer, "memory_ratio": round(ratio, 3)}


def program(video: Path, folder: Path) -> dict[str, float]:
    """Frames, seconds, frame rate and peak memory (MB) of ``kinelift run``."""
    from av import open as open_container

    began = time.perf_counter()
    command = [sys.executable, "-m", "kinelift", "run", str(video), "-o", str(folder / "out")]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    took = time.perf_counter() - began
    if status != 0:
        raise SystemExit(f"{' '.join(command)} failed.")
    with open_container(str(video)) as container:
        count = sum(1 for packet in container.demux(video=0) if packet.size)
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "frames": count,
        "seconds": round(took, 2),
        "frames_per_second": round(count / took, 1),
        "peak_memory_mb": round(used.ru_maxrss * unit / 1e6, 1),
    }


def stages(source: Path, count: int, folder: Path) -> dict[str, dict[str, float]]:
    """Time per frame, frame rate, and multiple of the decoding time, of each stage."""
    from kinelift.app.pipeline import Pipeline
    from kinelift.app.render import Renderer
    from kinelift.app.video import Video, VideoWriter
    from kinelift.detectors.tracking import Tracker
    from kinelift.poses import Person, Recording, VideoFacts

    video, clock, pipeline = Video(source), Stopwatch(), Pipeline.load(device="cpu")
    size = (video.width, video.height)
    detector, camera = pipeline.detector, pipeline.settings.assumed_camera(size)

    frames = clock("decode", lambda: list(islice(video.frames(), count)))
    people = clock("detect", lambda: list(detector.detect(frames)))
    tracker = Tracker(detector.skeleton, size)
    clock("track", lambda: [tracker.update(p, float(f.time)) for p, f in zip(people, frames, strict=True)])
    tracks = tracker.tracks()
    poses = clock("lift", lambda: [pipeline.lifter.lift(t.track, camera) for t in tracks])
    actions = clock("recognise", lambda: [pipeline.classifier.recognise(p) for p in poses])
    found = tuple(
        Person(t.id, t.track, p, a.actions, a.windows) for t, p, a in zip(tracks, poses, actions, strict=True)
    )
    facts = VideoFacts(source.stem, *size, np.array([float(frame.time) for frame in frames]))
    renderer = Renderer(Recording(facts, found))
    pictures = clock("draw", lambda: [renderer.draw(frame) for frame in frames])

    def encode() -> None:
        with VideoWriter(folder / "speed.mp4", *renderer.size, None) as writer:
            for frame, picture in zip(frames, pictures, strict=True):
                writer.write(picture, frame.time)

    clock("encode", encode)
    return clock.table(len(frames))


class Stopwatch:
    """Times named pieces of work."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def __call__(self, name: str, work: Callable[[], T]) -> T:
        """Run and time ``work``, and return its result."""
        began = time.perf_counter()
        result = work()
        self.seconds[name] = time.perf_counter() - began
        return result

    def table(self, frames: int) -> dict[str, dict[str, float]]:
        """The figures of each piece of work."""
        return {
            name: {
                "ms_per_frame": round(1e3 * seconds / frames, 3),
                "frames_per_second": round(frames / seconds, 1),
                "times_decoding": round(seconds / self.seconds["decode"], 2),
            }
            for name, seconds in self.seconds.items()
        }


def ffmpeg(*arguments: str) -> None:
    """Run ffmpeg without output, raising ``CalledProcessError`` if it fails."""
    subprocess.run([get_ffmpeg_exe(), "-loglevel", "error", "-y", *arguments], check=True)


if __name__ == "__main__":
    tyro.cli(main)
