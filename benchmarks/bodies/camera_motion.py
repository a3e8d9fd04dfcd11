"""Measure how well a turning camera is undone, on a clip that is turned artificially; prints JSON.

    python -m benchmarks.bodies.camera_motion [--video FILE] [--keypoints PATH] [--paths still pan shake pan-and-shake]

The pictures of a clip from a still camera become those of a camera that turns on the spot: each pixel shows what the
still camera saw in its direction (K R K⁻¹), black outside the still camera's picture. ``pan``: 30° to both sides, in a
sine over the clip. ``shake``: random turns about all axes with a standard deviation of 0.5°. The keypoints move with
the picture, so that only the camera's estimate differs; ``--keypoints`` takes a recording of ``kinelift detect``
instead of running the detector.

``rotation``: rms and largest error of the estimated rotation in degrees, after the one rotation between the two
references. ``joints``: mean distance in mm between the poses of the turned and of the still clip, from the root and in
the reference axes, in frames in which the person is wholly in the turned picture. ``unaware``: the same with
``--camera-motion still``. ``milliseconds``: processor time of the estimate, a frame.
"""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import tyro
from jaxtyping import Float
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation
from tyro.conf import OmitArgPrefixes

from benchmarks.reporting import machine
from kinelift.app.camera.motion import MotionEstimator
from kinelift.app.pipeline import Pipeline
from kinelift.app.settings import Detection, Settings
from kinelift.app.video import Video
from kinelift.detectors.scripted import Scripted
from kinelift.poses import Frame, People, Person, Recording
from kinelift.poses.camera import Camera
from kinelift.weights.store import fetch

PAN, SHAKE = 30.0, 0.5
"""Degrees."""
SHAKE_SMOOTHING = 2.0
"""Frames: standard deviation of the smoothing of the shake."""
PATHS = ("still", "pan", "shake", "pan-and-shake")


def main(
    detection: OmitArgPrefixes[Detection],
    video: Path | None = None,
    keypoints: Path | None = None,
    paths: tuple[str, ...] = PATHS,
    seed: int = 0,
) -> None:
    """Measure and print.

    Args:
        detection: As for ``kinelift run``.
        video: A clip of a still camera; the sample clip if not given.
        keypoints: A recording of the clip, instead of detection.
        paths: How the camera turns: of ``PATHS``.
        seed: Of the shake.
    """
    source = Video(video or fetch("sample-clip"))
    chosen = replace(detection, detector="keypoints", options={"keypoints": str(keypoints)}) if keypoints else detection
    pipeline = Pipeline.load(chosen, device="cpu")
    people = list(pipeline.detector.detect(source.frames()))
    plain = replace(
        pipeline,
        detector=Scripted(people, pipeline.detector.skeleton),
        settings=Settings(camera_motion="still"),
        repair=None,
    )
    truth = plain.run(source)
    turns = {path: turning(path, truth.video.times, np.random.default_rng(seed)) for path in paths}
    figures = {path: measure(plain, source, people, truth, one) for path, one in turns.items()}
    print(json.dumps({"machine": machine(), "seed": seed, "paths": figures}, indent=2))


def turning(path: str, times: Float[np.ndarray, " T"], random: np.random.Generator) -> Rotation:
    """The rotation of each frame, from the axes of the turning camera to those of the still one."""
    angles = np.zeros((len(times), 3))
    if "pan" in path:
        angles[:, 0] = PAN * np.sin(2 * np.pi * times / times[-1])
    if "shake" in path:
        noise = gaussian_filter1d(random.normal(size=angles.shape), SHAKE_SMOOTHING, axis=0)
        angles += SHAKE * noise / noise.std(0)
    return Rotation.from_euler("YXZ", angles, degrees=True)


@dataclass(frozen=True, eq=False)
class TurningCamera:
    """A camera on the spot of a still one."""

    camera: Camera
    turns: Float[np.ndarray, "T 3 3"]
    """From its axes to those of the still camera."""

    def picture(self, frame: Frame) -> Frame:
        """What it sees of a frame of the still camera."""
        focal, (x, y) = self.camera.focals[0], self.camera.centre
        matrix = np.array([[focal, 0, x - 0.5], [0, focal, y - 0.5], [0, 0, 1]])
        warp = matrix @ self.turns[frame.index] @ np.linalg.inv(matrix)
        size = frame.image.shape[1::-1]
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return replace(frame, image=np.asarray(cv2.warpPerspective(frame.image, warp, size, flags=flags)))

    def people(self, seen: People) -> People:
        """Where people whom the still camera sees are in its picture."""
        turn = self.turns[seen.frame]
        corners = seen.boxes[:, [0, 1, 2, 1, 0, 3, 2, 3]].reshape(-1, 4, 2)
        moved = self._pixels(corners, turn)
        boxes = np.concatenate([moved.min(1), moved.max(1)], 1)
        return replace(seen, points=self._pixels(seen.points, turn), boxes=boxes)

    def _pixels(self, pixels: Float[np.ndarray, "N K 2"], turn: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "N K 2"]:
        plane = self.camera.plane(pixels)
        return self.camera.project(np.concatenate([plane, np.ones_like(plane[..., :1])], -1) @ turn)


class TurnedVideo(Video):
    """A video as a turning camera would have recorded it."""

    def __init__(self, path: Path, camera: TurningCamera) -> None:
        super().__init__(path)
        self._turning = camera

    def frames(self) -> Iterator[Frame]:
        """The frames of the turning camera."""
        return map(self._turning.picture, super().frames())


def measure(
    pipeline: Pipeline, source: Video, people: Sequence[People], truth: Recording, turns: Rotation
) -> Mapping[str, Any]:
    """The figures of one path."""
    size = source.width, source.height
    turning_camera = TurningCamera(pipeline.settings.assumed_camera(size), turns.as_matrix())
    script = [turning_camera.people(one) for one in people]
    turned = TurnedVideo(source.path, turning_camera)
    aware = replace(pipeline, detector=Scripted(script, pipeline.detector.skeleton), settings=Settings())
    found, unaware = (replace(aware, settings=Settings(camera_motion=way)).run(turned) for way in ("auto", "still"))
    estimated = found.camera.rotations if found.camera else None
    identity = Rotation.identity(len(turns))
    offset, errors = _offset(identity if estimated is None else Rotation.from_matrix(estimated), turns)
    return {
        "notes": found.made_with["notes"],
        "rotation": {"rms": round(float(np.sqrt((errors**2).mean())), 3), "largest": round(float(errors.max()), 3)},
        "joints": _distance(found, truth, offset),
        "unaware": _distance(unaware, truth, Rotation.identity()),
        "milliseconds": _cost(turned, script, turning_camera.camera),
    }


def _offset(estimated: Rotation, turns: Rotation) -> tuple[Rotation, Float[np.ndarray, " T"]]:
    """The rotation from the still camera's axes to the reference axes, and each frame's error in degrees."""
    offsets = estimated * turns.inv()
    mean = offsets.mean()
    return mean, np.degrees((offsets * mean.inv()).magnitude())


def _distance(found: Recording, truth: Recording, offset: Rotation) -> dict[str, float] | None:
    """Mean and 95th percentile, mm, of the distance of joints to those of ``truth`` turned by ``offset``."""
    pairs = [pair for pair in zip(found.people, truth.people, strict=False) if pair[0].id == pair[1].id]
    distances = np.concatenate([_distances(*pair, offset) for pair in pairs] or [np.zeros(0)])
    if not len(distances):
        return None
    return {"mean": round(1e3 * float(distances.mean()), 1), "p95": round(1e3 * float(np.percentile(distances, 95)), 1)}


def _distances(found: Person, truth: Person, offset: Rotation) -> Float[np.ndarray, " N"]:
    assert found.poses is not None and truth.poses is not None
    start, stop = max(found.track.start, truth.track.start), min(found.track.stop, truth.track.stop)
    if stop <= start:
        return np.zeros(0)
    one, other = (slice(start - who.track.start, stop - who.track.start) for who in (found, truth))
    expected = truth.poses.points[other] @ offset.as_matrix().T
    with np.errstate(invalid="ignore"):
        body = found.track.points[one][:, list(found.track.skeleton.body)]  # detectors may lack feet
        inside = ((body > 0) & (body < found.track.size)).all((1, 2))
    distances = np.linalg.norm(found.poses.points[one] - expected, axis=-1)[inside]
    return np.asarray(distances[np.isfinite(distances)])


def _cost(video: Video, people: Iterable[People], camera: Camera) -> float:
    """Processor time of the estimate, ms per frame."""
    motion, spent, count = MotionEstimator(camera, (video.width, video.height)), 0.0, 0
    for frame, seen in zip(video.frames(), people, strict=False):
        began = time.process_time()
        list(motion.watch([frame]))
        motion.update(seen)
        spent, count = spent + time.process_time() - began, count + 1
    return round(1e3 * spent / count, 2)


if __name__ == "__main__":
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    tyro.cli(main)
