"""MoveNet on an image pyramid: a network detects people who are neither too small nor too large in its input."""

from functools import reduce
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from kinelift.detectors.movenet.detector import MoveNet
from kinelift.detectors.movenet.second_look import ImageDetector, SecondLook
from kinelift.detectors.tflite import Engine
from kinelift.poses import People, Skeleton
from kinelift.poses.boxes import areas, intersections

_STEP = 3 / 8
"""From one input size to the next: MoveNet detects most people whose joints span 75 to 300 of its pixels."""
_SMALLEST = 256
"""Pixels of the longer side at which a person who fills the image is detected."""


class MultiScaleDetector:
    """Merges the people whom several detectors find, by non-maximum suppression between them."""

    def __init__(self, *detectors: ImageDetector, overlap: float = 0.6, discount: float = 0.75) -> None:
        """Combine detectors that share a skeleton.

        Args:
            detectors: The one with the largest input comes first.
            overlap: Two detections of different detectors compete if their intersection is more than this share of the
                smaller box. It is one person, or a part taken for a whole, or two people whom a small input shows as
                one. The more confident detection stays.
            discount: A detector's confidence counts this many times that of the one before it, which sees more detail.
        """
        self._detectors, self._overlap, self._discount = detectors, overlap, discount

    @property
    def skeleton(self) -> Skeleton:
        """The joints of all detectors."""
        return self._detectors[0].skeleton

    def find(self, image: UInt8[np.ndarray, "H W 3"], frame: int = 0) -> People:
        """Detect the people in one RGB image, most confident first, in pixels of that image."""
        found = [detector.find(image, frame) for detector in self._detectors]
        everybody = reduce(People.concatenate, found)
        source = np.repeat(np.arange(len(found)), [len(people) for people in found])
        area = areas(everybody.boxes)
        overlap = intersections(everybody.boxes, everybody.boxes) / np.minimum(area[:, None], area).clip(1e-9)
        competes = (overlap > self._overlap) & (source[:, None] != source)
        kept: list[int] = []
        for row in np.argsort(-everybody.confidence * self._discount**source, kind="stable").tolist():
            if not competes[row, kept].any():
                kept.append(row)
        return everybody.select(sorted(kept, key=lambda row: -everybody.confidence[row]))


def multi_scale_movenet(
    model: Path,
    *,
    long_side: int = 512,
    threads: int = 2,
    person_threshold: float = 0.2,
    engine: Engine = "tflite",
) -> SecondLook:
    """MoveNet as the program uses it: on the whole image at several sizes, and in close-ups of people who were lost.

    Args:
        model: The TensorFlow Lite file.
        long_side: The longer side of the largest input in pixels, a multiple of 32. It shows people whose joints span
            about 75 of its pixels or more.
        threads: CPU threads of the network.
        person_threshold: People below this score (0-1) are left out.
        engine: What runs the network.
    """

    def movenet(side: int) -> MoveNet:
        return MoveNet(model, long_side=side, threads=threads, person_threshold=person_threshold, engine=engine)

    return SecondLook(MultiScaleDetector(*map(movenet, pyramid_sizes(long_side))), movenet(_SMALLEST))


def pyramid_sizes(long_side: int) -> list[int]:
    """Input sizes of MoveNet from ``long_side`` down, so that nobody is too large for all of them."""
    sizes = [long_side]
    while sizes[-1] > _SMALLEST:
        sizes.append(round(sizes[-1] * _STEP / 32) * 32)
    return sizes
