"""Labels by eye: who is who, which heels and toes rest on something, who stands still, and a jump.

Frames are numbered from 0; ``first`` and ``last`` belong to a span. What is in no span was not judged: the frames
around touch-down and lift-off, in which two people would label differently. The steps of the sample clip's woman follow
from the frames of her landings and one timing for all steps, checked on some of them.

``contacts.csv``: ``state`` is ``contact`` or ``air``; ``surface`` names what the foot rests on. ``people.csv``: a place
in the picture, px, near the middle of a person's hips. ``still.csv``: spans in which somebody stands still.
``jumps.csv``: ``off`` is the last frame in which a foot touches the roof, ``on`` the first one in which it touches the
ground.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.label_tables import rows_of
from kinelift.poses import Person, Recording

FOLDER = Path(__file__).parent / "labels"
HIPS = ("left_hip", "right_hip")
FAR = 60.0
"""Distance, px, from a person's hips beyond which a label belongs to somebody else."""


@dataclass(frozen=True)
class Span:
    """One part of a foot from frame ``first`` to ``last``; ``surface`` is empty in the air."""

    clip: str
    person: str
    foot: str
    part: str
    first: int
    last: int
    state: str
    surface: str


@dataclass(frozen=True)
class Still:
    """Somebody who stands still from frame ``first`` to ``last``."""

    clip: str
    person: str
    first: int
    last: int


@dataclass(frozen=True)
class Jump:
    """A jump: the last frame before it and the first one after it in which a foot touches something."""

    clip: str
    person: str
    off: int
    on: int


@dataclass(frozen=True)
class Place:
    """Where a person's hips are in one frame of a video, px."""

    clip: str
    person: str
    frame: int
    x: float
    y: float


def contacts(clip: str) -> list[Span]:
    """The labelled spans of heels and toes of a clip."""
    return [
        Span(row[0], row[1], row[2], row[3], int(row[4]), int(row[5]), row[6], row[7])
        for row in rows_of(clip, FOLDER / "contacts.csv")
    ]


def still(clip: str) -> list[Still]:
    """The spans of a video in which somebody stands still."""
    return [Still(row[0], row[1], int(row[2]), int(row[3])) for row in rows_of(clip, FOLDER / "still.csv")]


def jumps(clip: str) -> list[Jump]:
    """The jumps of a clip."""
    return [Jump(row[0], row[1], int(row[2]), int(row[3])) for row in rows_of(clip, FOLDER / "jumps.csv")]


def places(clip: str) -> list[Place]:
    """Where the labelled people of a video are."""
    return [
        Place(row[0], row[1], int(row[2]), float(row[3]), float(row[4])) for row in rows_of(clip, FOLDER / "people.csv")
    ]


def identify(recording: Recording, clip: str) -> dict[str, int]:
    """Index in ``recording.people`` of each labelled person of a video; who was not tracked is missing."""
    named: dict[str, int] = {}
    for place in places(clip):
        distances = [_distance(person, place) for person in recording.people]
        if distances and min(distances) < FAR:
            named[place.person] = int(np.argmin(distances))
    return named


def _distance(person: Person, place: Place) -> float:
    track, k = person.track, place.frame - person.track.start
    if not 0 <= k < len(track):
        return np.inf
    middle = track.points[k, [track.skeleton.index(hip) for hip in HIPS]].mean(axis=0)
    off = float(np.linalg.norm(middle - [place.x, place.y]))
    return off if np.isfinite(off) else np.inf
