"""The stages of a live analysis: each frame is detected, tracked, lifted and classified before the next is taken."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from kinelift.app.live.person import LivePerson, Row
from kinelift.app.live.world import LiveWorld
from kinelift.app.pipeline import Pipeline
from kinelift.app.spec import made_with
from kinelift.app.tracking import most_confident
from kinelift.detectors.protocol import Memory, ResumableDetector, is_resumable
from kinelift.detectors.tracking import Tracker
from kinelift.detectors.tracking.tracker_settings import TrackerSettings
from kinelift.lifting.axis_keypoints import keypoints
from kinelift.lifting.causal import CausalLifter
from kinelift.lifting.lifter import Lifter
from kinelift.poses import Frame, People, Person, Recording, Track2D, VideoFacts
from kinelift.poses.errors import SettingsError
from kinelift.poses.world import LEVEL

DECIDE_EVERY = 0.25
"""Seconds between two decisions on a person's action."""
LOOK_BACK = 3.0
"""Seconds of poses from which it is decided."""
REMEMBERED = 10.0
"""Seconds that are kept if nothing is recorded."""
NOTE = "recorded live: poses are from the past only, and frames that came too fast are left out."


@dataclass(frozen=True, eq=False)
class Moment:
    """The result of one frame.

    Attributes:
        frame: The frame, counted among those that were analysed.
        present: The people who were seen in it.
    """

    frame: Frame
    present: tuple[LivePerson, ...]


class LiveAnalyser:
    """Analyses frames as they come. What it knows at a time depends on earlier frames only."""

    def __init__(self, pipeline: Pipeline, name: str, size: tuple[int, int], *, keep: bool = False) -> None:
        """Start without frames.

        Args:
            pipeline: The stages; the lifter must be causal.
            name: The name of the source.
            size: (width, height) of the pictures, px.
            keep: Keep all frames' results, for ``recording``.

        Raises:
            SettingsError: The lifter needs future frames, or the detector cannot be given single frames.
        """
        if not isinstance(pipeline.lifter, Lifter):
            raise SettingsError("A folder of specialists cannot follow a stream. Use --lifter live.")
        if not is_resumable(pipeline.detector):
            raise SettingsError("This detector looks at several frames at once. Choose another --detector.")
        self._pipeline, self._name, self._size, self._keep = pipeline, name, size, keep
        self._network = pipeline.lifter.network
        self._camera = pipeline.settings.assumed_camera(size)
        self._lifter = CausalLifter(self._network, self._camera, size)
        self._skeleton, self._memory = pipeline.detector.skeleton, Memory()
        self._settings = TrackerSettings()
        self._tracker = Tracker(self._skeleton, size, self._settings)
        self._times: list[float] = []
        self._people: dict[int, LivePerson] = {}
        self.world = LiveWorld()

    def analyse(self, frame: Frame) -> Moment:
        """Analyse the next frame that was not dropped."""
        counted, time = replace(frame, index=len(self._times)), float(frame.time)
        self._times.append(time)
        people = self._detect(counted)
        present = []
        for row, number in enumerate(self._tracker.update(people, time)):
            if number is not None:
                present.append(self._seen(number, people, row, time))
        if not self._keep:
            self._forget(time - REMEMBERED)
        self._look_around(time)
        for person in present:
            self._decide(person, time)
        return Moment(counted, tuple(present))

    def recent(self, seconds: float) -> Recording:
        """The last seconds, with frames counted from their beginning; every action is the one of now."""
        first = bisect_left(self._times, self._times[-1] - seconds)
        return self._recording(self._times[first:], self._since(first))

    def recording(self, frames: int) -> Recording:
        """The first ``frames`` frames, if they were kept. Actions are decided from all of them together."""
        times = self._times[:frames]
        seen = (person.since(0, times, self._size, self._skeleton) for person in self._people.values())
        people = tuple(self._recognised(person) for person in seen if person is not None)
        settings = self._pipeline.settings
        provenance = made_with({**self._pipeline.spec, "settings": settings}, (*self._pipeline.notes, NOTE))
        return replace(self._recording(times, people), made_with=provenance)

    def _detect(self, frame: Frame) -> People:
        detector = self._pipeline.detector
        assert isinstance(detector, ResumableDetector)
        (people,) = detector.detect_from(self._memory, [frame])
        return most_confident(people, self._pipeline.settings.max_people)

    def _seen(self, number: int, people: People, row: int, time: float) -> LivePerson:
        """Lift a person who was seen in this frame."""
        person = self._people.get(number)
        if person is None:
            person = self._people[number] = LivePerson(number, self._lifter.fresh(), self._network.target)
        sure = people.scores[row] >= self._settings.joint_score
        points = np.where(sure[:, None], people.points[row], np.nan)
        scores = np.where(np.isfinite(points).all(-1), people.scores[row], 0.0)
        person.rows.append(Row(people.frame, points, scores, person.lifter.push(time, self._keypoints(points, scores))))
        pose = person.rows[-1].pose
        self.world.see(None if pose is None else pose.up)
        return person

    def _keypoints(self, points: Float[np.ndarray, "J 2"], scores: Float[np.ndarray, " J"]) -> Float[np.ndarray, "K 2"]:
        """The keypoints that the lifter takes."""
        unfilled = np.zeros((1, len(scores)), bool)
        frame = Track2D(points[None], scores[None], np.zeros(1), unfilled, 0, self._size, self._skeleton)
        taken: Float[np.ndarray, "K 2"] = keypoints(frame, self._network.source)[0]
        return taken

    def _forget(self, before: float) -> None:
        first = bisect_left(self._times, before)
        for person in self._people.values():
            person.forget(first)
        self._people = {number: person for number, person in self._people.items() if person.rows}

    def _look_around(self, time: float) -> None:
        if self.world.is_due(time):
            first = bisect_left(self._times, time - REMEMBERED)
            self.world.update([person.poses for person in self._since(first) if person.poses is not None], time)

    def _decide(self, person: LivePerson, time: float) -> None:
        """What a person does now: the last action of the most probable sequence in the last seconds."""
        if time < person.due:
            return
        person.due = time + DECIDE_EVERY
        first = bisect_left(self._times, time - LOOK_BACK)
        known = person.since(first, self._times, self._size, self._skeleton)
        assert known is not None  # they were seen in this frame
        actions = self._recognised(known).actions
        person.action = actions[-1] if actions else None

    def _recognised(self, person: Person) -> Person:
        assert person.poses is not None
        axes = LEVEL if self.world.now is None else self.world.now.rotation
        found = self._pipeline.classifier.recognise(person.poses.rotated(axes))
        return replace(person, actions=found.actions, windows=found.windows)

    def _since(self, frame: int) -> tuple[Person, ...]:
        everybody = (person.since(frame, self._times, self._size, self._skeleton) for person in self._people.values())
        return tuple(person for person in everybody if person is not None)

    def _recording(self, times: Sequence[float], people: tuple[Person, ...]) -> Recording:
        facts = VideoFacts(self._name, *self._size, np.array(times))
        return Recording(facts, people, {}, self._camera, self.world.now)
