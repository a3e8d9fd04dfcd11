"""Windows of labelled clips: the rows that a classifier learns from and is judged on."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from kinelift.poses.timeseries import interpolate
from kinelift.recognition.data.clips import Clip, Dataset
from kinelift.recognition.windows import WindowPlan, fold, resample, starts

UNLABELLED = -1
Span = tuple[float, float, int]
"""First and last frame, label."""


@dataclass(frozen=True, eq=False)
class Corpus:
    """Row w shows label ``labels[w]`` from frame ``spans[w, 0]`` to ``spans[w, 1]`` of ``motions[clip[w]]``.

    ``motions`` are the clips of ``dataset`` at the rate of ``plan``. ``unseen`` counts windows that were left out
    because a joint stays out of sight for longer than ``plan.gap``.
    """

    dataset: Dataset
    plan: WindowPlan
    motions: tuple[Float[np.ndarray, "_ J 3"], ...]
    clip: Int[np.ndarray, " W"]
    spans: Float[np.ndarray, "W 2"]
    labels: Int[np.ndarray, " W"]
    unseen: int = 0

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def names(self) -> tuple[str, ...]:
        """What the numbers in ``labels`` mean."""
        return self.dataset.labels

    @property
    def clips(self) -> tuple[Clip, ...]:
        """The clip of every row."""
        return tuple(self.dataset.clips[c] for c in self.clip)

    @property
    def subjects(self) -> tuple[str, ...]:
        """The subject of every row."""
        return tuple(clip.subject for clip in self.clips)

    def only(self, keep: Bool[np.ndarray, " W"]) -> "Corpus":
        """The rows that ``keep`` marks."""
        return replace(self, clip=self.clip[keep], spans=self.spans[keep], labels=self.labels[keep])

    def by(self, subjects: Collection[str]) -> Bool[np.ndarray, " W"]:
        """Which rows are of one of ``subjects``."""
        return np.array([subject in subjects for subject in self.subjects], bool)

    def of(self, kind: str) -> Bool[np.ndarray, " W"]:
        """Which rows are of clips of this kind."""
        return np.array([clip.kind == kind for clip in self.clips], bool)

    def part(self, start: float, end: float) -> "Corpus":
        """The same rows, from the share ``start`` to the share ``end`` (0–1) of their time only."""
        first, length = self.spans[:, :1], np.diff(self.spans, axis=1)
        return replace(self, spans=first + length * np.array([start, end]))

    def windows(self) -> Float[np.ndarray, "W T J 3"]:
        """Every row as it was recorded."""
        first, last = self.spans[:, :1], self.spans[:, 1:]
        return self.at(np.arange(len(self)), first + (last - first) * np.linspace(0, 1, self.plan.frames))

    def at(self, rows: Int[np.ndarray, " B"], places: Float[np.ndarray, "B T"]) -> Float[np.ndarray, "B T J 3"]:
        """Poses at fractional frame numbers of the motions that ``rows`` are cut from.

        A motion is continued beyond both ends by playing it backwards and forwards in turn (``windows.fold``).
        """
        out = np.empty((*places.shape, len(self.dataset.skeleton), 3))
        for b, (row, wanted) in enumerate(zip(rows, places, strict=True)):
            motion = self.motions[self.clip[row]]
            out[b] = interpolate(motion, fold(wanted, len(motion) - 1))
        return out


def corpus_of(dataset: Dataset, plan: WindowPlan) -> Corpus:
    """All labelled windows of ``dataset``: one every ``plan.stride`` seconds, or one a segment."""
    motions = tuple(resample(clip.points, clip.times, plan) for clip in dataset.clips)
    rows: list[tuple[int, float, float, int]] = []
    unseen = 0
    cut = _whole if plan.seconds is None else _sliding
    for index, (clip, motion) in enumerate(zip(dataset.clips, motions, strict=True)):
        for first, last, label in cut(clip, len(motion), dataset.labels, plan):
            if np.isfinite(motion[int(first) : int(np.ceil(last)) + 1]).all():
                rows.append((index, first, last, label))
            else:
                unseen += 1
    table = np.array(rows, dtype=float).reshape(-1, 4)
    return Corpus(dataset, plan, motions, table[:, 0].astype(int), table[:, 1:3], table[:, 3].astype(int), unseen)


def window_label(labels: Int[np.ndarray, " T"], share: float = 0.6) -> int:
    """The label that holds for at least ``share`` of a window's middle half, else ``UNLABELLED``."""
    quarter = len(labels) // 4
    counts = np.bincount(labels[quarter : len(labels) - quarter] + 1)
    best = int(counts.argmax())
    return best - 1 if counts[best] >= share * counts.sum() else UNLABELLED


def _whole(clip: Clip, frames: int, names: tuple[str, ...], plan: WindowPlan) -> Iterator[Span]:
    """Every segment, as far as it lies inside the clip."""
    for segment in clip.segments:
        ends = (np.array([segment.start, segment.end]) - clip.times[0]) * plan.rate
        first, last = np.clip(ends, 0, frames - 1)
        yield float(first), float(last), names.index(segment.label)


def _sliding(clip: Clip, frames: int, names: tuple[str, ...], plan: WindowPlan) -> Iterator[Span]:
    """Windows of equal length, where one label holds for most of the middle."""
    labels = _frame_labels(clip, frames, names, plan.rate)
    for first in starts(frames, plan).tolist():
        label = window_label(labels[first : first + plan.frames])
        if label != UNLABELLED:
            yield first, first + plan.frames - 1, label


def _frame_labels(clip: Clip, frames: int, names: tuple[str, ...], rate: float) -> Int[np.ndarray, " N"]:
    """The label of every frame; where segments overlap, that of the earliest in the list."""
    times = clip.times[0] + np.arange(frames) / rate
    labels = np.full(frames, UNLABELLED)
    for segment in reversed(clip.segments):
        labels[(times >= segment.start) & (times < segment.end)] = names.index(segment.label)
    return labels
