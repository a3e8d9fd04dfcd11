"""Reads folders of motion capture: the joints of every file, unmodified, in world metres."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from kinelift.lifting.mocap import acclaim, bvh, joints
from kinelift.lifting.mocap.acclaim import Bone
from kinelift.poses.errors import DataError

LEAD_IN = 2
"""Frames at the start of a BVH clip to skip: an added T-pose and the transition from it."""
FIDELITY = {"acclaim": 0, "motionbuilder": 1, "max": 2, "daz": 3}
"""Rank of each kind of file by fidelity: originals first, then conversions in order of distortion."""

_TRIAL = re.compile(r"(\d+)_(?:[a-z]+_)?(\d+)$")

BoneTree = Mapping[str, Bone]


@dataclass(frozen=True, eq=False)
class Capture:
    """One motion capture file.

    Attributes:
        name: Path in the folder, without the suffix.
        subject: Who was recorded.
        session: Recordings whose skeletons were made in the same way.
        trial: Numbers of the subject and the recording in the CMU database, if the file's name has them.
        kind: A key of ``FIDELITY``.
        points: Joints of ``MOCAP`` in world metres, Y up.
        rate: Frames per second.
    """

    name: str
    subject: str
    session: str
    trial: tuple[str, int] | None
    kind: str
    points: Float[np.ndarray, "T J 3"]
    rate: float


def files(folder: Path) -> list[Path]:
    """The ASF, AMC and BVH files under a folder, in order of their names."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".asf", ".amc", ".bvh"))


def read(folder: Path, asf: Path | None = None) -> Iterator[Capture]:
    """Read every AMC and BVH file under a folder, in order of their names.

    Args:
        folder: The folder to search.
        asf: Skeleton of AMC files that have none of their own.

    Raises:
        DataError: A file cannot be read; the message names the first one.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder. Give the folder that contains the motion capture.")
    paths = files(folder)
    skeletons = {path: acclaim.read_asf(path) for path in paths if path.suffix.lower() == ".asf"}
    default = None if asf is None else acclaim.read_asf(asf)
    thoraxes = {
        _subject(path, folder): bones["thorax"].vector for path, bones in skeletons.items() if "thorax" in bones
    }
    for path in paths:
        if path.suffix.lower() == ".amc":
            yield _amc(path, folder, _skeleton(path, skeletons, default))
    for path in paths:
        if path.suffix.lower() == ".bvh":
            yield _bvh(path, folder, thoraxes)


def deduplicate(recordings: Sequence[Capture]) -> tuple[list[Capture], Mapping[str, str]]:
    """Keep every trial once, in the file with the highest fidelity.

    Returns:
        The remaining recordings, and by the name of each removed file the name of the one that replaces it.
    """
    best: dict[tuple[str, int], Capture] = {}
    for one in sorted(recordings, key=lambda one: FIDELITY[one.kind]):
        if one.trial:
            best.setdefault(one.trial, one)
    unique = [one for one in recordings if one.trial is None or best[one.trial] is one]
    replaced = {one.name: best[one.trial].name for one in recordings if one.trial and best[one.trial] is not one}
    return unique, replaced


def _amc(path: Path, folder: Path, bones: BoneTree) -> Capture:
    channels = acclaim.read_amc(path)
    with _naming(path):
        motion = acclaim.pose(bones, channels)
        points = joints.joints(motion, joints.detect_layout(motion))
    return _capture(path, folder, "acclaim", points, motion.rate)


def _bvh(path: Path, folder: Path, thoraxes: Mapping[str, np.ndarray]) -> Capture:
    file = bvh.read_bvh(path)
    motion = bvh.pose(file)
    with _naming(path):
        layout = joints.detect_layout(motion)
    if layout is joints.MOTIONBUILDER and not file.offset("Neck").any():
        spine = np.array([0.0, np.linalg.norm(file.offset("Spine1")), 0.0])
        motion = joints.restore_thorax(motion, thoraxes.get(_subject(path, folder), spine))
    if layout is joints.MOTIONBUILDER and _has_spine_stub(file):
        motion = joints.raise_spine(motion)
    kind = {id(joints.MOTIONBUILDER): "motionbuilder", id(joints.MAX): "max"}.get(id(layout), "daz")
    return _capture(path, folder, kind, joints.joints(motion, layout)[LEAD_IN:], motion.rate)


def _has_spine_stub(file: bvh.Bvh) -> bool:
    """Whether the first bone of the spine has almost no length."""
    first, second = (float(np.linalg.norm(file.offset(name))) for name in ("Spine", "Spine1"))
    return first < 0.1 * second


def _skeleton(path: Path, skeletons: Mapping[Path, BoneTree], default: BoneTree | None) -> BoneTree:
    """Find the skeleton of an AMC file.

    If several are in the file's folder, it is the one whose name begins with the same number. One folder up, it is the
    one whose name ends with the folder's name. Otherwise it is ``default``.
    """
    beside = [one for one in skeletons if one.parent == path.parent]
    matching = beside if len(beside) == 1 else [one for one in beside if _number(one.stem) == _number(path.stem)]
    above = [one for one in skeletons if one.parent == path.parent.parent and one.stem.endswith(path.parent.name)]
    for one in (*matching, *above):
        return skeletons[one]
    if default is None:
        raise DataError(f"{path} has no .asf skeleton beside it. Give one with --asf.")
    return default


def _capture(path: Path, folder: Path, kind: str, points: Float[np.ndarray, "T J 3"], rate: float) -> Capture:
    relative = path.relative_to(folder)
    trial = _TRIAL.match(path.stem)
    number = (str(int(trial[1])), int(trial[2])) if trial else None
    session = relative.parts[0] if len(relative.parts) > 1 else folder.name
    return Capture(relative.with_suffix("").as_posix(), _subject(path, folder), session, number, kind, points, rate)


def _subject(path: Path, folder: Path) -> str:
    """Derive the subject: the number of the folder or the trial; otherwise the folder's last word, with the actor.

    ``35/walk.bvh`` → 35; ``asfdirect/35_01.bvh`` → 35; ``bvh-expmap/jump_1.bvh`` → expmap;
    ``hdm05/mm/x.amc`` → hdm05-mm; ``sfu/0005_Jogging001.bvh`` → sfu-0005.
    """
    parent = path.parent
    if parent.name.isdigit():
        return str(int(parent.name))
    if trial := _TRIAL.match(path.stem):
        return str(int(trial[1]))
    if parent != folder and re.fullmatch("[a-z]{2}", parent.name):
        return f"{parent.parent.name}-{parent.name}"
    actor = re.match(r"\d{4}(?=_)", path.stem)
    return f"{parent.name.split('-')[-1]}-{actor[0]}" if actor else parent.name.split("-")[-1]


def _number(stem: str) -> str:
    number = re.match(r"\d+", stem)
    return number[0].lstrip("0") if number else stem


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Prefix errors with the path of the file."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
