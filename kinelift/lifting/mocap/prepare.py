"""Folders of motion capture → one npz with the joints of every clip in world metres, on sound bodies."""

import csv
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from kinelift.lifting.mocap.audit import Row, audit
from kinelift.lifting.mocap.capture_files import Recorded, best, read
from kinelift.lifting.mocap.retarget import Calibration, retarget
from kinelift.lifting.synthesis.bank import FORMAT, MOCAP
from kinelift.poses.errors import DataError
from kinelift.poses.output import make_folder, replacing

RATE = 60.0
"""Frames a second that is aimed at: faster recordings are thinned by a whole factor."""
FASTEST = 18.0
"""Metres a second: a joint that moves faster is a break in the recording, and the clip is cut there."""
SHORTEST = 0.5
"""Seconds: shorter pieces are left out."""
UNFIT = {
    "60_salsa_06": "the head is upside down",
    "60_salsa_07": "the head is upside down",
    "test_washwindow_1": "a copy of a recording of test subject 14, without a subject",
}
"""Recordings that nobody should learn from or be measured on, by the name of their file, and why."""

Index = Mapping[tuple[str, int], str]
Piece = tuple[Recorded, Float[np.ndarray, "_ J 3"]]
"""A recording, and the joints of an uninterrupted part of it."""


@dataclass(frozen=True, eq=False)
class Clip:
    """One uninterrupted recording. ``points``: metres, at ``rate`` frames a second; as prepared in the world, Y up."""

    name: str
    subject: str
    action: str
    points: Float[np.ndarray, "T J 3"]
    rate: float


@dataclass(frozen=True)
class Summary:
    """What was prepared. ``cuts``: breaks by clip; ``left_out``: seconds in pieces too short to keep; ``replaced``: the
    better copy of each recording that has one; ``dropped``: why a recording was left out; ``before`` and ``after``: how
    human the bodies are, as recorded and as written.
    """

    clips: int
    subjects: int
    minutes: float
    cuts: Mapping[str, int]
    left_out: float
    replaced: Mapping[str, str]
    dropped: Mapping[str, str]
    before: Sequence[Row]
    after: Sequence[Row]

    def __str__(self) -> str:
        cut = f" Cut at breaks: {', '.join(f'{n} ({k})' for n, k in self.cuts.items())}." if self.cuts else ""
        short = f" Left out: {self.left_out:.1f} s in pieces under {SHORTEST} s." if self.left_out else ""
        copies = f" {len(self.replaced)} recordings are in a better copy." if self.replaced else ""
        gone = "".join(f" Dropped {name}: {reason}." for name, reason in self.dropped.items())
        return f"{self.clips} clips of {self.subjects} subjects, {self.minutes:.1f} minutes.{cut}{short}{copies}{gone}"


def prepare(folders: Sequence[Path], out: Path, index: Path | None = None, asf: Path | None = None) -> Summary:
    """Read every AMC and BVH under ``folders`` and write ``out``.

    Recordings that several files hold are taken from the best one (``capture_files.best``); those of ``UNFIT`` are
    dropped. ``index``: a CSV whose first three columns are subject, trial and description; clips that it does not list
    are described by their file name. ``asf``: the skeleton of AMC files without one. Raises ``DataError`` naming the
    first file that cannot be read, ``OutputError`` if ``out`` cannot be written.
    """
    if not folders:
        raise DataError("No folder of motion capture was named. Name at least one.")
    described = read_index(index) if index else {}
    found = [one for folder in folders for one in read(folder, asf)]
    dropped = {one.name: UNFIT[stem] for one in found if (stem := Path(one.name).name) in UNFIT}
    recordings, replaced = best([one for one in found if one.name not in dropped])
    pieces, cuts, left_out = _pieces(recordings)
    if not pieces:
        raise DataError(
            f"No motion capture under {', '.join(map(str, folders))}. Expected .amc files with an .asf, or .bvh files."
        )
    moved = _on_sound_bodies(pieces)
    clips = [_clip(one, points, described) for one, points in moved]
    write(out, clips)
    minutes = sum(len(c.points) / c.rate for c in clips) / 60
    subjects = len({c.subject for c in clips})
    rows = _audit(pieces), _audit(moved)
    return Summary(len(clips), subjects, minutes, cuts, left_out, replaced, dropped, *rows)


def read_index(path: Path) -> Index:
    """Descriptions by (subject, trial), both without leading zeros. Raises ``DataError``."""
    try:
        with path.open(newline="", encoding="utf-8", errors="replace") as file:
            rows = [row for row in csv.reader(file) if len(row) > 2 and row[0].strip().isdigit() and row[1].isdigit()]
    except OSError as error:
        raise DataError(f"Cannot read the index {path}: {error.strerror}.") from error
    if not rows:
        raise DataError(f"{path} lists no trials. Expected CSV rows: subject, trial, description.")
    return {(str(int(row[0])), int(row[1])): row[2].strip() for row in rows}


def whole_pieces(points: Float[np.ndarray, "T J 3"], rate: float) -> list[Float[np.ndarray, "_ J 3"]]:
    """The recording between its breaks."""
    step = np.linalg.norm(np.diff(points, axis=0), axis=-1).max(1, initial=0.0)
    return np.split(points, np.flatnonzero(~(step * rate <= FASTEST)) + 1)


def write(out: Path, clips: Sequence[Clip], joints: Sequence[str] = MOCAP.joints, **more: np.ndarray) -> None:
    """The npz of ``clips``, whose poses have ``joints``; ``more`` arrays are kept beside. Raises ``OutputError``."""
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


def _pieces(recordings: Sequence[Recorded]) -> tuple[list[Piece], Mapping[str, int], float]:
    """Uninterrupted pieces, the number of breaks by recording, and the seconds in pieces too short to keep."""
    kept: list[Piece] = []
    cuts, left_out = {}, 0.0
    for one in recordings:
        pieces = whole_pieces(one.points, one.rate)
        if len(pieces) > 1:
            cuts[one.name] = len(pieces) - 1
        for piece in pieces:
            if len(piece) >= SHORTEST * one.rate:
                kept.append((one, piece))
            else:
                left_out += len(piece) / one.rate
    return kept, cuts, left_out


def _on_sound_bodies(pieces: Sequence[Piece]) -> list[Piece]:
    """The same movement on sound bodies, each subject and session calibrated by all of its recordings."""
    people, sessions = defaultdict(list), defaultdict(list)
    for one, points in pieces:
        people[one.session, one.subject].append(points)
        sessions[one.session].append(points)
    known = {key: Calibration.of(clips, sessions[key[0]]) for key, clips in people.items()}
    return [(one, retarget(points, known[one.session, one.subject])) for one, points in pieces]


def _audit(pieces: Sequence[Piece]) -> list[Row]:
    people = defaultdict(list)
    for one, points in pieces:
        people[one.session, one.subject].append(points)
    return [audit(*key, clips) for key, clips in sorted(people.items())]


def _clip(one: Recorded, points: Float[np.ndarray, "T J 3"], described: Index) -> Clip:
    thin = max(1, round(one.rate / RATE))
    action = described.get(one.trial) if one.trial else None
    return Clip(one.name, one.subject, action or _words(one.name), points[::thin], one.rate / thin)


def _words(name: str) -> str:
    """``train_basketball_signal_2`` → ``basketball signal``; ``HDM_mm_squat1Reps_003_120`` → ``squat1Reps``."""
    stem = re.sub(r"^HDM_[a-z]{2}_", "", Path(name).name)
    return " ".join(w for w in stem.split("_") if not w.isdigit() and w not in ("train", "test")) or stem
