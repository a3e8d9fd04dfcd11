"""Folders of motion capture → recordings: the joints of every file in world metres, as the file has them."""

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
"""Frames at the start of every BVH clip that are not motion: an added T-pose and the step out of it."""
FAITH = {"acclaim": 0, "motionbuilder": 1, "max": 2, "daz": 3}
"""How much each kind of file left of the recording: originals first, then conversions that bend the body more."""

_TRIAL = re.compile(r"(\d+)_(?:[a-z]+_)?(\d+)$")

Skeleton = Mapping[str, Bone]


@dataclass(frozen=True, eq=False)
class Recorded:
    """One file. ``points``: the joints of ``MOCAP``, world metres, Y up, ``rate`` frames a second.

    ``session``: recordings with the same make of skeleton; ``trial``: the subject's and the recording's number in the
    CMU database, where the name has them; ``kind``: a key of ``FAITH``.
    """

    name: str
    subject: str
    session: str
    trial: tuple[str, int] | None
    kind: str
    points: Float[np.ndarray, "T J 3"]
    rate: float


def read(folder: Path, asf: Path | None = None) -> Iterator[Recorded]:
    """Every AMC and BVH under ``folder``, by name; ``asf`` is the skeleton of AMC files that have none of their own.

    Raises ``DataError`` naming the first file that cannot be read.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder. Name the folder that holds the motion capture.")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".asf", ".amc", ".bvh"))
    skeletons = {path: acclaim.read_asf(path) for path in paths if path.suffix.lower() == ".asf"}
    spare = None if asf is None else acclaim.read_asf(asf)
    thoraxes = {
        _subject(path, folder): bones["thorax"].vector for path, bones in skeletons.items() if "thorax" in bones
    }
    for path in paths:
        if path.suffix.lower() == ".amc":
            yield _amc(path, folder, _skeleton(path, skeletons, spare))
    for path in paths:
        if path.suffix.lower() == ".bvh":
            yield _bvh(path, folder, thoraxes)


def best(recordings: Sequence[Recorded]) -> tuple[list[Recorded], Mapping[str, str]]:
    """Every trial once, in the file that left most of it; and by the names of the others, the name of that file."""
    first: dict[tuple[str, int], Recorded] = {}
    for one in sorted(recordings, key=lambda one: FAITH[one.kind]):
        if one.trial:
            first.setdefault(one.trial, one)
    kept = [one for one in recordings if one.trial is None or first[one.trial] is one]
    replaced = {one.name: first[one.trial].name for one in recordings if one.trial and first[one.trial] is not one}
    return kept, replaced


def _amc(path: Path, folder: Path, bones: Skeleton) -> Recorded:
    movement = acclaim.read_amc(path)
    with _naming(path):
        motion = acclaim.pose(bones, movement)
        points = joints.joints(motion, joints.recognise(motion))
    return _recorded(path, folder, "acclaim", points, motion.rate)


def _bvh(path: Path, folder: Path, thoraxes: Mapping[str, np.ndarray]) -> Recorded:
    file = bvh.read_bvh(path)
    motion = bvh.pose(file)
    with _naming(path):
        layout = joints.recognise(motion)
    if layout is joints.MOTIONBUILDER and not file.offset("Neck").any():
        spine = np.array([0.0, np.linalg.norm(file.offset("Spine1")), 0.0])
        motion = joints.mend_thorax(motion, thoraxes.get(_subject(path, folder), spine))
    if layout is joints.MOTIONBUILDER and _stub(file):
        motion = joints.risen(motion)
    kind = {id(joints.MOTIONBUILDER): "motionbuilder", id(joints.MAX): "max"}.get(id(layout), "daz")
    return _recorded(path, folder, kind, joints.joints(motion, layout)[LEAD_IN:], motion.rate)


def _stub(file: bvh.Bvh) -> bool:
    """Whether the first bone of the spine has no length to speak of."""
    first, second = (float(np.linalg.norm(file.offset(name))) for name in ("Spine", "Spine1"))
    return first < 0.1 * second


def _skeleton(path: Path, skeletons: Mapping[Path, Skeleton], spare: Skeleton | None) -> Skeleton:
    """Beside it, the one whose name begins with the same number where there are several; one folder up, the one whose
    name ends with the folder's; else ``spare``.
    """
    beside = [one for one in skeletons if one.parent == path.parent]
    mine = beside if len(beside) == 1 else [one for one in beside if _number(one.stem) == _number(path.stem)]
    above = [one for one in skeletons if one.parent == path.parent.parent and one.stem.endswith(path.parent.name)]
    for one in (*mine, *above):
        return skeletons[one]
    if spare is None:
        raise DataError(f"{path} has no .asf skeleton beside it. Name one that fits with --asf.")
    return spare


def _recorded(path: Path, folder: Path, kind: str, points: Float[np.ndarray, "T J 3"], rate: float) -> Recorded:
    inside = path.relative_to(folder)
    trial = _TRIAL.match(path.stem)
    number = (str(int(trial[1])), int(trial[2])) if trial else None
    session = inside.parts[0] if len(inside.parts) > 1 else folder.name
    return Recorded(inside.with_suffix("").as_posix(), _subject(path, folder), session, number, kind, points, rate)


def _subject(path: Path, folder: Path) -> str:
    """Whom a file shows: its folder's number, or that of its trial; else the folder's last word, with the actor.

    ``35/walk.bvh`` → 35; ``asfdirect/35_01.bvh`` → 35; ``bvh-expmap/jump_1.bvh`` → expmap;
    ``hdm05/mm/x.amc`` → hdm05-mm; ``sfu/0005_Jogging001.bvh`` → sfu-0005.
    """
    place = path.parent
    if place.name.isdigit():
        return str(int(place.name))
    if trial := _TRIAL.match(path.stem):
        return str(int(trial[1]))
    if place != folder and re.fullmatch("[a-z]{2}", place.name):
        return f"{place.parent.name}-{place.name}"
    actor = re.match(r"\d{4}(?=_)", path.stem)
    return f"{place.name.split('-')[-1]}-{actor[0]}" if actor else place.name.split("-")[-1]


def _number(stem: str) -> str:
    found = re.match(r"\d+", stem)
    return found[0].lstrip("0") if found else stem


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
