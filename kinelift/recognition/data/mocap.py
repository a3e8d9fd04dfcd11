"""Motion capture from ``kinelift lifting prepare``, labelled by rules, with lifted copies of the same motions."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, Shaped

from kinelift.poses import H36M17
from kinelift.poses.archive import read_all_arrays
from kinelift.poses.errors import DataError
from kinelift.recognition.data import cmu, hdm05, repair
from kinelift.recognition.data.clips import Clip, Dataset, Flaw, Segment
from kinelift.recognition.data.evidence import ObservedMotion
from kinelift.recognition.data.labels import LABELS, UNLABELLED, labels_of
from kinelift.recognition.windows import WindowPlan, resample

FORMAT = 3
RATE = 30.0
"""Frames per second at which rules examine a motion."""


@dataclass(frozen=True, eq=False)
class _Recording:
    """One row of a prepared file. ``source`` is the row of its original, which may be itself."""

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
    """Read labelled clips from a prepared file of the CMU database, of HDM05, or of both.

    Duplicates of a recording are left out. Clips whose description matches no rule have no segments. A label that one
    person alone shows is left out: nobody else could test it.

    Args:
        path: Written by ``kinelift lifting prepare``.
        lifted: Written by ``kinelift lifting relift`` from the same file. Its poses, turned to the world's axes as
            estimated, become clips of kind "lifted" with the segments of their originals, except those that begin
            after the last frame.

    Returns:
        Clips of h36m17 joints, in world metres with y up.

    Raises:
        DataError: A file is of another kind, or ``lifted`` was made from another file.
    """
    recordings = list(_recordings(path, "prepare FOLDER"))
    names = _unique_names(recording.name for recording in recordings)
    clips: dict[int, Clip] = {}
    lifted_clips: list[Clip] = []
    flaws = list(_flaws_of_pieces(recordings))
    for row, (name, recording) in enumerate(zip(names, recordings, strict=True)):
        if not len(recording.points):
            flaws.append(Flaw(name, "no frames", "left out"))
        elif cmu.is_duplicate(recording.name):
            flaws.append(Flaw(name, "duplicate of a recording of a numbered subject", "left out"))
        else:
            clips[row] = _clip(name, recording)
            if clips[row].subject != recording.subject:
                flaws.append(Flaw(name, "no subject recorded", f"counted as subject {clips[row].subject}"))
    labels, lacking = _shown_by_several(clips.values())
    flaws += lacking
    clips = {row: _with_labels(clip, labels) for row, clip in clips.items()}
    for lifted_clip, clip_flaws in _lifted_clips(lifted, path, recordings, clips) if lifted else ():
        lifted_clips.append(lifted_clip)
        flaws += clip_flaws
    from_hdm05 = {hdm05.holds(recording.name) for recording in recordings}
    terms = "".join(terms for terms, here in ((cmu.TERMS, False), (hdm05.TERMS, True)) if here in from_hdm05)
    return Dataset(H36M17, labels, (*clips.values(), *lifted_clips), terms, tuple(flaws))


def _shown_by_several(clips: Iterable[Clip]) -> tuple[tuple[str, ...], list[Flaw]]:
    """The labels that several subjects show, and a flaw for each that one shows."""
    shown: dict[str, set[str]] = {label: set() for label in LABELS}
    for clip in clips:
        for segment in clip.segments:
            shown[segment.label].add(clip.subject)
    lacking = [Flaw(f"label {label}", "shown by one subject", "left out") for label in LABELS if len(shown[label]) == 1]
    return tuple(label for label in LABELS if len(shown[label]) > 1), lacking


def _with_labels(clip: Clip, labels: Sequence[str]) -> Clip:
    return replace(clip, segments=tuple(segment for segment in clip.segments if segment.label in labels))


def _clip(name: str, recording: _Recording) -> Clip:
    resampled = resample(recording.points.astype(np.float64), recording.times, WindowPlan(rate=RATE))
    description = recording.action or recording.name.rsplit("/", 1)[-1]
    rules = hdm05.RULES if hdm05.holds(recording.name) else cmu.RULES
    labels = labels_of(description, ObservedMotion(resampled, RATE), rules)
    return Clip(
        name,
        cmu.subject_of(recording.name, recording.subject),
        recording.points,
        recording.times,
        tuple(_segments(labels)),
    )


def _segments(labels: Int[np.ndarray, " T"]) -> Iterator[Segment]:
    """Runs of one label. Each ends when the next frame begins."""
    bounds = np.flatnonzero(np.diff(labels, prepend=UNLABELLED - 1, append=UNLABELLED - 1))
    for first, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        if labels[first] != UNLABELLED:
            yield Segment(LABELS[labels[first]], first / RATE, end / RATE)


def _lifted_clips(
    path: Path, origin: Path, recordings: Sequence[_Recording], clips: Mapping[int, Clip]
) -> Iterator[tuple[Clip, tuple[Flaw, ...]]]:
    for recording in _recordings(path, f"relift {origin}"):
        if not recording.source < len(recordings) or recordings[recording.source].name != recording.name:
            raise DataError(
                f"{path}: {recording.name} was not made from {origin}. "
                f"Make the file again with: kinelift lifting relift {origin}"
            )
        if (clip := clips.get(recording.source)) and np.isfinite(recording.points).any():
            points, times, flaws = repair.clean(clip.name, recording.points, recording.times)
            filmed = tuple(segment for segment in clip.segments if segment.start <= times[-1])
            yield replace(clip, points=points, times=times, segments=filmed, kind="lifted"), flaws


def _recordings(path: Path, command: str) -> Iterator[_Recording]:
    """Rows of a file that ``kinelift lifting COMMAND`` wrote."""
    remedy = f"Make it with: kinelift lifting {command} -o {path}"
    try:
        data = _arrays(path)
        joints = list(data["joints"])
        points = data["points"][:, [joints.index(name) for name in H36M17.joints]]
        bounds, rates = data["offsets"].tolist(), data["rates"].tolist()
        columns = [data[name].tolist() for name in ("names", "subjects", "actions")]
        sources = data["sources"].tolist() if "sources" in data else range(len(rates))
        axes = data["axes"] if "axes" in data else np.broadcast_to(np.eye(3), (len(rates), 3, 3))
        if int(data["format"]) != FORMAT:
            raise DataError(f"{path} has motion-capture format {data['format']}; this version reads {FORMAT}. {remedy}")
        rows = list(zip(*columns, rates, sources, axes, bounds[:-1], bounds[1:], strict=True))
    except DataError:
        raise
    except Exception as error:  # damaged bytes can raise anything
        raise DataError(f"{path} is not prepared motion capture ({error}). {remedy}") from error
    for name, subject, action, rate, source, rotation, first, end in rows:
        yield _Recording(name, subject, action, points[first:end] @ rotation.T.astype(points.dtype), rate, source)


def _arrays(path: Path) -> dict[str, Shaped[np.ndarray, "..."]]:
    try:
        return read_all_arrays(path)
    except DataError as error:
        raise ValueError(str(error)) from error


def _flaws_of_pieces(recordings: Iterable[_Recording]) -> Iterator[Flaw]:
    for name, pieces in Counter(recording.name for recording in recordings).items():
        if pieces > 1:
            yield Flaw(name, f"broken into {pieces} pieces", "each counts as a clip")


def _unique_names(names: Iterable[str]) -> Iterator[str]:
    """The names, with a number appended from the second occurrence on."""
    counts: Counter[str] = Counter()
    for name in names:
        counts[name] += 1
        yield name if counts[name] == 1 else f"{name}-{counts[name]}"
