"""Folders of motion capture → one npz with the joints of every clip in world metres."""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from lifting.mocap import acclaim, bvh, layouts
from lifting.synthesis.bank import JOINTS
from poses.errors import DataError

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
    """One uninterrupted recording. ``points``: world metres, Y up, at ``rate`` frames a second."""

    name: str
    subject: str
    action: str
    points: Float[np.ndarray, "T 22 3"]
    rate: float


@dataclass(frozen=True)
class Summary:
    """What was prepared. ``cuts``: names of clips with a break, and how many."""

    clips: int
    subjects: int
    minutes: float
    cuts: Mapping[str, int]

    def __str__(self) -> str:
        cut = f" Cut at breaks: {', '.join(f'{n} ({k})' for n, k in self.cuts.items())}." if self.cuts else ""
        return f"{self.clips} clips of {self.subjects} subjects, {self.minutes:.1f} minutes.{cut}"


def prepare(folder: Path, out: Path, index: Path | None = None) -> Summary:
    """Read every AMC and BVH under ``folder`` and write ``out``.

    ``index``: a CSV whose first three columns are subject, trial and description; clips that it does not list are
    described by their file name. Raises ``DataError`` naming the first file that cannot be read.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder. Name the folder that holds the motion capture.")
    described = read_index(index) if index else {}
    clips, cuts = [], {}
    for clip in _clips(folder, described):
        pieces = [piece for piece in whole_pieces(clip.points, clip.rate) if len(piece) >= SHORTEST * clip.rate]
        breaks = _breaks(clip.points, clip.rate)
        if len(breaks):
            cuts[clip.name] = len(breaks)
        clips += [Clip(clip.name, clip.subject, clip.action, piece, clip.rate) for piece in pieces]
    if not clips:
        raise DataError(f"No motion capture under {folder}. Expected .amc files beside their .asf, or .bvh files.")
    _write(out, clips)
    minutes = sum(len(c.points) / c.rate for c in clips) / 60
    return Summary(len(clips), len({c.subject for c in clips}), minutes, cuts)


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
    return np.split(points, _breaks(points, rate))


def _breaks(points: Float[np.ndarray, "T 22 3"], rate: float) -> np.ndarray:
    step = np.linalg.norm(np.diff(points, axis=0), axis=-1).max(1, initial=0.0)
    return np.flatnonzero(~(step * rate <= FASTEST)) + 1


def _clips(folder: Path, described: Index) -> Iterator[Clip]:
    skeletons = {path.parent: acclaim.read_asf(path) for path in sorted(folder.rglob("*.asf"))}
    thoraxes = {_subject(place): bones["thorax"].vector for place, bones in skeletons.items() if "thorax" in bones}
    for path in sorted(folder.rglob("*.amc")):
        if path.parent not in skeletons:
            raise DataError(f"{path} has no .asf skeleton beside it.")
        motion = acclaim.pose(skeletons[path.parent], acclaim.read_amc(path))
        yield _clip(path, folder, described, layouts.joints(motion, layouts.ACCLAIM), motion.rate)
    for path in sorted(folder.rglob("*.bvh")):
        points, rate = _from_bvh(path, thoraxes)
        yield _clip(path, folder, described, points[LEAD_IN:], rate)


def _from_bvh(path: Path, thoraxes: Mapping[str, np.ndarray]) -> tuple[Float[np.ndarray, "T 22 3"], float]:
    file = bvh.read_bvh(path)
    motion = bvh.pose(file)
    try:
        layout = layouts.recognise(motion)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    if layout is layouts.MOTIONBUILDER and not file.offset("Neck").any():
        spine = np.array([0.0, np.linalg.norm(file.offset("Spine1")), 0.0])
        motion = layouts.mend_thorax(motion, thoraxes.get(_subject(path.parent), spine))
    return layouts.joints(motion, layout), motion.rate


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


def _write(out: Path, clips: list[Clip]) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(out.name + ".part")
    with part.open("wb") as file:
        np.savez(
            file,
            format=np.array(FORMAT),
            joints=np.array(JOINTS),
            points=np.concatenate([c.points for c in clips]).astype(np.float32),
            offsets=np.cumsum([0, *(len(c.points) for c in clips)]),
            rates=np.array([c.rate for c in clips]),
            names=np.array([c.name for c in clips]),
            subjects=np.array([c.subject for c in clips]),
            actions=np.array([c.action for c in clips]),
        )
    part.replace(out)
