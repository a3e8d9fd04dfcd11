"""The clips by which the world is judged, and the program's recordings of them."""

import xml.etree.ElementTree as Xml
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
from jaxtyping import Float

from benchmarks.bodies.rig import CLIPS, calibrated
from benchmarks.keypoints.refinement import inputs_of
from kinelift.app.pipeline import Pipeline
from kinelift.app.settings import Settings
from kinelift.app.video import Video
from kinelift.detectors.protocol import Detector
from kinelift.detectors.scripted import Scripted
from kinelift.poses import Frame, People, Recording, Skeleton
from kinelift.poses.camera import Camera
from kinelift.poses.output import make_folder, replacing
from kinelift.poses.skeleton import skeleton
from kinelift.weights.run import fingerprint
from kinelift.weights.store import fetch

FILES = {"squats": "01_tfjs_squats.mp4", "pose1": "02_tfjs_pose1.mp4"}
"""Clips in a folder of the user's."""
PARTS = ("points", "scores", "boxes", "confidence")


@dataclass(frozen=True, eq=False)
class Clip:
    """One video.

    Attributes:
        name: ``sample``, ``squats``, ``pose1``, or ``single-1`` to ``multi-4``: clip and camera.
        video: The file.
        intrinsics: The calibrated camera; None = the program's default.
        up: The true direction up in the camera frame, where it is known.
    """

    name: str
    video: Path
    intrinsics: Camera | None = None
    up: Float[np.ndarray, " 3"] | None = None

    @property
    def labels(self) -> str:
        """The name in the labels: the cameras of a calibrated clip share them."""
        return self.name.partition("-")[0]


@dataclass(frozen=True)
class Calibrated(Settings):
    """Settings with a calibrated camera."""

    intrinsics: Camera | None = None

    def assumed_camera(self, size: tuple[int, int]) -> Camera:
        """The calibrated camera, if there is one."""
        return self.intrinsics or super().assumed_camera(size)


@dataclass(frozen=True, eq=False)
class Recorder:
    """A detector that keeps what it finds."""

    detector: Detector
    found: list[People]

    @property
    def skeleton(self) -> Skeleton:
        """That of the detector."""
        return self.detector.skeleton

    def detect(self, frames: Iterable[Frame]) -> Iterator[People]:
        """Detect the people in each frame."""
        for people in self.detector.detect(frames):
            self.found.append(people)
            yield people


def calibrated_clips(folder: Path) -> Iterator[Clip]:
    """The eight calibrated videos, extracted to ``folder``, with the axis Z of the calibration as up."""
    with ZipFile(fetch("calibrated-clips")) as archive:
        for clip, place in CLIPS.items():
            calibration = Xml.fromstring(archive.read(f"{place}/calibration/Calib.qca.txt"))
            for k, one in enumerate(calibration.iter("camera"), start=1):
                camera, extrinsics = calibrated(one)
                video = Path(archive.extract(f"{place}/videos/{one.attrib['serial']}.mp4", folder))
                yield Clip(f"{clip}-{k}", video, camera, extrinsics.rotation @ [0.0, 0.0, 1.0])


def plain_clips(folder: Path | None) -> Iterator[Clip]:
    """The sample clip, and those of ``FILES`` that ``folder`` has."""
    yield Clip("sample", fetch("sample-clip"))
    if folder is not None:
        yield from (Clip(name, folder / file) for name, file in FILES.items() if (folder / file).exists())


def record(pipeline: Pipeline, clip: Clip, cache: Path | None) -> Recording:
    """Run the program on a clip.

    Args:
        pipeline: The program.
        clip: The clip.
        cache: Folder in which the detector's answers are kept, by the content of the video and the detector's source.
    """
    settings = Calibrated(intrinsics=clip.intrinsics)
    if cache is None:
        return replace(pipeline, settings=settings).run(Video(clip.video))
    facts = {"inputs": str(inputs_of(clip.video).facts()), "skeleton": str(pipeline.detector.skeleton)}
    file = make_folder(cache) / f"{clip.name}-{fingerprint(facts)[:12]}.npz"
    if file.exists():
        return replace(pipeline, settings=settings, detector=load_found(file)).run(Video(clip.video))
    recorder = Recorder(pipeline.detector, [])
    recording = replace(pipeline, settings=settings, detector=recorder).run(Video(clip.video))
    save_found(file, Scripted(recorder.found, recorder.skeleton))
    return recording


def save_found(file: Path, found: Scripted) -> None:
    """Write a detector's answers."""
    arrays: dict[str, Any] = {
        part: np.concatenate([getattr(people, part) for people in found.script]) for part in PARTS
    }
    counts = np.array([len(people) for people in found.script])
    with replacing(file) as part, part.open("wb") as out:
        np.savez_compressed(out, skeleton=str(found.skeleton), counts=counts, **arrays)


def load_found(file: Path) -> Scripted:
    """Read what ``save_found`` wrote."""
    with np.load(file) as arrays:
        ends = np.cumsum(arrays["counts"])[:-1]
        parts = zip(*(np.split(arrays[part], ends) for part in PARTS), strict=True)
        return Scripted([People(k, *each) for k, each in enumerate(parts)], skeleton(str(arrays["skeleton"])))
