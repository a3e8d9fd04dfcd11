"""The stages combined: a first pass analyses a video, a second one draws the result.

    video ─▶ detector ─▶ People ─▶ tracker ─▶ Track2D ─▶ lifter ─▶ Poses3D ─▶ classifier ─▶ Actions
                                                  └────────────── Recording ◀──────────────────┘
    video + Recording ─▶ renderer ─▶ mp4

Both passes hold a few frames at a time. Only keypoints and poses grow with the video
(``detectors.tracking.tracklet.History``).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import inf
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

from kinelift.app.camera.edges import EdgeCollector
from kinelift.app.camera.files import read_camera
from kinelift.app.camera.motion import Motion, MotionEstimator
from kinelift.app.checkpoints import Checkpoints
from kinelift.app.detection import open_detector, resolve_auto
from kinelift.app.render import Renderer
from kinelift.app.settings import Detection, Drawing, Settings
from kinelift.app.spec import PipelineSpec, made_with, pick_device
from kinelift.app.tracking import Watcher, track_people
from kinelift.app.video import Part, Reading, Video, VideoWriter, video_name
from kinelift.app.video.part import WHOLE
from kinelift.detectors.converted import as_skeleton
from kinelift.detectors.protocol import Detector, TrackRepair
from kinelift.detectors.tracking.selection import prominence
from kinelift.lifting.axis_keypoints import lacking
from kinelift.lifting.body import PoseLifter
from kinelift.lifting.confidence import with_confidence, without_unseen
from kinelift.lifting.lifter import Lifter
from kinelift.lifting.specialist_lifter import SpecialistLifter
from kinelift.lifting.world.stage import lift_together
from kinelift.poses import (
    COCO17,
    COCO23,
    Frame,
    Person,
    Poses3D,
    Recording,
    Skeleton,
    VideoFacts,
    missing_keypoints,
)
from kinelift.poses.camera import Camera
from kinelift.poses.containers import Recognition
from kinelift.poses.errors import DataError, SettingsError
from kinelift.poses.json_values import to_json
from kinelift.poses.lookahead import map_ahead
from kinelift.poses.memory import give_back
from kinelift.poses.rounding import rounded_poses
from kinelift.poses.world import LEVEL
from kinelift.recognition.classifier import Classifier
from kinelift.terminal.progress import Progress, no_progress
from kinelift.weights.registry import sha256
from kinelift.weights.run import Run, fingerprint
from kinelift.weights.store import find

_TIME_TOLERANCE = 1e-3  # s


@runtime_checkable
class ActionClassifier(Protocol):
    """Recognises actions in 3D poses."""

    def recognise(self, poses: Poses3D) -> Recognition:
        """The actions of one person, from poses in world axes with y up."""


@dataclass(frozen=True, eq=False)
class Pipeline:
    """The stages that turn a video into a ``Recording``.

    Args:
        detector: Detects people in frames.
        lifter: Lifts 2D tracks to 3D poses.
        classifier: Recognises actions in 3D poses.
        settings: People, camera and 3D poses.
        spec: The ``PipelineSpec`` that the stages were opened from, as JSON values, for the recordings.
        notes: Notes for the user, which recordings store.
        repair: Corrects each track before its gaps are filled.
        remarks: Further notes, known after a pass over a video.
        description: The detector, its device and its weights, for the user.
    """

    detector: Detector
    lifter: PoseLifter
    classifier: ActionClassifier
    settings: Settings = field(default_factory=Settings)
    spec: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    repair: TrackRepair | None = None
    remarks: Callable[[], tuple[str, ...]] = tuple
    description: str = ""

    @staticmethod
    def load(
        detection: Detection | None = None,
        lifter: str = "default",
        classifier: str = "actions",
        device: str = "auto",
        settings: Settings | None = None,
    ) -> "Pipeline":
        """Open the pipeline of a ``PipelineSpec`` with these fields.

        Args:
            detection: The detector and its options.
            lifter: A name of registered weights, or the path to a checkpoint or to a folder of specialists.
            classifier: A name of registered weights, or the path to a checkpoint.
            device: "auto", "cpu", "cuda", or one of several GPUs, such as "cuda:1".
            settings: People, camera and 3D poses.

        Raises:
            KineliftError: As ``open`` does.
        """
        spec = PipelineSpec(detection or Detection(), lifter, classifier, device, settings or Settings())
        return Pipeline.open(spec)

    @staticmethod
    def open(spec: PipelineSpec) -> "Pipeline":
        """Open the stages of a specification.

        Raises:
            WeightsError: Weights are unknown, missing or damaged.
            DetectorError: The detector is not installed or cannot run here.
            DataError: A keypoint file cannot be read.
            SettingsError: The device is not available, or the lifter needs joints that the detector does not provide.
        """
        device = pick_device(spec.device)
        spec = replace(spec, device=device, detection=resolve_auto(spec.detection, device))
        classifier = Classifier.load(find(spec.classifier), device, spec.settings.unknown)
        lifter = _load_lifter(spec.lifter, classifier, device)
        opened = open_detector(spec.detection, device)
        return Pipeline(
            lifter=lifter,
            classifier=classifier,
            detector=_adapt_detector(opened.detector, lifter.source),
            settings=spec.settings,
            spec=spec.to_json(),
            notes=opened.notes,
            repair=opened.repair,
            remarks=opened.remarks,
            description=opened.description,
        )

    def run(self, video: Video, progress: Progress = no_progress, checkpoints: Checkpoints | None = None) -> Recording:
        """Track everybody in a video, lift the tracks to 3D, and classify the actions.

        Args:
            video: The video. Its ``damage`` is known afterwards.
            progress: Shows progress over frames and people.
            checkpoints: Store what the first pass finds, so that an interrupted run continues; None = store nothing.

        Returns:
            The people with their tracks, poses and actions.

        Raises:
            DataError: The camera's file cannot be used for this video.
            VideoError: The file can no longer be read.
            ResumeError: The frames of the video are not those of the run to be continued.
        """
        camera, notes = self._camera(video)
        provenance = made_with({**self.spec, "settings": self.settings}, (*self.notes, *notes))
        size = (video.width, video.height)
        edges = EdgeCollector(camera, size)
        motion = MotionEstimator(camera, size) if self.settings.camera_motion == "auto" else None
        watchers: list[Watcher] = [edges] if motion is None else [edges, motion]
        tracked = track_people(
            video, self.detector, self.settings, provenance, progress, self.repair, self.remarks, watchers, checkpoints
        )
        give_back()  # what the tracker held
        if motion is not None:
            tracked, camera = _with_motion(tracked, camera, motion.result())
        tracks = [person.track for person in tracked.people]
        fit, known, lines = self.settings.fit, self.settings.world, edges.result(camera.rotations)
        main = max(range(len(tracks)), key=lambda k: prominence(tracks[k]), default=0)
        poses, world = lift_together(tracks, self.lifter, camera, fit, known, progress, lines, main)
        axes = LEVEL if world is None else world.rotation
        waiting = list(poses[::-1])
        del poses  # of everybody, so that those of each person are let go when they are in the result
        people = tuple(self._classified(person, waiting.pop(), axes) for person in tracked.people)
        return replace(tracked, people=people, camera=camera, world=world)

    def first_pass(self, video_sha256: str, reading: Reading) -> Run:
        """What the people found in a video depend on.

        That is its content, how it is read, the detector, and the files that its options name. ``max_people`` is not
        part of it: detections are stored before the least confident ones are left out.
        """
        detection = self.spec.get("detection", {})
        options = detection.get("options", {})
        files = {name: _content(Path(value)) for name, value in options.items() if isinstance(value, str)}
        settings = {
            "detection": detection,
            "device": self.spec.get("device"),
            "skeleton": self.detector.skeleton.name,
            "reading": {name: str(value) for name, value in to_json(reading).items()},  # JSON has no infinity
        }
        return Run({"video.sha256": video_sha256, **{f"{k}.sha256": v for k, v in files.items()}}, settings)

    def _camera(self, video: Video) -> tuple[Camera, tuple[str, ...]]:
        """The camera of a video, and notes on it for the user."""
        size, reference = (video.width, video.height), self.settings.camera
        if reference is None:
            return self.settings.assumed_camera(size), ()
        camera, note = read_camera(reference, video_name(video.path), size)
        return camera, (note,)

    def _classified(self, person: Person, lifted: Poses3D, axes: Float[np.ndarray, "3 3"]) -> Person:
        """Actions are recognised from whole bodies, guesses included, as in training; then guesses may be removed.

        Args:
            person: The person.
            lifted: Their poses.
            axes: Rows are the world's axes, y up, in those of the poses. Actions are recognised in these.
        """
        poses = with_confidence(lifted, person.track)
        kept = poses if self.settings.guess else without_unseen(poses)
        found = self.classifier.recognise(poses.rotated(axes))
        return replace(person, poses=rounded_poses(kept), actions=found.actions, windows=found.windows)


def _with_motion(tracked: Recording, camera: Camera, motion: Motion) -> tuple[Recording, Camera]:
    """A recording with the notes on the camera's motion, and the camera with its rotations."""
    notes = [*tracked.made_with["notes"], *motion.notes]
    made = {**tracked.made_with, "notes": notes}
    return replace(tracked, made_with=made), replace(camera, rotations=motion.rotations)


def render(
    recording: Recording,
    video: Video,
    path: Path,
    drawing: Drawing | None = None,
    progress: Progress = no_progress,
    part: Part = WHOLE,
) -> None:
    """Draw a recording on the frames of its video and write an mp4. A second thread draws.

    ``video.notes`` then has a note on its size if that is not the source's.

    Args:
        recording: What to draw.
        video: The video that the recording was made from.
        path: The mp4 to write.
        drawing: How to draw it.
        progress: Shows progress over the frames.
        part: The part of the video to draw.

    Raises:
        DataError: The recording was made from another video.
        OutputError: The mp4 cannot be written.
        SettingsError: The drawn video would be too large, or there is no frame in ``part``.
        VideoError: The video can no longer be read.
    """
    drawing = drawing or Drawing()
    renderer, count = Renderer(recording, drawing), _frames_in(part, recording.video)
    frames = _matching_frames(video, recording.video, part)

    def draw(frame: Frame) -> tuple[UInt8[np.ndarray, "H W 3"], Fraction]:
        return renderer.draw(frame), frame.time

    with VideoWriter(path, *renderer.size, video, drawing.quality, part) as writer:
        for image, time in map_ahead(draw, progress(frames, "drawing", count)):
            writer.write(image, time)
    if renderer.note:
        video.notes = (*video.notes, renderer.note)


def _frames_in(part: Part, facts: VideoFacts) -> int:
    """The number of frames in a part of a video."""
    end = inf if part.end is None else float(part.end)
    count = int(((facts.times >= float(part.start)) & (facts.times < end)).sum())
    if not count:
        raise SettingsError(
            f"There is no frame in that --range: the frames of {facts.name} are from 0 to {facts.times[-1]:.2f} s."
        )
    return count


def _matching_frames(video: Video, facts: VideoFacts, part: Part) -> Iterator[Frame]:
    """The frames of a part of ``video``, checked against the size and times of what a recording was made from."""
    other = f"This recording was made from another video ({facts.name}) than {video.path}"
    if (video.width, video.height) != (facts.width, facts.height):
        raise DataError(
            f"{other}: its frames were {facts.width} × {facts.height} pixels, not {video.width} × {video.height}."
        )
    count = 0
    for frame in video.frames():
        count += 1
        if frame.index >= len(facts.times) or abs(float(frame.time) - facts.times[frame.index]) > _TIME_TOLERANCE:
            raise DataError(f"{other}: they differ from frame {frame.index} on, at {float(frame.time):.3f} s.")
        if part.end is not None and frame.time >= part.end:
            return
        if frame.time >= part.start:
            yield frame
    if count < len(facts.times):
        raise DataError(f"{other}: it had {len(facts.times)} frames, not {count}.")


def _adapt_detector(detector: Detector, source: Skeleton) -> Detector:
    """Convert the detector's joints to those a lifter takes. Face and feet may be missing, and what is estimated."""
    if missing := lacking(detector.skeleton, source):
        raise SettingsError(
            f"The lifter takes {source} keypoints, but the detector provides {detector.skeleton}, without "
            f"{', '.join(missing)}. Choose another lifter or another detector."
        )
    own = detector.skeleton in (COCO17, COCO23) or missing_keypoints(detector.skeleton, source)
    return detector if own else as_skeleton(detector, source)


def _content(path: Path) -> str | None:
    """The SHA-256 of a file, or of the files in a folder; None if there is neither."""
    if path.is_dir():
        return fingerprint({file.name: sha256(file) for file in path.iterdir() if file.is_file()})
    return sha256(path) if path.is_file() else None


def _load_lifter(name: str, classifier: Classifier, device: str) -> Lifter | SpecialistLifter:
    """Load a lifter by name, from a checkpoint, or from a folder of specialists that the classifier selects from."""
    path = find(name)
    if path.is_dir():
        return SpecialistLifter.load(path, lambda poses: classifier.classify(poses.rotated(LEVEL)), device)
    return Lifter.load(path, device)
