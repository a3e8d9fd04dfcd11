"""The stages composed: a video is analysed in one pass, and drawn in a second one.

    video ─▶ detector ─▶ People ─▶ tracker ─▶ Track2D ─▶ lifter ─▶ Poses3D ─▶ classifier ─▶ Actions
                                                  └────────────── Recording ◀──────────────────┘
    video + Recording ─▶ renderer ─▶ mp4

Both passes hold a few frames at a time. What grows with the video is its keypoints: some kilobytes a person and second.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from kinelift.app.detection import decided, open_detector
from kinelift.app.following import follow
from kinelift.app.render import Renderer
from kinelift.app.settings import Detection, Settings
from kinelift.app.spec import PipelineSpec, made_with, pick_device
from kinelift.app.video import Video, VideoWriter
from kinelift.detectors.converted import as_skeleton
from kinelift.detectors.protocol import Detector, TrackRepair
from kinelift.lifting.body import PoseLifter, with_fit
from kinelift.lifting.lifter import Lifter
from kinelift.lifting.specialist_lifter import SpecialistLifter
from kinelift.poses import Action, Frame, Person, Poses3D, Recording, Skeleton, VideoFacts
from kinelift.poses.camera import Camera
from kinelift.poses.errors import DataError, SettingsError
from kinelift.recognition.classifier import Classifier
from kinelift.terminal.progress import Watch, unwatched
from kinelift.weights.store import find

_SAME_TIME = 1e-3
FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")


@runtime_checkable
class Classifies(Protocol):
    """What the pipeline asks of a classifier."""

    def classify(self, poses: Poses3D) -> tuple[Action, ...]:
        """What the person does, in order of time."""


@dataclass(frozen=True, eq=False)
class Pipeline:
    """Everything that turns a video into a ``Recording``.

    ``chosen``: the fields of a ``PipelineSpec`` that these stages were opened from, for the recordings; ``notes``: what
    to know about them; ``repair`` goes over every track before its gaps are filled.
    """

    detector: Detector
    lifter: PoseLifter
    classifier: Classifies
    settings: Settings = field(default_factory=Settings)
    chosen: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    repair: TrackRepair | None = None

    @staticmethod
    def load(
        detection: Detection | None = None,
        lifter: str = "default",
        classifier: str = "actions",
        device: str = "auto",
        settings: Settings | None = None,
    ) -> "Pipeline":
        """``open`` for a ``PipelineSpec`` of these fields; what is left out has its default."""
        spec = PipelineSpec(detection or Detection(), lifter, classifier, device, settings or Settings())
        return Pipeline.open(spec)

    @staticmethod
    def open(spec: PipelineSpec) -> "Pipeline":
        """The stages that ``spec`` names.

        Raises ``WeightsError`` for weights that are unknown, missing or damaged, ``DetectorError`` for a detector that
        is not installed, ``DataError`` for keypoints that cannot be read, ``SettingsError`` for a device that is not
        there, or for a lifter that needs joints which the detector does not find.
        """
        device = pick_device(spec.device)
        spec = replace(spec, device=device, detection=decided(spec.detection, device))
        classifier = Classifier.load(find(spec.classifier), device)
        lifter = _lifter(spec.lifter, classifier, device)
        found = open_detector(spec.detection, device)
        return Pipeline(
            lifter=lifter,
            classifier=classifier,
            detector=_fitting(found.detector, lifter.source),
            settings=spec.settings,
            chosen=spec.to_json(),
            notes=found.notes,
            repair=found.repair,
        )

    def run(self, video: Video, watch: Watch = unwatched) -> Recording:
        """Follow everybody through ``video``, lift them to 3D, and say what they do. See ``Video.damage`` afterwards.

        Raises ``VideoError`` if the file cannot be read any more.
        """
        made = made_with({**self.chosen, "settings": self.settings}, self.notes)
        seen = follow(video, self.detector, self.settings, made, watch, self.repair)
        camera = self.settings.camera((video.width, video.height))
        people = tuple(self._understand(who, camera) for who in watch(seen.people, "lifting to 3D", len(seen.people)))
        return replace(seen, people=people, camera=camera)

    def _understand(self, who: Person, camera: Camera) -> Person:
        poses = with_fit(self.lifter, self.settings.fit).lift(who.track, camera)
        return replace(who, poses=poses, actions=self.classifier.classify(poses))


def render(
    recording: Recording, video: Video, path: Path, layout: str = "side-by-side", watch: Watch = unwatched
) -> None:
    """Draw ``recording`` on the frames of the ``video`` that it was made from, into an mp4 at ``path``.

    Raises ``DataError`` if it was made from another video, ``OutputError`` if the mp4 cannot be written.
    """
    renderer = Renderer(recording, layout)
    frames = _matching(video, recording.video)
    with VideoWriter(path, *renderer.size, sound_from=video) as writer:
        for frame in watch(frames, "drawing", len(recording.video.times)):
            writer.write(renderer.draw(frame), frame.time)


def _matching(video: Video, facts: VideoFacts) -> Iterator[Frame]:
    """The frames of ``video``, as long as they are those that ``facts`` tell of."""
    other = f"This recording was made from another video ({facts.name}) than {video.path}"
    if (video.width, video.height) != (facts.width, facts.height):
        raise DataError(
            f"{other}: its pictures were {facts.width} × {facts.height} pixels, not {video.width} × {video.height}."
        )
    for frame in video.frames():
        if frame.index >= len(facts.times) or abs(float(frame.time) - facts.times[frame.index]) > _SAME_TIME:
            raise DataError(f"{other}: they differ from frame {frame.index}, at {float(frame.time):.3f} s, on.")
        yield frame


def _fitting(detector: Detector, wanted: Skeleton) -> Detector:
    """``detector`` with the joints that a lifter takes. A lifter can do without a face."""
    lacking = [j for j in wanted.joints if j not in detector.skeleton.joints and j not in FACE]
    if lacking:
        raise SettingsError(
            f"The lifter takes {wanted} keypoints, and the detector finds {detector.skeleton}, without "
            f"{', '.join(lacking)}. Choose another lifter or another detector."
        )
    return as_skeleton(detector, wanted)


def _lifter(name: str, classifier: Classifier, device: str) -> Lifter | SpecialistLifter:
    """By name, by the file of a checkpoint, or by a folder of specialists, which the classifier chooses among."""
    place = find(name)
    if place.is_dir():
        return SpecialistLifter.load(place, classifier.classify, device)
    return Lifter.load(place, device)
