"""The tracker: gives every person an id that stays theirs while they move, cross, hide, enter and leave."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from kinelift.detectors.tracking.association import pair
from kinelift.detectors.tracking.candidate import Candidate, Sighting
from kinelift.detectors.tracking.filling import fill, lay_out
from kinelift.detectors.tracking.likeness import centres, keypoint_similarity, scales, spreads
from kinelift.detectors.tracking.settings import TrackerSettings
from kinelift.poses import People, Skeleton, Track2D
from kinelift.poses.errors import DataError

_SAME_BODY = 0.7
_FEWEST_JOINTS = 3


class Identity(NamedTuple):
    """One person of a video: ``id`` counts from 1, ``track`` spans their first to their last sighting."""

    id: int
    track: Track2D


class Tracker:
    """Follows people through a video, one frame at a time; keeps keypoints only.

    Every frame is associated in two rounds: confident detections first, then weak ones, which only continue somebody
    known (source: Zhang et al., ByteTrack, ECCV 2022). Who is hidden moves on with slowing velocity and is looked for
    in a circle that grows with time. A newcomer gets an id after a probation, so that brief ghosts never have one.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        size: tuple[int, int],
        settings: TrackerSettings | None = None,
        repair: Callable[[Track2D], Track2D] | None = None,
    ) -> None:
        """``size`` is the picture's (width, height) in pixels; ``repair`` goes over every track before its gaps are
        filled, as ``flips.unflipped`` does for detectors that read left and right frame by frame.
        """
        self._repair = repair
        self._skeleton = skeleton
        self._size = size
        self._settings = settings or TrackerSettings()
        self._spread = spreads(skeleton)
        self._first_frame = 0
        self._times: list[float] = []
        self._present: list[Candidate] = []
        self._gone: list[Candidate] = []
        self._ids = 0

    def update(self, people: People, time: float) -> tuple[int | None, ...]:
        """Take the next frame, at ``time`` seconds, and say who every row of ``people`` is (None = no id so far).

        Raises ``DataError`` for a frame out of order.
        """
        self._advance(people.frame, time)
        rows = self._sightings(people, time)
        owners: dict[Sighting, Candidate] = {}
        for confident in (True, False):
            waiting = [c for c in self._present if c not in owners.values()]
            sightings = [s for s in rows.values() if (s.confidence >= self._settings.start) == confident]
            for found in pair(waiting, sightings, time, self._spread, self._settings):
                found.candidate.see(found.sighting, found.off)
                owners[found.sighting] = found.candidate
        self._welcome(rows.values(), owners)
        self._give_ids()
        return tuple(owners[rows[r]].id if rows.get(r) in owners else None for r in range(len(people)))

    def tracks(self) -> tuple[Identity, ...]:
        """Everybody who has an id so far, sorted by id. In a video shorter than the probation, half of it is enough."""
        everybody = self._gone + self._present
        known = {c.id: c for c in everybody if c.id is not None}
        needed = min(self._settings.probation, (self._times[-1] - self._times[0]) / 2) if self._times else 0.0
        late = (c for c in self._present if c.id is None and c.convinces(needed))
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
        forgotten = [c for c in self._present if c.forgotten(time)]
        self._gone += [c for c in forgotten if c.id is not None]
        self._present = [c for c in self._present if c not in forgotten]

    def _sightings(self, people: People, time: float) -> dict[int, Sighting]:
        """Sightings by row of ``people``, without bodies too weak or too incomplete to be followed."""
        seen = (people.scores >= self._settings.joint) & np.isfinite(people.points).all(axis=-1)
        points = np.where(seen[..., None], people.points, np.nan)
        scores = np.where(seen, people.scores, 0.0)
        middles = centres(people.boxes)
        usable = (people.confidence >= self._settings.weak) & (seen.sum(axis=1) >= _FEWEST_JOINTS)
        confidence, sizes = people.confidence.tolist(), scales(people.boxes).tolist()
        return {
            r: Sighting(people.frame, time, points[r].copy(), scores[r].copy(), middles[r], sizes[r], confidence[r])
            for r in np.flatnonzero(usable).tolist()
        }

    def _welcome(self, sightings: Iterable[Sighting], owners: dict[Sighting, Candidate]) -> None:
        """Begin to follow newcomers, largest first, unless they are a second finding of somebody in this frame."""
        free = [s for s in sightings if s not in owners and s.confidence >= self._settings.start]
        for sighting in sorted(free, key=lambda s: s.scale, reverse=True):
            if not any(self._same(sighting, other) for other in owners):
                owners[sighting] = Candidate([sighting], self._settings)
                self._present.append(owners[sighting])

    def _same(self, a: Sighting, b: Sighting) -> bool:
        scale = np.array([max(a.scale, b.scale)])
        return bool(keypoint_similarity(a.points[None], b.points[None], scale, self._spread)[0, 0] > _SAME_BODY)

    def _give_ids(self) -> None:
        for candidate in self._present:
            if candidate.id is None and candidate.convinces(self._settings.probation):
                self._ids += 1
                candidate.id = self._ids

    def _track(self, candidate: Candidate) -> Track2D:
        first, last = candidate.sightings[0].frame, candidate.sightings[-1].frame
        times = np.array(self._times[first - self._first_frame : last - self._first_frame + 1])
        track = lay_out(candidate.sightings, times, self._skeleton, self._size)
        return fill(self._repair(track) if self._repair else track, self._settings.fill)
