"""Measure each detector's time per frame, with one thread and with two, as JSON and as a table.

    python -m benchmarks.speed.detecting [--frames 120] [--detector NAME ...] [--openpose FILE] [--video FILE]

For each detector, on frames in memory: ``ms_1`` and ``ms_2``: ms per frame with one and with two threads; ``cpu_1`` and
``cpu_2``: CPU time, which other programs hardly affect; ``times``: ``cpu_1`` as a multiple of the first row's on the
same frames. All are medians over pieces of the clip, on each of which the detectors run one after another. ``whole``:
the default detector alone, and all of ``detect``, which also decodes and tracks; ``overhead``: the difference, as a
fraction. Tables go to stderr.

Torch networks have random weights, which does not affect their speed, but leaves no people to group from part fields.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import torch
import tyro

from benchmarks.keypoints.compared_detectors import (
    Way,
    detectron2,
    keypoints_of,
    lightweight_openpose,
    movenet,
    part_fields,
    strided,
)
from benchmarks.reporting import Column, machine, percent, table
from kinelift.app.settings import Settings
from kinelift.app.spec import pick_device
from kinelift.app.tracking import track_people
from kinelift.app.video import Video
from kinelift.detectors.detectron2 import keypoint_rcnn
from kinelift.detectors.detectron2.kind import installed
from kinelift.detectors.protocol import Detector
from kinelift.poses import Frame
from kinelift.poses.keypoints import Format, write
from kinelift.weights.store import fetch

BASELINE = "MoveNet"
DETECTRON2 = "Detectron2"
THREADS = (1, 2)
PIECES = 4
SLOW = 2
"""Frames of each piece for detectors that are slow on a CPU."""


@dataclass(frozen=True)
class Cost:
    """Wall-clock time and CPU time, ms."""

    wall: float
    cpu: float


class Beginning(Video):
    """The first frames of a video."""

    def __init__(self, path: Path, count: int) -> None:
        super().__init__(path)
        self._count = count

    def frames(self) -> Iterator[Frame]:
        """Decode the frames."""
        return islice(super().frames(), self._count)


def main(
    frames: int = 120, detector: tuple[str, ...] = (), openpose: Path | None = None, video: Path | None = None
) -> None:
    """Measure and print.

    Args:
        frames: Number of frames to use of the clip.
        detector: Measure only detectors whose name contains one of these, and the first.
        openpose: Weights of an OpenPose network to measure as well.
        video: The video; the sample clip if not given.
    """
    source = video or fetch("sample-clip")
    clip = list(islice(Video(source).frames(), 1, frames + 2))  # not from 0: keypoint files check whole videos
    ways = {
        name: way
        for name, way in available_detectors(openpose, source, frames + 2).items()
        if _selected(name, detector)
    }
    costs = {threads: measured(ways, clip, threads) for threads in THREADS}
    report = {
        "machine": machine(),
        "frames": len(clip),
        "size": clip[0].image.shape[1::-1],
        "detectors": {name: row([costs[t][name] for t in THREADS], costs[1][BASELINE]) for name in ways},
        "whole": {str(t): whole(movenet("full"), source, clip[: len(clip) // 2], t) for t in THREADS},
    }
    print(json.dumps(report, indent=2))
    print(tables(report), file=sys.stderr)


def available_detectors(openpose: Path | None, source: Path, frames: int) -> dict[str, Way]:
    """The detectors of the table that are installed."""
    plain, full = movenet(), movenet("full")
    ways = {
        BASELINE: plain,
        "+ BlazePose full (default)": full,
        "+ BlazePose heavy": movenet("heavy"),
        **({"default, OpenVINO": movenet("full", engine="openvino")} if find_spec("openvino") else {}),
        "default, MoveNet every 2nd frame": movenet("full", redetect=2),
        "default, MoveNet every 3rd frame": movenet("full", redetect=3),
        "default, stride 2": strided(full, 2),
        "default, stride 3": strided(full, 3),
        **{f"default, long side {side}": movenet("full", long_side=side) for side in (384, 640)},
        **({"OpenPose, ONNX": part_fields(openpose)} if openpose else {}),
        "Lightweight OpenPose, torch": lightweight_openpose(),
    }
    if installed():
        device = pick_device("auto")
        ways |= {f"{DETECTRON2} {one}, {device}": detectron2(one, device) for one in keypoint_rcnn.BACKBONES}
    with TemporaryDirectory() as folder:
        ways["keypoint file"] = keypoints_of(followed(plain, source, frames, Path(folder)), frames)
    return ways


def followed(way: Way, source: Path, frames: int, folder: Path) -> Path:
    """Write a file with the keypoints of the first ``frames``."""
    path = folder / "keypoints.json"
    write(path, track_people(Beginning(source, frames), way(max(THREADS)), Settings(), {}), Format.COCO)
    return path


def measured(ways: Mapping[str, Way], clip: Sequence[Frame], threads: int) -> dict[str, list[Cost]]:
    """The cost per frame of each detector, on each of ``PIECES`` pieces of ``clip``."""
    with limited(threads):
        detectors = {name: way(threads) for name, way in ways.items()}
        for one in detectors.values():
            list(one.detect(clip[:1]))
        found: dict[str, list[Cost]] = {name: [] for name in ways}
        for piece in pieces(clip):
            for name, one in detectors.items():
                seen = piece[:SLOW] if name.startswith(DETECTRON2) and name.endswith("cpu") else piece
                found[name].append(cost(partial(exhaust, one, seen), len(seen)))
        return found


def pieces(clip: Sequence[Frame]) -> list[Sequence[Frame]]:
    """Cut ``clip`` into ``PIECES``, each starting with the last frame of the previous one.

    A detector with a stride that divides the steps then runs no more often than in a long video.
    """
    steps = (len(clip) - 1) // PIECES
    return [clip[k * steps : (k + 1) * steps + 1] for k in range(PIECES)]


def whole(way: Way, source: Path, clip: Sequence[Frame], threads: int) -> dict[str, float]:
    """The cost of the detector alone on ``clip``, and of all of ``detect`` on as many frames of ``source``."""
    with limited(threads):
        detector, video = way(threads), Beginning(source, len(clip))
        list(detector.detect(clip[:1]))
        alone, both, decoding = [], [], []
        for _ in range(PIECES):
            decoding.append(cost(lambda: [None for _ in video.frames()], len(clip)))
            alone.append(cost(partial(exhaust, detector, clip), len(clip)))
            both.append(cost(lambda: track_people(video, detector, Settings(), {}), len(clip)))
    return {
        "decode_cpu": round(median(one.cpu for one in decoding), 1),
        "alone": round(median(one.wall for one in alone), 1),
        "whole": round(median(one.wall for one in both), 1),
        "alone_cpu": round(median(one.cpu for one in alone), 1),
        "whole_cpu": round(median(one.cpu for one in both), 1),
        "overhead": round(median(b.wall / a.wall for a, b in zip(alone, both, strict=True)) - 1, 3),
        "overhead_cpu": round(median(b.cpu / a.cpu for a, b in zip(alone, both, strict=True)) - 1, 3),
    }


@contextmanager
def limited(threads: int) -> Iterator[None]:
    """Limit torch and OpenCV to this number of threads."""
    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])


def exhaust(detector: Detector, frames: Sequence[Frame]) -> None:
    """Run the detector, and discard the results."""
    for _ in detector.detect(frames):
        pass


def cost(work: Callable[[], object], frames: int) -> Cost:
    """The cost per frame of ``work``, which processes this number of frames."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Cost(1e3 * (time.perf_counter() - wall) / frames, 1e3 * (time.process_time() - cpu) / frames)


def row(costs: Sequence[Sequence[Cost]], baseline: Sequence[Cost]) -> dict[str, float]:
    """The figures of one detector; ``costs`` by threads and piece, ``baseline`` by piece with one thread."""
    figures: dict[str, float] = {}
    for threads, found in zip(THREADS, costs, strict=True):
        figures[f"ms_{threads}"] = round(median(one.wall for one in found), 2)
        figures[f"cpu_{threads}"] = round(median(one.cpu for one in found), 2)
    times = (one.cpu / other.cpu for one, other in zip(costs[0], baseline, strict=True))
    return {**figures, "times": round(median(times), 3)}


def tables(report: Mapping[str, Any]) -> str:
    """The tables for the documentation."""
    columns = {
        "ms_1": Column("ms, 1 thread"), "ms_2": Column("ms, 2 threads"), "cpu_1": Column("processor ms, 1 thread"),
        "cpu_2": Column("processor ms, 2 threads"), "times": Column(f"× {BASELINE}"),
    }  # fmt: skip
    shares = {
        "alone": Column("alone, ms"), "whole": Column("whole, ms"), "overhead": percent("more"),
        "alone_cpu": Column("alone, processor ms"), "whole_cpu": Column("whole, processor ms"),
        "overhead_cpu": percent("more"),
    }  # fmt: skip
    return "\n\n".join([table("detector", report["detectors"], columns), table("threads", report["whole"], shares)])


def _selected(name: str, choice: Sequence[str]) -> bool:
    return not choice or name == BASELINE or any(one in name for one in choice)


if __name__ == "__main__":
    tyro.cli(main)
