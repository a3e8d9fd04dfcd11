"""Clips of 3D motion with labelled stretches of time: what every classifier here is trained and judged on."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from math import inf

import numpy as np
from jaxtyping import Float

from kinelift.poses import Skeleton

OTHER = "other"
"""The label of motions that are none of the actions; a classifier reports them as unknown."""


@dataclass(frozen=True)
class Segment:
    """``label`` holds from ``start`` to ``end``, in seconds on the clip's own clock; by default all of the clip."""

    label: str
    start: float = -inf
    end: float = inf


@dataclass(frozen=True, eq=False)
class Clip:
    """One recording of one motion.

    ``points`` in metres, in any right-handed axes, NaN = not seen; ``times`` in seconds, increasing. ``subject`` is
    whoever must not be on both sides of a split. ``split`` names the side or fold that the collection's own protocol
    puts the clip on, "" where it has none. ``kind`` says how the poses were obtained: "" = as recorded, "lifted" =
    through a 2D-to-3D lifter; a lifted copy bears the name of the clip it was made from, and its subject.
    """

    name: str
    subject: str
    points: Float[np.ndarray, "T J 3"]
    times: Float[np.ndarray, " T"]
    segments: tuple[Segment, ...] = ()
    split: str = ""
    kind: str = ""

    def __len__(self) -> int:
        return len(self.points)


@dataclass(frozen=True)
class Flaw:
    """Something wrong with a clip as it was found, and what was done about it."""

    clip: str
    what: str
    done: str

    def __str__(self) -> str:
        return f"{self.clip}: {self.what}; {self.done}"


@dataclass(frozen=True, eq=False)
class Dataset:
    """Clips of one skeleton. ``labels`` in the order of a classifier's answers; ``terms``: origin and licence."""

    skeleton: Skeleton
    labels: tuple[str, ...]
    clips: tuple[Clip, ...]
    terms: str = ""
    flaws: tuple[Flaw, ...] = ()

    def __len__(self) -> int:
        return len(self.clips)

    @property
    def subjects(self) -> tuple[str, ...]:
        """Everybody in it, each once, in order of appearance."""
        return tuple(dict.fromkeys(clip.subject for clip in self.clips))

    def taking(self, clips: Iterable[Clip]) -> "Dataset":
        """The same collection with these clips only; ``labels`` stay, so that classifiers of parts agree."""
        return replace(self, clips=tuple(clips))

    def showing(self, labels: Collection[str]) -> "Dataset":
        """Only these labels, in the order that they had, and only clips and segments that show one of them."""
        kept = (replace(c, segments=tuple(s for s in c.segments if s.label in labels)) for c in self.clips)
        known = tuple(label for label in self.labels if label in labels)
        return replace(self, labels=known, clips=tuple(clip for clip in kept if clip.segments))
