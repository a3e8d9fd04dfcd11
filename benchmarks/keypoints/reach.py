"""Measure the sizes and rotations at which people are detected, and false detections; prints JSON.

    python -m benchmarks.keypoints.reach [--folder FOLDER]

People of the calibrated clips are scaled into pictures of 1280 × 720, so that their joints span a given fraction of the
longer side; the larger ones are cropped at the waist or higher. ``found``: fraction of people with a detection within
``HIT`` of their size (median over the joints in the picture), relative to the joints detected in the full picture.
``cpu_ms``: CPU time in ms per picture with one thread. ``turned``: the same for full pictures rotated by multiples of
90°. ``ghosts``: pictures of ``--folder``, which should show nobody, that have detections.
"""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import tyro
from jaxtyping import Float, UInt8

from benchmarks.bodies.rig import CLIPS, read
from benchmarks.reporting import machine
from kinelift.detectors.converted import as_skeleton
from kinelift.detectors.movenet.detector import MoveNet
from kinelift.detectors.movenet.multi_scale import multi_scale_movenet
from kinelift.detectors.protocol import Detector
from kinelift.detectors.refining.blazepose import BlazePose
from kinelift.detectors.refining.refined import Refined
from kinelift.poses import COCO17, Frame
from kinelift.weights.store import fetch

SHARES = (0.04, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0, 1.2, 1.6, 2.0)
SIZE = (1280, 720)
CUT = 0.6
"""Fraction above which only the upper body is shown, a tenth of the height below the top edge."""
HIT = 0.12
STRIDE = 33
"""Step between the frames used."""
LEAST = 400.0
"""Minimum extent of a person's joints, px, which excludes people in the background."""

Shown = tuple[UInt8[np.ndarray, "H W 3"], Float[np.ndarray, "J 2"]]
"""A picture, and the joints of a person in it."""


def main(folder: Path | None = None) -> None:
    """Measure and print.

    Args:
        folder: Pictures without people (jpg, png).
    """
    model, landmarks = fetch("movenet-multipose"), fetch("blazepose-full")
    ways: dict[str, Detector] = {
        "one size": MoveNet(model, threads=1),
        "none": multi_scale_movenet(model, threads=1),
        "full": as_skeleton(Refined(multi_scale_movenet(model, threads=1), BlazePose(landmarks, threads=1)), COCO17),
        "full, long side 768": as_skeleton(
            Refined(multi_scale_movenet(model, threads=1, long_side=768), BlazePose(landmarks, threads=1)), COCO17
        ),
    }
    shown = [(frame.image, points) for frame in pictures() for points in people(ways["full"], frame)]
    found = {
        way: {share: tried(one, (placed(*each, share) for each in shown)) for share in SHARES}
        for way, one in ways.items()
    }
    lying = {
        way: {90 * k: tried(one, (turned(*each, k) for each in shown)) for k in range(4)} for way, one in ways.items()
    }
    nobody = {way: ghosts(one, folder) for way, one in ways.items()} if folder else None
    figures = {"machine": machine(), "people": len(shown), "found": found, "turned": lying, "ghosts": nobody}
    print(json.dumps(figures, indent=2))


def pictures() -> Iterator[Frame]:
    """Every ``STRIDE``-th frame of each view."""
    with TemporaryDirectory() as unpacked:
        for clip in CLIPS:
            for view in read(fetch("calibrated-clips"), clip, Path(unpacked), 100):
                yield from view.frames[::STRIDE]


def people(way: Detector, frame: Frame) -> list[Float[np.ndarray, "J 2"]]:
    """The joints of everybody in the foreground."""
    (found,) = way.detect([frame])
    return [points for points in found.points if span(points) > LEAST]


def span(points: Float[np.ndarray, "J 2"]) -> float:
    """The diagonal of the box around the joints."""
    return float(np.linalg.norm(np.ptp(points, axis=0)))


def tried(way: Detector, shown: Iterable[Shown]) -> dict[str, float]:
    """Fraction of people detected, each picture on its own, and the time."""
    hits, used = [], 0.0
    for image, points in shown:
        began = time.process_time()
        (found,) = way.detect([Frame(0, Fraction(0), image)])
        used += time.process_time() - began
        hits.append(on(found.points, points, image.shape))
    return {"found": round(float(np.mean(hits)), 3), "cpu_ms": round(1e3 * used / len(hits), 1)}


def placed(image: UInt8[np.ndarray, "H W 3"], points: Float[np.ndarray, "J 2"], share: float) -> Shown:
    """A black picture of ``SIZE`` with the old one scaled into it, so that the person has this size."""
    scale = share * SIZE[0] / span(points)
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    middle = (points.min(axis=0) + points.max(axis=0)) / 2 * scale
    corner = np.array(SIZE) / 2 - middle
    if share > CUT:
        corner[1] = SIZE[1] / 10 - points[:, 1].min() * scale
    scaled = cv2.resize(image, None, fx=scale, fy=scale, interpolation=interpolation)
    moved = cv2.warpAffine(scaled, np.column_stack([np.eye(2), corner]), SIZE)
    return moved, points * scale + corner


def on(found: Float[np.ndarray, "N J 2"], points: Float[np.ndarray, "J 2"], shape: tuple[int, ...]) -> bool:
    """Whether one of ``found`` lies on a person's joints."""
    inside = ((points > 0) & (points < shape[1::-1])).all(axis=1)
    distances = np.median(np.linalg.norm(found - points, axis=-1)[:, inside], axis=1)
    return bool((distances < HIT * span(points)).any())


def turned(image: UInt8[np.ndarray, "H W 3"], points: Float[np.ndarray, "J 2"], quarters: int) -> Shown:
    """The picture rotated to the left."""
    for _ in range(quarters):
        points = np.stack([points[:, 1], image.shape[1] - points[:, 0]], axis=-1)
        image = np.rot90(image)
    return np.ascontiguousarray(image), points


def ghosts(way: Detector, folder: Path) -> Mapping[str, object]:
    """Number of pictures, and which of them have detections."""
    names = sorted(path for path in folder.iterdir() if path.suffix in (".jpg", ".png"))
    images = {path.name: image for path in names if (image := cv2.imread(str(path))) is not None}
    frames = {name: Frame(0, Fraction(0), np.ascontiguousarray(image[..., ::-1])) for name, image in images.items()}
    seen = [name for name, frame in frames.items() if len(next(iter(way.detect([frame]))))]
    return {"pictures": len(frames), "with somebody": seen}


if __name__ == "__main__":
    tyro.cli(main)
