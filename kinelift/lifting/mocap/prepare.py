"""Prepares folders of motion capture for training: one npz of clips in world metres, retargeted to a typical body."""

import csv
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from kinelift.lifting.mocap.audit import SubjectAudit, audit
from kinelift.lifting.mocap.capture_files import Capture, deduplicate, read
from kinelift.lifting.mocap.retarget import Calibration, retarget
from kinelift.lifting.synthesis.bank import FORMAT, MOCAP
from kinelift.poses.errors import DataError
from kinelift.poses.output import make_folder, replacing

RATE = 60.0
"""Target frames per second. Faster recordings are decimated by an integer factor."""
MAX_SPEED = 18.0
"""Metres per second. The recording is cut where a joint moves faster."""
MIN_DURATION = 0.5
"""Seconds. Shorter segments are left out."""
EXCLUDED = {
    "60_salsa_06": "the head is upside down",
    "60_salsa_07": "the head is upside down",
    "test_washwindow_1": "a copy of a recording of test subject 14, without a subject",
}
"""Recordings unfit for training and evaluation, by the name of their file, with the reason."""

Index = Mapping[tuple[str, int], str]
Segment = tuple[Capture, Float[np.ndarray, "_ J 3"]]
"""A recording, and the joints of an uninterrupted part of it."""


@dataclass(frozen=True, eq=False)
class Clip:
    """One uninterrupted recording. ``points`` are in metres; in prepared files they are in world axes, Y up."""

    name: str
    subject: str
    action: str
    points: Float[np.ndarray, "T J 3"]
    rate: float


@dataclass(frozen=True)
class Summary:
    """What was prepared.

    Attributes:
        clips: Number of clips.
        subjects: Number of subjects.
        minutes: Total duration.
        cuts: Number of cuts by recording.
        left_out: Seconds in segments that are too short.
        replaced: The better copy of each recording that has one.
        dropped: Recordings left out, with the reason.
        before: Plausibility of the bodies as recorded.
        after: Plausibility of the bodies as written.
    """

    clips: int
    subjects: int
    minutes: float
    cuts: Mapping[str, int]
    left_out: float
    replaced: Mapping[str, str]
    dropped: Mapping[str, str]
    before: Sequence[SubjectAudit]
    after: Sequence[SubjectAudit]

    def __str__(self) -> str:
        cut = f" Cut at jumps: {', '.join(f'{n} ({k})' for n, k in self.cuts.items())}." if self.cuts else ""
        short = f" Left out: {self.left_out:.1f} s in segments shorter than {MIN_DURATION} s." if self.left_out else ""
        copies = f" {len(self.replaced)} recordings have a better copy." if self.replaced else ""
        gone = "".join(f" Dropped {name}: {reason}." for name, reason in self.dropped.items())
        return f"{self.clips} clips of {self.subjects} subjects, {self.minutes:.1f} minutes.{cut}{short}{copies}{gone}"


def prepare(folders: Sequence[Path], out: Path, index: Path | None = None, asf: Path | None = None) -> Summary:
    """Read every AMC and BVH file under ``folders``, retarget them, and write ``out``.

    Of recordings in several files, the best copy is used (``capture_files.deduplicate``). Those in ``EXCLUDED`` are
    left out.

    Args:
        folders: Folders to search.
        out: The npz file to write.
        index: A CSV file whose first three columns are subject, trial and description. Clips that are not in it are
            described by their file name.
        asf: Skeleton of AMC files that have none of their own.

    Raises:
        DataError: A file cannot be read; the message names the first one.
        OutputError: ``out`` cannot be written.
    """
    if not folders:
        raise DataError("No folder of motion capture was given. Name at least one.")
    descriptions = read_index(index) if index else {}
    captures = [one for folder in folders for one in read(folder, asf)]
    dropped = {one.name: EXCLUDED[stem] for one in captures if (stem := Path(one.name).name) in EXCLUDED}
    recordings, replaced = deduplicate([one for one in captures if one.name not in dropped])
    segments, cuts, left_out = _segments(recordings)
    if not segments:
        raise DataError(
            f"No motion capture under {', '.join(map(str, folders))}. Expected .amc files with an .asf, or .bvh files."
        )
    retargeted = _retarget_all(segments)
    clips = [_clip(one, points, descriptions) for one, points in retargeted]
    write(out, clips)
    minutes = sum(len(c.points) / c.rate for c in clips) / 60
    subjects = len({c.subject for c in clips})
    rows = _audit(segments), _audit(retargeted)
    return Summary(len(clips), subjects, minutes, cuts, left_out, replaced, dropped, *rows)


def read_index(path: Path) -> Index:
    """Read the descriptions of trials.

    Returns:
        Descriptions by (subject, trial), the subject without leading zeros.

    Raises:
        DataError: The file cannot be read, or lists no trials.
    """
    try:
        with path.open(newline="", encoding="utf-8", errors="replace") as file:
            rows = [row for row in csv.reader(file) if len(row) > 2 and row[0].strip().isdigit() and row[1].isdigit()]
    except OSError as error:
        raise DataError(f"Cannot read the index {path}: {error.strerror}.") from error
    if not rows:
        raise DataError(f"{path} lists no trials. Expected CSV rows: subject, trial, description.")
    return {(str(int(row[0])), int(row[1])): row[2].strip() for row in rows}


def split_at_jumps(points: Float[np.ndarray, "T J 3"], rate: float) -> list[Float[np.ndarray, "_ J 3"]]:
    """Split a recording where joints move faster than ``MAX_SPEED``."""
    step = np.linalg.norm(np.diff(points, axis=0), axis=-1).max(1, initial=0.0)
    return np.split(points, np.flatnonzero(~(step * rate <= MAX_SPEED)) + 1)


def write(out: Path, clips: Sequence[Clip], joints: Sequence[str] = MOCAP.joints, **more: np.ndarray) -> None:
    """Write clips to an npz file.

    Args:
        out: The file to write.
        clips: The clips.
        joints: Names of their joints.
        **more: Further arrays to store.

    Raises:
        OutputError: The file cannot be written.
    """
    arrays: dict[str, Any] = {
        "format": np.array(FORMAT),
        "joints": np.array(joints),
        "points": np.concatenate([c.points for c in clips]).astype(np.float32),
        "offsets": np.cumsum([0, *(len(c.points) for c in clips)]),
        "rates": np.array([c.rate for c in clips]),
        "names": np.array([c.name for c in clips]),
        "subjects": np.array([c.subject for c in clips]),
        "actions": np.array([c.action for c in clips]),
        **more,
    }
    make_folder(out.parent)
    with replacing(out) as part, part.open("wb") as file:
        np.savez(file, **arrays)


def _segments(recordings: Sequence[Capture]) -> tuple[list[Segment], Mapping[str, int], float]:
    """Cut recordings into segments. Also count the cuts by recording, and the seconds in segments too short."""
    segments: list[Segment] = []
    cuts, left_out = {}, 0.0
    for one in recordings:
        parts = split_at_jumps(one.points, one.rate)
        if len(parts) > 1:
            cuts[one.name] = len(parts) - 1
        for part in parts:
            if len(part) >= MIN_DURATION * one.rate:
                segments.append((one, part))
            else:
                left_out += len(part) / one.rate
    return segments, cuts, left_out


def _retarget_all(segments: Sequence[Segment]) -> list[Segment]:
    """Retarget every segment, with a calibration from all recordings of its subject and session."""
    people, sessions = defaultdict(list), defaultdict(list)
    for one, points in segments:
        people[one.session, one.subject].append(points)
        sessions[one.session].append(points)
    calibrations = {key: Calibration.of(clips, sessions[key[0]]) for key, clips in people.items()}
    return [(one, retarget(points, calibrations[one.session, one.subject])) for one, points in segments]


def _audit(segments: Sequence[Segment]) -> list[SubjectAudit]:
    people = defaultdict(list)
    for one, points in segments:
        people[one.session, one.subject].append(points)
    return [audit(*key, clips) for key, clips in sorted(people.items())]


def _clip(one: Capture, points: Float[np.ndarray, "T J 3"], descriptions: Index) -> Clip:
    step = max(1, round(one.rate / RATE))
    action = descriptions.get(one.trial) if one.trial else None
    return Clip(one.name, one.subject, action or _words(one.name), points[::step], one.rate / step)


def _words(name: str) -> str:
    """``train_basketball_signal_2`` → ``basketball signal``; ``HDM_mm_squat1Reps_003_120`` → ``squat1Reps``."""
    stem = re.sub(r"^HDM_[a-z]{2}_", "", Path(name).name)
    return " ".join(w for w in stem.split("_") if not w.isdigit() and w not in ("train", "test")) or stem
