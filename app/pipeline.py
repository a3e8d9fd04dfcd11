"""The stages composed: a video is analysed in one pass, and drawn in a second one.

    video ─▶ detector ─▶ People ─▶ tracker ─▶ Track2D ─▶ lifter ─▶ Poses3D ─▶ classifier ─▶ Actions
                                                  └────────────── Recording ◀──────────────────┘
    video + Recording ─▶ renderer ─▶ mp4

Both passes hold a few frames at a time. What grows with the video is its keypoints: some kilobytes a person and second.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from app.device import pick
from app.progress import Watch, unwatched
from app.render import Renderer
from app.settings import Settings
from app.video import Video, VideoWriter
from detectors.blazepose import BlazePose
from detectors.movenet import MoveNet
from detectors.protocol import Detector
from detectors.refined import Refined
from detectors.second_look import SecondLook
from detectors.tracking import Identity, Tracker, choose
from lifting.camera import Camera
from lifting.coupled import Coupled
from lifting.lifter import Lifter
from poses import Action, Frame, Person, Poses3D, Recording, Track2D, VideoFacts
from poses.errors import DataError, DetectorError, SettingsError
from recognition.classifier import Classifier
from weights.store import locate

_SAME_TIME = 1e-3


@runtime_checkable
class Lifts(Protocol):
    """What the pipeline asks of a lifter."""

    def lift(self, track: Track2D, camera: Camera) -> Poses3D:
        """3D poses at the times of ``track``, in the frame of ``camera``."""


@runtime_checkable
class Classifies(Protocol):
    """What the pipeline asks of a classifier."""

    def classify(self, poses: Poses3D) -> tuple[Action, ...]:
        """What the person does, in order of time."""


@dataclass(frozen=True, eq=False)
class Pipeline:
    """Everything that turns a video into a ``Recording``. ``made_with`` names the stages in the recordings."""

    detector: Detector
    lifter: Lifts
    classifier: Classifies
    settings: Settings = field(default_factory=Settings)
    made_with: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def load(
        detector: str = "movenet",
        lifter: str = "default",
        device: str = "auto",
        settings: Settings | None = None,
        refine: str = "full",
        classifier: str = "actions",
    ) -> "Pipeline":
        """The stages by name; ``lifter`` and ``classifier`` may also be paths of checkpoints, and ``lifter`` that of a
        folder of specialists. ``refine``, one of none, full and heavy, says what places the joints of the people that
        the detector finds.

        Raises ``WeightsError`` for weights that are unknown, missing or damaged, ``DetectorError`` for a detector that
        is unknown or not installed, ``SettingsError`` for a device that is not there, or for a lifter that takes
        other keypoints than the detector finds.
        """
        if detector not in _DETECTORS:
            raise DetectorError(f"Unknown detector {detector!r}. Known: {', '.join(_DETECTORS)}.")
        where = pick(device)
        tells = Classifier.load(_checkpoint(classifier), where)
        lifts, finds = _lifter(lifter, tells, where), _DETECTORS[detector](refine)
        if finds.skeleton != lifts.source:
            raise SettingsError(
                f"The lifter {lifter} takes {lifts.source} keypoints, and the detector {detector} finds "
                f"{finds.skeleton}. Choose others of one layout."
            )
        return Pipeline(
            lifter=lifts,
            classifier=tells,
            detector=finds,
            settings=settings or Settings(),
            made_with={"detector": detector, "refine": refine, "lifter": lifter, "classifier": classifier},
        )

    def run(self, video: Video, watch: Watch = unwatched) -> Recording:
        """Follow everybody through ``video``, lift them to 3D, and say what they do. See ``Video.damage`` afterwards.

        Raises ``VideoError`` if the file cannot be read any more.
        """
        size = (video.width, video.height)
        times, tracks = self._follow(video, watch)
        chosen = choose(tracks, self.settings.people)
        camera = self.settings.camera(size)
        people = tuple(self._understand(who, camera) for who in watch(chosen, "lifting to 3D", len(chosen)))
        facts = VideoFacts(video.path.stem, *size, np.array(times))
        choices = {"people": self.settings.people, "focal": f"{camera.focal:.1f} px"}
        return Recording(facts, people, {**self.made_with, **choices})

    def _follow(self, video: Video, watch: Watch) -> tuple[list[float], tuple[Identity, ...]]:
        """The time of every frame, and the track of everybody."""
        times: list[float] = []
        tracker = Tracker(self.detector.skeleton, (video.width, video.height))
        found = self.detector.detect(_noting(video.frames(), times))
        for people in watch(found, "finding people", _expected(video)):
            tracker.update(people, times[people.frame])
        return times, tracker.tracks()

    def _understand(self, who: Identity, camera: Camera) -> Person:
        poses = self.lifter.lift(who.track, camera)
        return Person(who.id, who.track, poses, self.classifier.classify(poses))


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


def _noting(frames: Iterable[Frame], times: list[float]) -> Iterator[Frame]:
    for frame in frames:
        times.append(float(frame.time))
        yield frame


def _expected(video: Video) -> int | None:
    """How many frames there should be, as far as the file's headers tell."""
    facts = video.summary
    if facts.frames is None and facts.duration is not None and facts.mean_rate is not None:
        return round(facts.duration * facts.mean_rate)
    return facts.frames


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


def _lifter(name: str, classifier: Classifier, device: str) -> Lifter | Coupled:
    """By name, by the file of a checkpoint, or by a folder of specialists, which the classifier chooses among."""
    if Path(name).is_dir():
        return Coupled.load(Path(name), classifier.classify, device)
    return Lifter.load(_checkpoint(name), device)


def _checkpoint(name: str) -> Path:
    """The file of that name, or the weights that are registered by it."""
    return Path(name) if Path(name).suffix else locate(name)


def _movenet(refine: str) -> Detector:
    """MoveNet on the whole picture, and once more, close up, on people who were lost since the last frame.

    Unless ``refine`` is none, BlazePose then places the joints of each person.
    """
    model = locate("movenet-multipose")
    people = SecondLook(MoveNet(model), MoveNet(model, long_side=256))
    return people if refine == "none" else Refined(people, BlazePose(locate(f"blazepose-{refine}")))


_DETECTORS: Mapping[str, Callable[[str], Detector]] = {"movenet": _movenet}
