"""Measure the effect of the second 2D stage on jitter and time on the sample clip; prints JSON.

    python -m benchmarks.keypoints.refinement [--frames 120] [--scale 1.0]

The clip has no labels (``benchmarks.bodies.calibrated`` has a reference). For each detector, in the same run:
``people`` detected; ``joints`` and ``wrists``: fractions of them visible in the tracks; ``jitter``: median length of
the second difference over time of a joint, in hundredths of the torso; ``mirror``: median distance between joints in a
picture and in its mirror image, in hundredths of the torso, every tenth frame on its own; ``bones``: mean coefficient
of variation of bone lengths in the lifted poses, which is 0 for a real body; ``ms_1`` and ``ms_2``: time per frame in
ms with one and with two threads; ``cpu_ms``: CPU time per frame with one thread, which other programs hardly affect.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tyro
from jaxtyping import Float

import kinelift.detectors
from benchmarks.reporting import machine
from kinelift.app.settings import Settings
from kinelift.app.video import Video
from kinelift.detectors.converted import as_skeleton
from kinelift.detectors.movenet.multi_scale import multi_scale_movenet
from kinelift.detectors.protocol import Detector
from kinelift.detectors.refining.blazepose import BlazePose
from kinelift.detectors.refining.refined import Refined
from kinelift.detectors.tflite import Engine
from kinelift.detectors.tracking import Tracker
from kinelift.lifting.lifter import Lifter
from kinelift.poses import COCO17, H36M17, Frame, People, Track2D
from kinelift.weights.registry import entry, sha256
from kinelift.weights.run import Run, fingerprint
from kinelift.weights.store import fetch, locate

WAYS: Mapping[str, tuple[str, int, Engine]] = {
    "none": ("", 1, "tflite"), "full": ("full", 1, "tflite"), "full_every_2": ("full", 2, "tflite"),
    "full_every_3": ("full", 3, "tflite"), "full_openvino": ("full", 1, "openvino"), "heavy": ("heavy", 1, "tflite"),
}  # fmt: skip
"""The landmark model, the stride of the first stage, and what runs both."""
WEIGHTS = ("movenet-multipose", "blazepose-full", "blazepose-heavy")


def main(frames: int = 120, scale: float = 1.0) -> None:
    """Measure and print.

    Args:
        frames: Number of frames to use of the clip.
        scale: Factor by which the pictures are scaled down.
    """
    for name in WEIGHTS:
        fetch(name)
    clip = [_scaled(frame, scale) for frame in islice(Video(fetch("sample-clip")).frames(), frames)]
    lifter = Lifter.load(locate("default"))
    rows = {way: row(partial(detector, way), clip, lifter) for way in WAYS}
    size = clip[0].image.shape[1::-1]
    print(json.dumps({"machine": machine(), "frames": len(clip), "size": size, "ways": rows}, indent=2))


def inputs_of(video: Path, **chosen: Any) -> Run:
    """The inputs of keypoints: the content of ``video``, the weights, and the source of the detectors."""
    source = Path(kinelift.detectors.__file__).parent
    program = {path.relative_to(source).as_posix(): path.read_text() for path in source.rglob("*.py")}
    weights = {name: {"sha256": entry(name).sha256} for name in WEIGHTS}
    content = {"video": {"sha256": sha256(video)}, "detectors": {"sha256": fingerprint(program)}}
    return Run({**content, **weights}, chosen)


def detector(way: str, threads: int) -> Detector:
    """Open one of the detectors."""
    model, every, engine = WAYS[way]
    people = multi_scale_movenet(locate("movenet-multipose"), threads=threads, engine=engine)
    if not model:
        return people
    return Refined(people, BlazePose(locate(f"blazepose-{model}"), threads=threads, engine=engine), every=every)


def row(make: Callable[[int], Detector], clip: Sequence[Frame], lifter: Lifter) -> dict[str, float]:
    """The figures of one detector."""
    before = time.process_time()
    found, slow = timed(make(1), clip)
    used = time.process_time() - before
    _, fast = timed(make(2), clip)
    tracks = follow(found, clip)
    return {
        "people": sum(map(len, found)),
        "joints": round(float(np.mean([np.isfinite(t.points).all(-1).mean() for t in tracks])), 3),
        "wrists": round(float(np.mean([np.isfinite(t.points[:, _joints("wrist")]).all(-1).mean() for t in tracks])), 3),
        "jitter": round(float(np.nanmedian(np.concatenate([jitter(track) for track in tracks]))), 2),
        "mirror": round(mirror(make(2), clip[::10]), 2),
        "bones": round(float(np.mean([bones(track, lifter, clip) for track in tracks])), 4),
        "cpu_ms": round(1e3 * used / len(clip), 1),
        "ms_1": round(1e3 * slow / len(clip), 1),
        "ms_2": round(1e3 * fast / len(clip), 1),
    }


def timed(way: Detector, clip: Sequence[Frame]) -> tuple[list[People], float]:
    """Detect everybody in the clip; also returns the time, s."""
    way = as_skeleton(way, COCO17)
    began = time.perf_counter()
    found = list(way.detect(clip))
    return found, time.perf_counter() - began


def follow(found: Sequence[People], clip: Sequence[Frame]) -> list[Track2D]:
    """Track the detections."""
    height, width = clip[0].image.shape[:2]
    tracker = Tracker(COCO17, (width, height))
    for people, frame in zip(found, clip, strict=True):
        tracker.update(people, float(frame.time))
    return [identity.track for identity in tracker.tracks()]


def torso(points: Float[np.ndarray, "*T J 2"]) -> Float[np.ndarray, "*T"]:
    """Distance from mid-shoulder to mid-hip, px."""
    shoulders, hips = (points[..., _joints(part), :].mean(axis=-2) for part in ("shoulder", "hip"))
    return np.linalg.norm(shoulders - hips, axis=-1)


def jitter(track: Track2D) -> Float[np.ndarray, "*many"]:
    """Lengths of second differences over time, in hundredths of the person's median torso."""
    steps = np.linalg.norm(np.diff(track.points, n=2, axis=0), axis=-1)
    return 100 * steps.ravel() / np.nanmedian(torso(track.points))


def mirror(way: Detector, clip: Sequence[Frame]) -> float:
    """Median distance of joints between picture and mirror image, in hundredths of the torso."""
    distances, bare = [], as_skeleton(way, COCO17)
    for frame in clip:
        width = frame.image.shape[1]
        flipped = replace(frame, image=np.ascontiguousarray(frame.image[:, ::-1]))
        (seen,), (other,) = bare.detect([frame]), bare.detect([flipped])
        back = other.points[:, list(COCO17.mirror)] * [-1, 1] + [width, 0]
        for person in seen.points:
            apart = np.linalg.norm(back - person, axis=-1)
            if len(apart) and np.median(apart, axis=1).min() < torso(person):
                distances.append(100 * apart[np.median(apart, axis=1).argmin()] / torso(person))
    return float(np.median(np.concatenate(distances)))


def bones(track: Track2D, lifter: Lifter, clip: Sequence[Frame]) -> float:
    """Mean coefficient of variation of the lengths of lifted limbs."""
    height, width = clip[0].image.shape[:2]
    poses = lifter.lift(track, Settings().assumed_camera((width, height))).points
    limbs = [
        (a, b) for a, b in H36M17.bones if any(part in H36M17.joints[b] for part in ("elbow", "wrist", "knee", "ankle"))
    ]
    lengths = np.stack([np.linalg.norm(poses[:, a] - poses[:, b], axis=-1) for a, b in limbs])
    return float(np.mean(np.nanstd(lengths, axis=1) / np.nanmean(lengths, axis=1)))


def _joints(part: str) -> list[int]:
    return [COCO17.index(f"{side}_{part}") for side in ("left", "right")]


def _scaled(frame: Frame, scale: float) -> Frame:
    if scale == 1.0:
        return frame
    return replace(frame, image=cv2.resize(frame.image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))


if __name__ == "__main__":
    tyro.cli(main)
