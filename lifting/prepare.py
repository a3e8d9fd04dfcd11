"""Folders of motion capture → one npz with the joints of every clip in world metres."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from lifting.mocap import acclaim, bvh, layouts
from lifting.synthesis.bank import JOINTS
from poses.errors import DataError
from poses.output import make_folder, replacing

FORMAT = 1
RATE = 60.0
"""Frames a second that is aimed at: faster recordings are thinned by a whole factor."""
LEAD_IN = 2
"""Frames at the start of every BVH clip that are not motion: an added T-pose and the step out of it."""
FASTEST = 18.0
"""Metres a second: a joint that moves faster is a break in the recording, and the clip is cut there."""
SHORTEST = 0.5
"""Seconds: shorter pieces are left out."""

Index = Mapping[tuple[str, int], str]


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
    """What was prepared. ``cuts``: breaks by clip; ``left_out``: seconds in pieces too short to keep."""

    clips: int
    subjects: int
    minutes: float
    cuts: Mapping[str, int]
    left_out: float

    def __str__(self) -> str:
        cut = f" Cut at breaks: {', '.join(f'{n} ({k})' for n, k in self.cuts.items())}." if self.cuts else ""
        short = f" Left out: {self.left_out:.1f} s in pieces under {SHORTEST} s." if self.left_out else ""
        return f"{self.clips} clips of {self.subjects} subjects, {self.minutes:.1f} minutes.{cut}{short}"


def prepare(folder: Path, out: Path, index: Path | None = None) -> Summary:
    """Read every AMC and BVH under ``folder`` and write ``out``.

    ``index``: a CSV whose first three columns are subject, trial and description; clips that it does not list are
    described by their file name. Raises ``DataError`` naming the first file that cannot be read, ``OutputError`` if
    ``out`` cannot be written.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder. Name the folder that holds the motion capture.")
    described = read_index(index) if index else {}
    clips: list[Clip] = []
    cuts, left_out = {}, 0.0
    for clip in _clips(folder, described):
        pieces = whole_pieces(clip.points, clip.rate)
        if len(pieces) > 1:
            cuts[clip.name] = len(pieces) - 1
        for piece in pieces:
            if len(piece) >= SHORTEST * clip.rate:
                clips.append(replace(clip, points=piece))
            else:
                left_out += len(piece) / clip.rate
    if not clips:
        raise DataError(f"No motion capture under {folder}. Expected .amc files beside their .asf, or .bvh files.")
    write(out, clips)
    minutes = sum(len(c.points) / c.rate for c in clips) / 60
    return Summary(len(clips), len({c.subject for c in clips}), minutes, cuts, left_out)


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


def whole_pieces(points: Float[np.ndarray, "T 22 3"], rate: float) -> list[Float[np.ndarray, "_ 22 3"]]:
    """The recording between its breaks."""
    step = np.linalg.norm(np.diff(points, axis=0), axis=-1).max(1, initial=0.0)
    return np.split(points, np.flatnonzero(~(step * rate <= FASTEST)) + 1)


def write(out: Path, clips: Sequence[Clip], joints: Sequence[str] = JOINTS, **more: np.ndarray) -> None:
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


def _clips(folder: Path, described: Index) -> Iterator[Clip]:
    skeletons = {path.parent: acclaim.read_asf(path) for path in sorted(folder.rglob("*.asf"))}
    thoraxes = {_subject(place): bones["thorax"].vector for place, bones in skeletons.items() if "thorax" in bones}
    for path in sorted(folder.rglob("*.amc")):
        if path.parent not in skeletons:
            raise DataError(f"{path} has no .asf skeleton beside it.")
        movement = acclaim.read_amc(path)
        with _naming(path):
            motion = acclaim.pose(skeletons[path.parent], movement)
            points = layouts.joints(motion, layouts.recognise(motion))
        yield _clip(path, folder, described, points, motion.rate)
    for path in sorted(folder.rglob("*.bvh")):
        points, rate = _from_bvh(path, thoraxes)
        yield _clip(path, folder, described, points[LEAD_IN:], rate)


def _from_bvh(path: Path, thoraxes: Mapping[str, np.ndarray]) -> tuple[Float[np.ndarray, "T 22 3"], float]:
    file = bvh.read_bvh(path)
    motion = bvh.pose(file)
    with _naming(path):
        layout = layouts.recognise(motion)
    if layout is layouts.MOTIONBUILDER and not file.offset("Neck").any():
        spine = np.array([0.0, np.linalg.norm(file.offset("Spine1")), 0.0])
        motion = layouts.mend_thorax(motion, thoraxes.get(_subject(path.parent), spine))
    return layouts.joints(motion, layout), motion.rate


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def _clip(path: Path, folder: Path, described: Index, points: Float[np.ndarray, "T 22 3"], rate: float) -> Clip:
    thin = max(1, round(rate / RATE))
    subject, name = _subject(path.parent), path.relative_to(folder).with_suffix("").as_posix()
    trial = re.match(r"(\d+)_(?:[a-z]+_)?(\d+)$", path.stem)
    action = described.get((str(int(trial[1])), int(trial[2]))) if trial else None
    return Clip(name, subject, action or _words(path.stem), points[::thin], rate / thin)


def _subject(place: Path) -> str:
    """Subjects are numbered folders; anything else counts as one subject of the folder's last word."""
    return str(int(place.name)) if place.name.isdigit() else place.name.split("-")[-1]


def _words(stem: str) -> str:
    """``train_basketball_signal_2`` → ``basketball signal``."""
    return " ".join(w for w in stem.split("_") if not w.isdigit() and w not in ("train", "test")) or stem
