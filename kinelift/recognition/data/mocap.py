"""Motion capture as ``kinelift lifting prepare`` writes it, labelled by rules, and the same motions lifted again."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from kinelift.poses import H36M17
from kinelift.poses.errors import DataError
from kinelift.recognition.data import cmu, repair
from kinelift.recognition.data.clips import Clip, Dataset, Flaw, Segment
from kinelift.recognition.data.evidence import ObservedMotion
from kinelift.recognition.data.labels import LABELS, UNLABELLED, labels_of
from kinelift.recognition.windows import WindowPlan, resample

FORMAT = 2
RATE = 30.0
"""Frames a second at which rules look at a motion."""


@dataclass(frozen=True, eq=False)
class _Recording:
    """One row of a prepared file; ``source``: the row of the recording that it was made from, its own if none."""

    name: str
    subject: str
    action: str
    points: Float[np.ndarray, "T J 3"]
    rate: float
    source: int

    @property
    def times(self) -> Float[np.ndarray, " T"]:
        """Seconds from the start."""
        return np.arange(len(self.points)) / self.rate


def read(path: Path, lifted: Path | None = None) -> Dataset:
    """Labelled clips of h36m17 joints in world metres, y up, from a prepared file of the CMU database.

    Second copies of a recording are left out, and clips whose description no rule reads have no segments.
    ``lifted``: what ``kinelift lifting relift`` made of the same file; its poses (camera axes, relative to the hip)
    become further clips of kind "lifted", with the segments of the clip that they were made from.
    Raises ``DataError`` for files of another kind, and for lifted poses of another file.
    """
    recordings = list(_recordings(path, "prepare FOLDER"))
    names = _distinct(one.name for one in recordings)
    clips: dict[int, Clip] = {}
    copies: list[Clip] = []
    flaws = list(_broken(recordings))
    for row, (name, one) in enumerate(zip(names, recordings, strict=True)):
        if not len(one.points):
            flaws.append(Flaw(name, "no frames", "left out"))
        elif cmu.repeated(one.name):
            flaws.append(Flaw(name, "a second copy of a recording of a numbered subject", "left out"))
        else:
            clips[row] = _clip(name, one)
            if clips[row].subject != one.subject:
                flaws.append(Flaw(name, "no subject recorded", f"taken to be of subject {clips[row].subject}"))
    for copy, found in _copies(lifted, path, recordings, clips) if lifted else ():
        copies.append(copy)
        flaws += found
    return Dataset(H36M17, LABELS, (*clips.values(), *copies), cmu.TERMS, tuple(flaws))


def _clip(name: str, one: _Recording) -> Clip:
    even = resample(one.points.astype(np.float64), one.times, WindowPlan(rate=RATE))
    description = one.action or one.name.rsplit("/", 1)[-1]
    labels = labels_of(description, ObservedMotion(even, RATE), cmu.RULES)
    return Clip(name, cmu.subject_of(one.name, one.subject), one.points, one.times, tuple(_segments(labels)))


def _segments(labels: Int[np.ndarray, " T"]) -> Iterator[Segment]:
    """Runs of one label; each ends when the frame after it begins."""
    bounds = np.flatnonzero(np.diff(labels, prepend=UNLABELLED - 1, append=UNLABELLED - 1))
    for first, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        if labels[first] != UNLABELLED:
            yield Segment(LABELS[labels[first]], first / RATE, end / RATE)


def _copies(
    path: Path, origin: Path, recordings: Sequence[_Recording], clips: Mapping[int, Clip]
) -> Iterator[tuple[Clip, tuple[Flaw, ...]]]:
    for one in _recordings(path, f"relift {origin}"):
        if not one.source < len(recordings) or recordings[one.source].name != one.name:
            raise DataError(
                f"{path}: {one.name} was not made from {origin}. Make the file with: kinelift lifting relift {origin}"
            )
        if (clip := clips.get(one.source)) and np.isfinite(one.points).any():
            points, times, flaws = repair.clean(clip.name, one.points, one.times)
            yield replace(clip, points=points, times=times, kind="lifted"), flaws


def _recordings(path: Path, command: str) -> Iterator[_Recording]:
    """The rows of a file that ``kinelift lifting`` wrote with ``command``."""
    remedy = f"Make it with: kinelift lifting {command} -o {path}"
    try:
        with np.load(path, allow_pickle=False) as file:
            data = {name: file[name] for name in file.files}
        joints = list(data["joints"])
        points = data["points"][:, [joints.index(name) for name in H36M17.joints]]
        bounds, rates = data["offsets"].tolist(), data["rates"].tolist()
        columns = [data[name].tolist() for name in ("names", "subjects", "actions")]
        sources = data["sources"].tolist() if "sources" in data else range(len(rates))
        if int(data["format"]) != FORMAT:
            raise DataError(f"{path} has motion-capture format {data['format']}; this version reads {FORMAT}. {remedy}")
        rows = list(zip(*columns, rates, sources, bounds[:-1], bounds[1:], strict=True))
    except DataError:
        raise
    except Exception as error:  # damaged bytes can raise anything
        raise DataError(f"{path} is not prepared motion capture ({error}). {remedy}") from error
    for name, subject, action, rate, source, first, end in rows:
        yield _Recording(name, subject, action, points[first:end], rate, source)


def _broken(recordings: Iterable[_Recording]) -> Iterator[Flaw]:
    for name, pieces in Counter(one.name for one in recordings).items():
        if pieces > 1:
            yield Flaw(name, f"broken into {pieces} pieces", "each is a clip of its own")


def _distinct(names: Iterable[str]) -> Iterator[str]:
    """The names, numbered from the second of each on."""
    met: Counter[str] = Counter()
    for name in names:
        met[name] += 1
        yield name if met[name] == 1 else f"{name}-{met[name]}"
