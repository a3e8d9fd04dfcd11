"""Accuracy of the ways to place joints on a man whom four calibrated cameras see, as JSON.

    python -m benchmarks.calibrated [--frames 100]

Nobody measured his joints. The truth of each is the point that fits best, by robust triangulation, what all ways say in
all views, so an error that all of them share is not seen. ``mm``: mean distance from that point's image, at its depth,
of the shoulders to ankles that the tracker hands on (filled gaps included); ``seen``: their share; ``wrist_mm`` and
``ankle_mm``: those of them; ``p_mpjpe_mm``: error of the poses that the default lifter makes of the tracks, for the
joints that it shares with the detector; ``crossed``: share of frames in which arms or legs lie nearer to the truth with
left and right exchanged, and ``crossed_s`` the longest such spell in seconds. The row ``truth`` lifts the images of the
truth itself: no 2D stage does better. In ``full, as read`` nothing mends left and right; it has no say in the truth.
"""

import json
import xml.etree.ElementTree as Xml
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import numpy as np
import tyro
from jaxtyping import Bool, Float

from app.pipeline import Pipeline
from app.settings import Detection
from app.video import Video
from benchmarks.noise_figures import ARMS, LEGS, across
from benchmarks.pipeline import machine
from detectors.protocol import Detector
from detectors.sides import Sides
from detectors.tracking import Tracker, choose
from lifting.camera import Camera, Distortion, Extrinsics
from lifting.lifter import Lifter
from lifting.metrics import aligned
from poses import COCO17, H36M17, Frame, Track2D
from weights.store import fetch, locate

WAYS = ("none", "full", "heavy")
FOLDER = "Pose2Sim/Demo_SinglePerson"
SIZE = (1088, 1920)
RATE = 60
BODY = slice(COCO17.index("left_shoulder"), None)
DOUBT = 12.0
"""Pixels at which an answer counts half in the triangulation."""


@dataclass(frozen=True)
class View:
    """One of the cameras: its lens, where it stands, its frames."""

    camera: Camera
    place: Extrinsics
    frames: list[Frame]

    def image(self, points: Float[np.ndarray, "*many 3"]) -> Float[np.ndarray, "*many 2"]:
        """Where points of the world lie in the picture."""
        return self.camera.project(self.place.to_camera(points))


def main(frames: int = 100) -> None:
    """Measure and print.

    Args:
        frames: How many frames of the clips are used.
    """
    for name in ("movenet-multipose", "blazepose-full", "blazepose-heavy"):
        fetch(name)
    with TemporaryDirectory() as folder:
        views = read(fetch("calibrated-clips"), Path(folder), frames)
    pipelines = {way: Pipeline.load(Detection(refine=way), device="cpu") for way in WAYS}
    tracks = {way: [follow(one.detector, view) for view in views] for way, one in pipelines.items()}
    truth = consensus(views, [[track.points for track in found] for found in tracks.values()])
    with patch("detectors.refined.Sides", AsRead):
        tracks["full, as read"] = [follow(pipelines["full"].detector, view) for view in views]
    tracks["truth"] = [ideal(view, truth) for view in views]
    lifter = Lifter.load(locate("default"))
    rows = {way: row(views, found, truth, lifter) for way, found in tracks.items()}
    print(json.dumps({"machine": machine(), "frames": frames, "ways": rows}, indent=2))


@dataclass(frozen=True, eq=False)
class AsRead(Sides):
    """Left and right as the network says."""

    def read(self, *_: object) -> tuple[bool, Sides]:
        """Never exchanged."""
        return False, self


def read(archive: Path, folder: Path, frames: int) -> list[View]:
    """The views of the archive; videos are unpacked into ``folder``."""
    with zipfile.ZipFile(archive) as opened:
        calibration = Xml.fromstring(opened.read(f"{FOLDER}/calibration/Calib.qca.txt"))
        views = []
        for camera in calibration.iter("camera"):
            path = Path(opened.extract(f"{FOLDER}/videos/{camera.attrib['serial']}.mp4", folder))
            views.append(View(*calibrated(camera), list(islice(Video(path).frames(), frames))))
    return views


def calibrated(camera: Xml.Element) -> tuple[Camera, Extrinsics]:
    """Of Qualisys: pixels in 64ths, millimetres, axes right, up and backward."""
    lens, place = (
        {k: float(v) for k, v in part.attrib.items()}
        for part in map(camera.find, ("intrinsic", "transform"))
        if part is not None
    )
    bend = Distortion(
        lens["radialDistortion1"], lens["radialDistortion2"], lens["tangentalDistortion1"],
        lens["tangentalDistortion2"], lens["radialDistortion3"],
    )  # fmt: skip
    focal, centre = ((lens[f"{what}U"] / 64, lens[f"{what}V"] / 64) for what in ("focalLength", "centerPoint"))
    axes = np.array([[place[f"r{row}{column}"] for column in (1, 2, 3)] for row in (1, 2, 3)])
    rotation = np.linalg.svd(np.diag([1.0, -1.0, -1.0]) @ axes)
    where = np.array([place[axis] for axis in "xyz"]) / 1000
    return Camera(focal, centre, bend), Extrinsics(rotation[0] @ rotation[2], where)


def follow(detector: Detector, view: View) -> Track2D:
    """The main person of a view over all frames, NaN where they were not seen."""
    tracker = Tracker(detector.skeleton, SIZE)
    for people in detector.detect(view.frames):
        tracker.update(people, people.frame / RATE)
    (main,) = choose(tracker.tracks(), "main")
    points = np.full((len(view.frames), len(detector.skeleton), 2), np.nan)
    points[main.track.start : main.track.stop] = main.track.points
    return track(points)


def ideal(view: View, truth: Float[np.ndarray, "T J 3"]) -> Track2D:
    """What a perfect 2D stage would see."""
    return track(view.image(truth))


def track(points: Float[np.ndarray, "T J 2"]) -> Track2D:
    """A track of these points, one a frame."""
    seen = np.isfinite(points).all(axis=-1)
    return Track2D(points, seen.astype(float), np.arange(len(points)) / RATE, np.zeros_like(seen), 0, SIZE)


def consensus(
    views: Sequence[View], answers: Sequence[Sequence[Float[np.ndarray, "T J 2"]]]
) -> Float[np.ndarray, "T J 3"]:
    """The points of the world (metres) that fit the ``answers`` of all ways in all views best.

    Linear triangulation, repeated with weights 1 / (1 + (error / ``DOUBT``)²).
    """
    pixels = np.stack([points for way in answers for points in way])
    cameras = [view for _ in answers for view in views]
    equations = np.stack([_equations(view, points) for view, points in zip(cameras, pixels, strict=True)])
    weights = np.isfinite(pixels).all(axis=-1).astype(float)
    truth = np.zeros((*pixels.shape[1:3], 3))
    for _ in range(30):
        stacked = (np.nan_to_num(equations) * weights[..., None, None]).transpose(1, 2, 0, 3, 4)
        solved = np.linalg.svd(stacked.reshape(*truth.shape[:2], -1, 4))[2][..., -1, :]
        truth = solved[..., :3] / solved[..., 3:]
        errors = np.stack([np.linalg.norm(v.image(truth) - p, axis=-1) for v, p in zip(cameras, pixels, strict=True)])
        weights = np.nan_to_num(1 / (1 + (errors / DOUBT) ** 2))
    return truth


def _equations(view: View, points: Float[np.ndarray, "T J 2"]) -> Float[np.ndarray, "T J 2 4"]:
    """Two rows r with r · (x, y, z, 1) = 0 for every point of the world that is seen at ``points``."""
    rotation = view.place.rotation
    matrix = np.column_stack([rotation, -rotation @ view.place.centre])
    return view.camera.plane(points)[..., None] * matrix[2] - matrix[:2]


def row(
    views: Sequence[View], tracks: Sequence[Track2D], truth: Float[np.ndarray, "T J 3"], lifter: Lifter
) -> Mapping[str, float]:
    """The figures of one way."""
    errors = np.stack([flat_errors(view, one, truth) for view, one in zip(views, tracks, strict=True)])
    lifted = np.stack([lifted_errors(view, one, truth, lifter) for view, one in zip(views, tracks, strict=True)])
    sides = np.stack([crossed(view.image(truth), one) for view, one in zip(views, tracks, strict=True)])
    parts = {part: [COCO17.index(f"{side}_{part}") for side in ("left", "right")] for part in ("wrist", "ankle")}
    return {
        "mm": _mm(errors[..., BODY]),
        "seen": round(float(np.isfinite(errors[..., BODY]).mean()), 3),
        **{f"{part}_mm": _mm(errors[..., joints]) for part, joints in parts.items()},
        "crossed": round(float(sides.mean()), 3),
        "crossed_s": round(max(map(longest, sides)) / RATE, 2),
        "p_mpjpe_mm": _mm(lifted),
        **{f"p_mpjpe_mm_{k}": _mm(one) for k, one in enumerate(lifted, start=1)},
    }


def flat_errors(view: View, one: Track2D, truth: Float[np.ndarray, "T J 3"]) -> Float[np.ndarray, "T J"]:
    """Distances in the picture, in metres at the depth of the truth."""
    depth = view.place.to_camera(truth)[..., 2]
    return np.linalg.norm(one.points - view.image(truth), axis=-1) * depth / np.mean(view.camera.focals)


def crossed(image: Float[np.ndarray, "T J 2"], one: Track2D) -> Bool[np.ndarray, " T"]:
    """Whether arms or legs lie nearer to their true ``image`` with left and right exchanged, clearly so."""
    size = np.sqrt(np.square(image - image.mean(axis=1, keepdims=True)).sum(-1).mean())
    return np.any([across(one.points / size, image / size, group) for group in (ARMS, LEGS)], axis=0)


def longest(true: Bool[np.ndarray, " T"]) -> int:
    """Frames of the longest spell."""
    return max((len(list(run)) for value, run in groupby(true.tolist()) if value), default=0)


def lifted_errors(
    view: View, one: Track2D, truth: Float[np.ndarray, "T J 3"], lifter: Lifter
) -> Float[np.ndarray, "T K"]:
    """Distances in metres after the best similarity of every frame, of the joints that both skeletons have."""
    shared = [name for name in H36M17.joints if name in COCO17.joints]
    poses = lifter.lift(one, view.camera).points[:, [H36M17.index(name) for name in shared]]
    target = view.place.to_camera(truth)[:, [COCO17.index(name) for name in shared]]
    shown = np.isfinite(poses).all(axis=(1, 2))
    distances = np.full(target.shape[:2], np.nan)
    distances[shown] = np.linalg.norm(aligned(poses[shown], target[shown]) - target[shown], axis=-1)
    return distances


def _mm(metres: Float[np.ndarray, "*many"]) -> float:
    return round(1000 * float(np.nanmean(metres)), 1)


if __name__ == "__main__":
    tyro.cli(main)
