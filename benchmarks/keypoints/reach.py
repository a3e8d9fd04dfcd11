"""How small, how large and how far turned people may be to be found, and pictures without people, as JSON.

    python -m benchmarks.keypoints.reach [--folder FOLDER]

People of the calibrated clips are shown anew in pictures of 1280 × 720, so that their joints span a given share of the
longer side; the larger ones are cut at the waist or higher. ``found``: share of them whom somebody in the answer lies
on, to within ``HIT`` of their size (median of the joints in the picture), where they were seen in the whole picture;
``cpu_ms``: processor milliseconds a picture with one thread. ``turned``: the same in whole pictures turned by quarters.
``ghosts``: pictures of ``--folder``, in which there should be nobody, that show somebody.
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
from kinelift.detectors.movenet.detector import MoveNet
from kinelift.detectors.movenet.scales import movenet_people
from kinelift.detectors.protocol import Detector
from kinelift.detectors.refining.blazepose import BlazePose
from kinelift.detectors.refining.refined import Refined
from kinelift.poses import Frame
from kinelift.weights.store import fetch

SHARES = (0.04, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0, 1.2, 1.6, 2.0)
SIZE = (1280, 720)
CUT = 0.6
"""Share from which the picture shows the upper body, its top a tenth of the height below the picture's."""
HIT = 0.12
STRIDE = 33
"""Every so many frames of the clips are used."""
LEAST = 400.0
"""Pixels that the joints of those used span; who stands in the background does not."""

Shown = tuple[UInt8[np.ndarray, "H W 3"], Float[np.ndarray, "J 2"]]
"""A picture, and where a person's joints are in it."""


def main(folder: Path | None = None) -> None:
    """Measure and print.

    Args:
        folder: Of pictures without people (jpg, png).
    """
    model, landmarks = fetch("movenet-multipose"), fetch("blazepose-full")
    ways: dict[str, Detector] = {
        "one size": MoveNet(model, threads=1),
        "none": movenet_people(model, threads=1),
        "full": Refined(movenet_people(model, threads=1), BlazePose(landmarks, threads=1)),
        "full, long side 768": Refined(
            movenet_people(model, threads=1, long_side=768), BlazePose(landmarks, threads=1)
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
    """The joints of everybody in front."""
    (found,) = way.detect([frame])
    return [points for points in found.points if span(points) > LEAST]


def span(points: Float[np.ndarray, "J 2"]) -> float:
    """The diagonal of the box around the joints."""
    return float(np.linalg.norm(np.ptp(points, axis=0)))


def tried(way: Detector, shown: Iterable[Shown]) -> dict[str, float]:
    """How many are found, each picture on its own, and the time that takes."""
    hits, used = [], 0.0
    for image, points in shown:
        began = time.process_time()
        (found,) = way.detect([Frame(0, Fraction(0), image)])
        used += time.process_time() - began
        hits.append(on(found.points, points, image.shape))
    return {"found": round(float(np.mean(hits)), 3), "cpu_ms": round(1e3 * used / len(hits), 1)}


def placed(image: UInt8[np.ndarray, "H W 3"], points: Float[np.ndarray, "J 2"], share: float) -> Shown:
    """A new picture of ``SIZE``, black around the old one, in which a person is so large."""
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
    """The picture turned to the left."""
    for _ in range(quarters):
        points = np.stack([points[:, 1], image.shape[1] - points[:, 0]], axis=-1)
        image = np.rot90(image)
    return np.ascontiguousarray(image), points


def ghosts(way: Detector, folder: Path) -> Mapping[str, object]:
    """How many pictures there are, and which of them show somebody."""
    names = sorted(path for path in folder.iterdir() if path.suffix in (".jpg", ".png"))
    images = {path.name: image for path in names if (image := cv2.imread(str(path))) is not None}
    frames = {name: Frame(0, Fraction(0), np.ascontiguousarray(image[..., ::-1])) for name, image in images.items()}
    seen = [name for name, frame in frames.items() if len(next(iter(way.detect([frame]))))]
    return {"pictures": len(frames), "with somebody": seen}


if __name__ == "__main__":
    tyro.cli(main)
