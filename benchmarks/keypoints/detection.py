"""Measure MoveNet's detections, jitter and time by input size, with and without the second look; prints JSON.

    python -m benchmarks.keypoints.detection [--frames 230]

The sample clip has no labels, so the detections themselves must be inspected. Times are CPU times, which other
programs hardly affect, relative to the default size in the same run. ``jitter``: median second difference over time of
the joints of a person alone in the picture, in px of the picture. ``mirror``: half the median difference in x between
a picture and its mirror image, in px of the network's input, which remains after the adapter's offset. For the second
stage see ``benchmarks.keypoints.refinement``.
"""

import json
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import tyro

from benchmarks.reporting import machine
from kinelift.app.video import Video
from kinelift.detectors.movenet.detector import MoveNet
from kinelift.detectors.movenet.second_look import SecondLook
from kinelift.poses import Frame, People
from kinelift.weights.store import fetch

SIDES = (256, 384, 512, 640)
DEFAULT = 512
CLEAR = 0.4
"""Minimum score of joints for ``jitter`` and ``mirror``."""


def main(frames: int = 230) -> None:
    """Measure and print.

    Args:
        frames: Number of frames to use of the clip.
    """
    model = fetch("movenet-multipose")
    clip = list(islice(Video(fetch("sample-clip")).frames(), frames))
    rows = {side: row(model, side, clip) for side in SIDES}
    for figures in rows.values():
        for key in ("seconds", "seconds_second_look"):
            figures[key.replace("seconds", "time")] = round(figures[key] / rows[DEFAULT]["seconds"], 2)
    print(json.dumps({"machine": machine(), "frames": len(clip), "long_side": rows}, indent=2))


def row(model: Path, side: int, clip: Sequence[Frame]) -> dict[str, float]:
    """The figures of one input size."""
    plain = MoveNet(model, long_side=side)
    found, seconds = timed(lambda: list(plain.detect(clip)))
    again, longer = timed(lambda: list(SecondLook(plain, MoveNet(model, long_side=256)).detect(clip)))
    return {
        "people": sum(map(len, found)),
        "people_second_look": sum(map(len, again)),
        "jitter_px": round(jitter(found), 2),
        "mirror_px": round(mirror(plain, side, clip[::10]), 2),
        "seconds": round(seconds, 2),
        "seconds_second_look": round(longer, 2),
    }


def jitter(found: Sequence[People]) -> float:
    """Median length of the second difference of confident joints over three frames with one person each."""
    steps = []
    for three in zip(found, found[1:], found[2:], strict=False):
        if all(len(people) == 1 for people in three):
            a, b, c = (people.points[0] for people in three)
            clear = np.min([people.scores[0] for people in three], axis=0) > CLEAR
            steps.append(np.linalg.norm(a - 2 * b + c, axis=1)[clear])
    return float(np.median(np.concatenate(steps)))


def mirror(detector: MoveNet, side: int, clip: Sequence[Frame]) -> float:
    """Offset of joints in x between picture and mirror image; positive if too far left."""
    offsets = []
    for frame in clip:
        width = frame.image.shape[1]
        seen, other = detector.find(frame.image), detector.find(np.ascontiguousarray(frame.image[:, ::-1]))
        if len(seen) == len(other) == 1:
            swapped = list(detector.skeleton.mirror)
            clear = np.minimum(seen.scores[0], other.scores[0][swapped]) > CLEAR
            reflected = width - other.points[0][swapped, 0]
            offsets.append((reflected - seen.points[0][:, 0])[clear] / 2 * side / max(frame.image.shape[:2]))
    return float(np.median(np.concatenate(offsets)))


def timed(work: Callable[[], list[People]]) -> tuple[list[People], float]:
    """The result of ``work``, and the CPU time it took, s."""
    began = time.process_time()
    result = work()
    return result, time.process_time() - began


if __name__ == "__main__":
    tyro.cli(main)
