"""Clips of 3D motion with labelled segments: the data that classifiers are trained and tested on."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from math import inf

import numpy as np
from jaxtyping import Float

from kinelift.poses import Skeleton

OTHER = "other"
"""The label of motions that are none of the actions. A classifier reports them as unknown."""


@dataclass(frozen=True)
class Segment:
    """``label`` holds from ``start`` to ``end``, in seconds on the clip's clock; by default, for the whole clip."""

    label: str
    start: float = -inf
    end: float = inf


@dataclass(frozen=True, eq=False)
class Clip:
    """One recording of one motion.

    Attributes:
        name: What the clip is called.
        subject: Whoever must not be on both sides of a split.
        points: Metres, in any right-handed axes; NaN = not seen.
        times: Seconds, increasing.
        segments: The labelled parts.
        split: The side or fold that the data set's own protocol assigns to the clip, "" if there is none.
        kind: How the poses were obtained: "" = as recorded, "lifted" = by a 2D-to-3D lifter. A lifted copy has the
            name and subject of its original.
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
    """A fault of a clip, and what was done about it."""

    clip: str
    what: str
    done: str

    def __str__(self) -> str:
        return f"{self.clip}: {self.what}; {self.done}"


@dataclass(frozen=True, eq=False)
class Dataset:
    """Clips of one skeleton.

    Attributes:
        skeleton: Names the joints of every clip.
        labels: In the order of a classifier's outputs.
        clips: The clips.
        terms: Origin and licence.
        flaws: Faults of the clips.
    """

    skeleton: Skeleton
    labels: tuple[str, ...]
    clips: tuple[Clip, ...]
    terms: str = ""
    flaws: tuple[Flaw, ...] = ()

    def __len__(self) -> int:
        return len(self.clips)

    @property
    def subjects(self) -> tuple[str, ...]:
        """Every subject once, in order of appearance."""
        return tuple(dict.fromkeys(clip.subject for clip in self.clips))

    def with_clips(self, clips: Iterable[Clip]) -> "Dataset":
        """The data set with these clips only. ``labels`` stay, so that classifiers of parts have the same outputs."""
        return replace(self, clips=tuple(clips))

    def with_labels(self, labels: Collection[str]) -> "Dataset":
        """The data set with these labels only, in their previous order, and the clips and segments that show them."""
        reduced = (replace(c, segments=tuple(s for s in c.segments if s.label in labels)) for c in self.clips)
        remaining = tuple(label for label in self.labels if label in labels)
        return replace(self, labels=remaining, clips=tuple(clip for clip in reduced if clip.segments))
