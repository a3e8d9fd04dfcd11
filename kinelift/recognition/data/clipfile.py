"""One file of ``clips/``: arrays that any program can write, or a recording of ``kinelift run``."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Shaped

from kinelift.poses import Skeleton, recording
from kinelift.poses.archive import archive_keys, read_arrays
from kinelift.poses.errors import DataError
from kinelift.poses.skeleton import skeleton

_LARGEST = 50.0
"""Metres: no people whose poses are one clip are further apart."""
_LAYOUT = (
    "It should hold points (frames, joints, 3), times or rate, and skeleton; "
    "docs/reference/labelled-motion.md shows how."
)
_ARRAYS = ("points", "times", "rate", "skeleton")


class Motion(NamedTuple):
    """Points in metres, times in seconds, and what the joints are."""

    points: Float[np.ndarray, "T J 3"]
    times: Float[np.ndarray, " T"]
    skeleton: Skeleton


def load(path: Path, person: str = "") -> Motion:
    """Read ``path``; ``person``: whose poses, of a recording. Nothing in the file is executed.

    Raises ``DataError`` naming the file and what is wrong with it.
    """
    if not path.exists():
        raise DataError(f"There is no {path}. Put it there, or remove its rows from labels.csv.")
    try:
        names = archive_keys(path)
        arrays = {} if "header" in names else read_arrays(path, *(name for name in _ARRAYS if name in names))
    except DataError as error:
        raise DataError(f"{error} {_LAYOUT}") from error
    if "header" in names:
        return _recorded(path, person)
    if person:
        raise DataError(f"{path} is no recording, so it has no person {person!r}. Leave that column empty in its rows.")
    return _motion(path, arrays)


def save(path: Path, motion: Motion) -> None:
    """Write what ``load`` reads, bit by bit."""
    points, times, layout = motion
    np.savez_compressed(path, points=points, times=times, skeleton=np.array(layout.name))


def _motion(path: Path, arrays: dict[str, Shaped[np.ndarray, "..."]]) -> Motion:
    if missing := [name for name in ("points", "skeleton") if name not in arrays]:
        raise DataError(f"{path} has no {' and no '.join(missing)}. {_LAYOUT}")
    try:
        layout = skeleton(str(arrays["skeleton"]))
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    points = _numbers(path, "points", arrays["points"])
    if points.ndim != 3 or points.shape[1:] != (len(layout), 3):
        raise DataError(
            f"{path}: points have shape {points.shape}; {layout} needs (frames, {len(layout)}, 3), with the joints in "
            f"the order: {', '.join(layout.joints)}."
        )
    return _checked(path, Motion(points, _times(path, arrays, len(points)), layout))


def _times(path: Path, arrays: dict[str, Shaped[np.ndarray, "..."]], count: int) -> Float[np.ndarray, " T"]:
    if "times" in arrays:
        times = _numbers(path, "times", arrays["times"])
        if times.shape != (count,):
            raise DataError(f"{path}: times have shape {times.shape}, but there are {count} poses. Give one time each.")
        return times
    rate = _numbers(path, "rate", arrays["rate"]) if "rate" in arrays else np.zeros(0)
    if rate.size != 1 or not 0 < rate.item() < np.inf:
        raise DataError(f"{path} has neither times (s, one a pose) nor a rate (poses a second). Add one of them.")
    return np.arange(count) / rate.item()


def _numbers(path: Path, name: str, array: Shaped[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    if array.dtype.kind not in "fiu":
        raise DataError(f"{path}: {name} holds {array.dtype} values; numbers are needed.")
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)


def _recorded(path: Path, person: str) -> Motion:
    people = {str(one.id): one for one in recording.load(path).people}
    if not person and len(people) == 1:
        (person,) = people
    if person not in people:
        asked = f"no person {person!r}" if person else f"{len(people)} people"
        raise DataError(f"{path} has {asked}. Give one as person: {', '.join(people) or 'nobody'}.")
    poses = people[person].poses
    if poses is None:
        raise DataError(f"{path} has no 3D poses of person {person}. Make it anew with: kinelift run VIDEO")
    return _checked(path, Motion(poses.points, poses.times, poses.skeleton))


def _checked(path: Path, motion: Motion) -> Motion:
    if not np.isfinite(motion.points).any():
        what = "is not a number anywhere" if len(motion.points) else "has no frames"
        raise DataError(f"{path}: points {what}. Remove the file and its rows, or convert it anew.")
    if (extent := _extent(motion.points)) > _LARGEST:
        raise DataError(f"{path}: a pose is {extent:.0f} m wide. Write metres: divide millimetres by 1000.")
    return motion


def _extent(points: Float[np.ndarray, "T J 3"]) -> float:
    """How far the joints of one frame lie apart along the longest axis, median over the frames."""
    whole = np.isfinite(points).all(axis=2, keepdims=True)
    seen = np.where(whole, points, np.nan)[whole.any(axis=(1, 2))]
    return float(np.median((np.nanmax(seen, axis=1) - np.nanmin(seen, axis=1)).max(axis=1))) if len(seen) else 0.0
