"""Labelled motion capture: clips at one frame rate, and the windows of them that show a known action."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int

from poses import H36M17, Poses3D
from poses.errors import DataError
from recognition import cmu
from recognition.evidence import Motion
from recognition.labels import LABELS, UNLABELLED, labels_of
from recognition.windows import WindowPlan, fold, resample, starts

FORMAT = 1


@dataclass(frozen=True, eq=False)
class Clip:
    """One recording: h36m17 joints in world metres (y up) at the plan's rate, and a label index a frame."""

    name: str
    subject: str
    description: str
    points: Float[np.ndarray, "N 17 3"]
    labels: Int[np.ndarray, " N"]

    def __len__(self) -> int:
        return len(self.points)


@dataclass(frozen=True, eq=False)
class Corpus:
    """Clips and their labelled windows: row w is ``labels[w]`` from frame ``first[w]`` of clip ``clip[w]`` on."""

    clips: tuple[Clip, ...]
    plan: WindowPlan
    clip: Int[np.ndarray, " W"]
    first: Int[np.ndarray, " W"]
    labels: Int[np.ndarray, " W"]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def subjects(self) -> tuple[str, ...]:
        """The subject of every window."""
        return tuple(self.clips[c].subject for c in self.clip)

    def only(self, keep: Bool[np.ndarray, " W"]) -> "Corpus":
        """The windows that ``keep`` marks."""
        return replace(self, clip=self.clip[keep], first=self.first[keep], labels=self.labels[keep])

    def by(self, subjects: Collection[str]) -> Bool[np.ndarray, " W"]:
        """Which windows are of one of ``subjects``."""
        return np.array([self.clips[c].subject in subjects for c in self.clip], bool)

    def windows(self) -> Float[np.ndarray, "W T 17 3"]:
        """Every window as it was recorded."""
        places = self.first[:, None] + np.arange(self.plan.frames)
        return self.at(np.arange(len(self)), places.astype(float))

    def at(self, rows: Int[np.ndarray, " B"], places: Float[np.ndarray, "B T"]) -> Float[np.ndarray, "B T 17 3"]:
        """Poses at fractional frame numbers of the clips that ``rows`` are cut from.

        A clip is continued beyond both ends by playing it backwards and forwards in turn (``windows.fold``).
        """
        out = np.empty((*places.shape, len(H36M17), 3))
        for b, (row, wanted) in enumerate(zip(rows, places, strict=True)):
            points = self.clips[self.clip[row]].points
            out[b] = _between(points, fold(wanted, len(points) - 1))
        return out


def corpus_of(clips: Iterable[Clip], plan: WindowPlan) -> Corpus:
    """All labelled windows of ``clips``, one every ``plan.stride`` seconds."""
    clips = tuple(clips)
    found = [
        (index, first, label)
        for index, clip in enumerate(clips)
        for first in starts(len(clip), plan)
        if (label := window_label(clip.labels[first : first + plan.frames])) != UNLABELLED
    ]
    rows = np.array(found, dtype=int).reshape(-1, 3)
    return Corpus(clips, plan, rows[:, 0], rows[:, 1], rows[:, 2])


def window_label(labels: Int[np.ndarray, " T"], share: float = 0.6) -> int:
    """The label that holds for at least ``share`` of a window's middle half, else ``UNLABELLED``."""
    quarter = len(labels) // 4
    counts = np.bincount(labels[quarter : len(labels) - quarter] + 1, minlength=len(LABELS) + 1)
    best = int(counts.argmax())
    return best - 1 if counts[best] >= share * counts.sum() else UNLABELLED


def read_corpus(path: Path, plan: WindowPlan) -> Corpus:
    """Read what ``python -m lifting prepare`` wrote. Raises ``DataError`` for a file of another kind."""
    return corpus_of(_clips(path, plan), plan)


def _clips(path: Path, plan: WindowPlan) -> Iterable[Clip]:
    try:
        with np.load(path, allow_pickle=False) as file:
            data = {name: file[name] for name in file.files}
        joints = list(data["joints"])
        keep = [joints.index(name) for name in H36M17.joints]
        columns = zip(data["names"], data["subjects"], data["actions"], data["rates"], strict=True)
        bounds = data["offsets"]
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise DataError(
            f"{path} is not prepared motion capture ({error}). Make it with: python -m lifting prepare FOLDER -o FILE"
        ) from error
    if int(data.get("format", 0)) != FORMAT:
        raise DataError(f"{path} has motion-capture format {data.get('format')}; this version reads {FORMAT}.")
    for k, (name, subject, action, rate) in enumerate(columns):
        points = data["points"][bounds[k] : bounds[k + 1], keep].astype(np.float64)
        if len(points) and not cmu.repeated(str(name)):
            yield _clip(str(name), str(subject), str(action), points, float(rate), plan)


def _clip(
    name: str, subject: str, action: str, points: Float[np.ndarray, "T 17 3"], rate: float, plan: WindowPlan
) -> Clip:
    even = resample(Poses3D(points, np.arange(len(points)) / rate), plan)
    description = action or name.rsplit("/", 1)[-1]
    labels = labels_of(description, Motion(even, plan.rate), cmu.RULES)
    return Clip(name, cmu.subject_of(name, subject), description, even, labels)


def _between(points: Float[np.ndarray, "N 17 3"], places: Float[np.ndarray, " T"]) -> Float[np.ndarray, "T 17 3"]:
    before = np.floor(places).astype(int)
    after = np.minimum(before + 1, len(points) - 1)
    share = (places - before)[:, None, None]
    return (1 - share) * points[before] + share * points[after]
