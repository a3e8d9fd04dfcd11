"""Labels by eye: what the people in real videos do, and where they are in the picture.

``labels/actions.csv``: a row is a stretch of one person's time, in seconds, with an action or ``none`` (none of the
actions). ``a|b`` = a viewer may say either; the row counts as the first. Time in no row is not judged: a quarter of a
second or so between two actions, and where posture cannot be seen. ``use`` says whether settings may be chosen on the
clip ("choose") or it is kept for reporting ("report"). ``labels/places.csv``: a point on a person, px, at a time.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.label_tables import rows_of
from kinelift.poses import Person, Recording

FOLDER = Path(__file__).parent / "labels"
NONE = "none"
"""The action of somebody who does none of the actions."""
ACTIONS = (
    "stand", "walk", "run", "jump", "sit", "squat", "bend", "lie", "kick", "punch", "throw", "gesture", "climb",
    "dance", "acrobatics", "exercise",
)  # fmt: skip


@dataclass(frozen=True)
class Label:
    """What a person does from ``start`` to ``end``, s: any of ``actions``, the first of which it counts as."""

    clip: str
    use: str
    person: str
    start: float
    end: float
    actions: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """A point on a person at a time in s, px."""

    clip: str
    person: str
    time: float
    x: float
    y: float


def labels(clip: str) -> list[Label]:
    """The labels of a clip."""
    rows = rows_of(clip, FOLDER / "actions.csv")
    return [Label(row[0], row[1], row[2], float(row[3]), float(row[4]), tuple(row[5].split("|"))) for row in rows]


def places(clip: str) -> list[Place]:
    """Where the labelled people of a clip are."""
    return [
        Place(row[0], row[1], float(row[2]), float(row[3]), float(row[4]))
        for row in rows_of(clip, FOLDER / "places.csv")
    ]


def identify(recording: Recording, marks: list[Place]) -> dict[int, str]:
    """Names of the tracked people, by index in ``recording.people``; who was not labelled is missing.

    A person in several tracks needs a place in each.
    """
    named: dict[int, str] = {}
    for mark in marks:
        distances = [_distance(person, mark) for person in recording.people]
        if distances and min(distances) < np.inf:
            named[int(np.argmin(distances))] = mark.person
    return named


def _distance(person: Person, place: Place) -> float:
    """Distance of a place from the middle of the box of a person's joints, px; infinite outside that box."""
    track = person.track
    if not track.times[0] <= place.time <= track.times[-1]:
        return np.inf
    joints = track.points[np.abs(track.times - place.time).argmin()]
    if not np.isfinite(joints).any():
        return np.inf
    low, high = np.nanmin(joints, axis=0), np.nanmax(joints, axis=0)
    point = np.array([place.x, place.y])
    inside = (low <= point).all() and (point <= high).all()
    return float(np.linalg.norm(point - (low + high) / 2)) if inside else np.inf
