"""Windows of labelled clips: the examples that a classifier is trained and tested on."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from kinelift.poses.timeseries import interpolate
from kinelift.recognition.data.clips import Clip, Dataset
from kinelift.recognition.windows import WindowPlan, reflect, resample, starts

UNLABELLED = -1
Span = tuple[float, float, int]
"""First frame, last frame, label."""


@dataclass(frozen=True, eq=False)
class Corpus:
    """Labelled windows of a data set, one per row.

    Row w shows label ``labels[w]`` from frame ``spans[w, 0]`` to ``spans[w, 1]`` of ``motions[clip[w]]``.

    Attributes:
        dataset: The clips.
        plan: How they are cut into windows.
        motions: Each clip of ``dataset``, resampled at the rate of ``plan``.
        clip: Clip of every row.
        spans: First and last frame of every row.
        labels: Label of every row.
        incomplete: Number of windows left out because a joint is not seen for longer than ``plan.gap``.
    """

    dataset: Dataset
    plan: WindowPlan
    motions: tuple[Float[np.ndarray, "_ J 3"], ...]
    clip: Int[np.ndarray, " W"]
    spans: Float[np.ndarray, "W 2"]
    labels: Int[np.ndarray, " W"]
    incomplete: int = 0

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the numbers in ``labels``."""
        return self.dataset.labels

    @property
    def clips(self) -> tuple[Clip, ...]:
        """Clip of every row."""
        return tuple(self.dataset.clips[c] for c in self.clip)

    @property
    def subjects(self) -> tuple[str, ...]:
        """Subject of every row."""
        return tuple(clip.subject for clip in self.clips)

    def only(self, keep: Bool[np.ndarray, " W"]) -> "Corpus":
        """The rows where ``keep`` is true."""
        return replace(self, clip=self.clip[keep], spans=self.spans[keep], labels=self.labels[keep])

    def of_subjects(self, subjects: Collection[str]) -> Bool[np.ndarray, " W"]:
        """Mask of the rows of these subjects."""
        return np.array([subject in subjects for subject in self.subjects], bool)

    def of_kind(self, kind: str) -> Bool[np.ndarray, " W"]:
        """Mask of the rows of clips of this kind."""
        return np.array([clip.kind == kind for clip in self.clips], bool)

    def part(self, start: float, end: float) -> "Corpus":
        """The same rows, limited to the share of their time from ``start`` to ``end`` (0–1)."""
        first, length = self.spans[:, :1], np.diff(self.spans, axis=1)
        return replace(self, spans=first + length * np.array([start, end]))

    def windows(self) -> Float[np.ndarray, "W T J 3"]:
        """Poses of every row as recorded."""
        first, last = self.spans[:, :1], self.spans[:, 1:]
        return self.poses_at(np.arange(len(self)), first + (last - first) * np.linspace(0, 1, self.plan.frames))

    def poses_at(self, rows: Int[np.ndarray, " B"], frames: Float[np.ndarray, "B T"]) -> Float[np.ndarray, "B T J 3"]:
        """Poses at fractional frame numbers.

        Beyond both ends, a motion is played backwards and forwards in turn, see ``windows.reflect``.

        Args:
            rows: Rows of the corpus.
            frames: Frame numbers in the motion of each row.
        """
        poses = np.empty((*frames.shape, len(self.dataset.skeleton), 3))
        for b, (row, positions) in enumerate(zip(rows, frames, strict=True)):
            motion = self.motions[self.clip[row]]
            poses[b] = interpolate(motion, reflect(positions, len(motion) - 1))
        return poses


def corpus_of(dataset: Dataset, plan: WindowPlan) -> Corpus:
    """All labelled windows of a data set: one every ``plan.stride`` seconds, or one for each segment."""
    motions = tuple(resample(clip.points, clip.times, plan) for clip in dataset.clips)
    rows: list[tuple[int, float, float, int]] = []
    incomplete = 0
    cut = _whole_segments if plan.seconds is None else _sliding_windows
    for index, (clip, motion) in enumerate(zip(dataset.clips, motions, strict=True)):
        for first, last, label in cut(clip, len(motion), dataset.labels, plan):
            if np.isfinite(motion[int(first) : int(np.ceil(last)) + 1]).all():
                rows.append((index, first, last, label))
            else:
                incomplete += 1
    table = np.array(rows, dtype=float).reshape(-1, 4)
    return Corpus(dataset, plan, motions, table[:, 0].astype(int), table[:, 1:3], table[:, 3].astype(int), incomplete)


def window_label(labels: Int[np.ndarray, " T"], share: float = 0.6) -> int:
    """The label of at least ``share`` of a window's middle half, or else ``UNLABELLED``."""
    quarter = len(labels) // 4
    counts = np.bincount(labels[quarter : len(labels) - quarter] + 1)
    best = int(counts.argmax())
    return best - 1 if counts[best] >= share * counts.sum() else UNLABELLED


def _whole_segments(clip: Clip, frames: int, names: tuple[str, ...], plan: WindowPlan) -> Iterator[Span]:
    """Every segment, clipped to the frames of the clip."""
    for segment in clip.segments:
        ends = (np.array([segment.start, segment.end]) - clip.times[0]) * plan.rate
        first, last = np.clip(ends, 0, frames - 1)
        yield float(first), float(last), names.index(segment.label)


def _sliding_windows(clip: Clip, frames: int, names: tuple[str, ...], plan: WindowPlan) -> Iterator[Span]:
    """Windows of equal length with one label for most of their middle."""
    labels = _frame_labels(clip, frames, names, plan.rate)
    for first in starts(frames, plan).tolist():
        label = window_label(labels[first : first + plan.frames])
        if label != UNLABELLED:
            yield first, first + plan.frames - 1, label


def _frame_labels(clip: Clip, frames: int, names: tuple[str, ...], rate: float) -> Int[np.ndarray, " N"]:
    """The label of every frame. Where segments overlap, the first in the list counts."""
    times = clip.times[0] + np.arange(frames) / rate
    labels = np.full(frames, UNLABELLED)
    for segment in reversed(clip.segments):
        labels[(times >= segment.start) & (times < segment.end)] = names.index(segment.label)
    return labels
