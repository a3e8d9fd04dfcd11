"""The detectors that the benchmarks compare."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from kinelift.detectors.detectron2 import keypoint_rcnn
from kinelift.detectors.detectron2.detector import Detectron2
from kinelift.detectors.keypoint_files.detector import KeypointFile
from kinelift.detectors.movenet.multi_scale import multi_scale_movenet
from kinelift.detectors.openpose.detector import OpenPose, open_openpose
from kinelift.detectors.openpose.lightweight import LightweightFields
from kinelift.detectors.protocol import Detector
from kinelift.detectors.refining.blazepose import BlazePose
from kinelift.detectors.refining.refined import Refined
from kinelift.detectors.strided import Strided
from kinelift.detectors.tflite import Engine
from kinelift.models.lightweight_openpose import LightweightOpenPose, LightweightOpenPoseConfig
from kinelift.poses.keypoints import read
from kinelift.weights.store import fetch

Way = Callable[[int], Detector]
"""Opens a detector with this number of threads. Detectors that run in torch use torch's setting."""


def movenet(refine: str = "none", *, redetect: int = 1, long_side: int = 512, engine: Engine = "tflite") -> Way:
    """MoveNet with a refinement: none, full or heavy. Fetches the weights."""
    people, landmarks = fetch("movenet-multipose"), None if refine == "none" else fetch(f"blazepose-{refine}")

    def make(threads: int) -> Detector:
        looks = multi_scale_movenet(people, long_side=long_side, threads=threads, engine=engine)
        if landmarks is None:
            return looks
        return Refined(looks, BlazePose(landmarks, threads=threads, engine=engine), every=redetect)

    return make


def strided(way: Way, every: int) -> Way:
    """The same detector, run on every ``every``-th frame."""
    return lambda threads: Strided(way(threads), every)


def part_fields(weights: Path) -> Way:
    """An OpenPose network, from an ONNX file or a published checkpoint."""
    return lambda threads: open_openpose(weights, threads=threads)


def lightweight_openpose() -> Way:
    """Lightweight OpenPose with random weights."""
    net = LightweightOpenPose(LightweightOpenPoseConfig())
    return lambda threads: OpenPose(LightweightFields(net))


def detectron2(backbone: str, device: str) -> Way:
    """A Keypoint R-CNN with random weights; needs Detectron2."""
    return lambda threads: Detectron2(keypoint_rcnn.build(backbone, device))


def keypoints_of(path: Path, frames: int) -> Way:
    """Another program's keypoints for the first ``frames`` of a video."""
    found = read(path)
    first = replace(found, frames={index: people for index, people in found.frames.items() if index < frames})
    return lambda threads: KeypointFile(first)
