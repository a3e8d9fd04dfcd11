"""The tracker: gives every person an id that stays theirs while they move, cross, hide, enter and leave."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from kinelift.detectors.protocol import TrackRepair
from kinelift.detectors.tracking.association import associate
from kinelift.detectors.tracking.filling import fill, to_track
from kinelift.detectors.tracking.similarity import body_scales, box_centres, object_keypoint_similarity, oks_sigmas
from kinelift.detectors.tracking.tracker_settings import TrackerSettings
from kinelift.detectors.tracking.tracklet import Observation, Tracklet
from kinelift.poses import People, Skeleton, Track2D
from kinelift.poses.errors import DataError
from kinelift.poses.timeseries import median_interval

_DUPLICATE = 0.7
"""The OKS above which two detections in one frame are the same person."""
_FEWEST_JOINTS = 3
_RECENT = 10
"""Frames from which the usual time between two frames is taken."""


class Identity(NamedTuple):
    """One person of a video: ``id`` counts from 1; ``track`` spans their first to their last observation."""

    id: int
    track: Track2D


class Tracker:
    """Follows people through a video, one frame at a time; keeps keypoints only.

    Every frame is associated in two rounds: confident detections first, then weak ones, which only continue somebody
    known (source: Zhang et al., ByteTrack, ECCV 2022). A hidden person moves on with slowing velocity, and the gate in
    which they are searched grows with time. A new person gets an id after a probation, so that short false detections
    never have one.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        size: tuple[int, int],
        settings: TrackerSettings | None = None,
        repair: TrackRepair | None = None,
    ) -> None:
        """Start without any people.

        Args:
            skeleton: The joints of the detector.
            size: The (width, height) of the image in pixels.
            settings: Thresholds.
            repair: Corrects every track before its gaps are filled, as ``repair_side_flips`` does for detectors that
                see each frame on its own.
        """
        self._repair = repair
        self._skeleton = skeleton
        self._size = size
        self._settings = settings or TrackerSettings()
        self._body = list(skeleton.body)
        self._sigmas = oks_sigmas(skeleton)[self._body]
        self._first_frame = 0
        self._times: list[float] = []
        self._active: list[Tracklet] = []
        self._ended: list[Tracklet] = []
        self._ids = 0

    def update(self, people: People, time: float) -> tuple[int | None, ...]:
        """Take the next frame.

        Args:
            people: The people detected in it.
            time: Its time, s.

        Returns:
            The id of each row of ``people``; None = no id so far.

        Raises:
            DataError: The frame is out of order.
        """
        self._advance(people.frame, time)
        rows = self._observations(people, time)
        owners: dict[Observation, Tracklet] = {}
        for confident in (True, False):
            unmatched = [t for t in self._active if t not in owners.values()]
            observations = [
                one for one in rows.values() if (one.confidence >= self._settings.high_confidence) == confident
            ]
            for match in associate(unmatched, observations, time, self._body, self._sigmas, self._settings):
                match.tracklet.update(match.observation, match.displacement)
                owners[match.observation] = match.tracklet
        self._start_tracklets(rows.values(), owners)
        self._give_ids()
        return tuple(owners[rows[r]].id if rows.get(r) in owners else None for r in range(len(people)))

    def tracks(self) -> tuple[Identity, ...]:
        """Everybody who has an id so far, sorted by id.

        In a video shorter than the probation, half of the video is enough for an id.
        """
        everybody = self._ended + self._active
        known = {t.id: t for t in everybody if t.id is not None}
        needed = min(self._settings.probation, (self._times[-1] - self._times[0]) / 2) if self._times else 0.0
        late = (t for t in self._active if t.id is None and t.is_confirmed(needed))
        known.update(enumerate(late, start=self._ids + 1))
        return tuple(Identity(number, self._track(known[number])) for number in sorted(known))

    def _advance(self, frame: int, time: float) -> None:
        if not self._times:
            self._first_frame = frame
        elif frame != self._first_frame + len(self._times) or not time > self._times[-1]:
            last = self._first_frame + len(self._times) - 1
            raise DataError(
                f"Frame {frame} at {time} s cannot follow frame {last} at {self._times[-1]} s. "
                "Give the tracker every frame once, in order."
            )
        self._times.append(time)
        interval = median_interval(np.array(self._times[-_RECENT:]))
        expired = [t for t in self._active if t.has_expired(time, interval)]
        self._ended += [t for t in expired if t.id is not None]
        self._active = [t for t in self._active if t not in expired]

    def _observations(self, people: People, time: float) -> dict[int, Observation]:
        """Observations by row of ``people``, without those too weak or too incomplete to be followed."""
        seen = (people.scores >= self._settings.joint_score) & np.isfinite(people.points).all(axis=-1)
        points = np.where(seen[..., None], people.points, np.nan)
        scores = np.where(seen, people.scores, 0.0)
        centres = box_centres(people.boxes)
        usable = (people.confidence >= self._settings.low_confidence) & (
            seen[:, self._body].sum(axis=1) >= _FEWEST_JOINTS
        )
        confidence, sizes = people.confidence.tolist(), body_scales(people.boxes).tolist()
        return {
            r: Observation(people.frame, time, points[r].copy(), scores[r].copy(), centres[r], sizes[r], confidence[r])
            for r in np.flatnonzero(usable).tolist()
        }

    def _start_tracklets(self, observations: Iterable[Observation], owners: dict[Observation, Tracklet]) -> None:
        """Start to follow new people, largest first, unless they duplicate somebody in this frame."""
        new = [o for o in observations if o not in owners and o.confidence >= self._settings.high_confidence]
        for observation in sorted(new, key=lambda o: o.scale, reverse=True):
            if not any(self._are_duplicates(observation, other) for other in owners):
                owners[observation] = Tracklet(observation, self._settings)
                self._active.append(owners[observation])

    def _are_duplicates(self, a: Observation, b: Observation) -> bool:
        scale = np.array([max(a.scale, b.scale)])
        first, second = (one.points[None, self._body] for one in (a, b))
        return bool(object_keypoint_similarity(first, second, scale, self._sigmas)[0, 0] > _DUPLICATE)

    def _give_ids(self) -> None:
        for tracklet in self._active:
            if tracklet.id is None and tracklet.is_confirmed(self._settings.probation):
                self._ids += 1
                tracklet.id = self._ids

    def _track(self, tracklet: Tracklet) -> Track2D:
        first, last = tracklet.first.frame, tracklet.last.frame
        times = np.array(self._times[first - self._first_frame : last - self._first_frame + 1])
        track = to_track(tracklet.history, times, self._skeleton, self._size)
        longest_gap = max(self._settings.longest_gap, self._settings.fewest_frames * median_interval(times))
        return fill(self._repair(track) if self._repair else track, longest_gap)
