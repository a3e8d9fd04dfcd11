"""One file in ``clips/``: arrays that any program can write, or a recording of ``kinelift run``."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Shaped

from kinelift.poses import H36M17, H36M21, Skeleton, recording
from kinelift.poses.archive import archive_keys, read_arrays
from kinelift.poses.errors import DataError
from kinelift.poses.positions import positions
from kinelift.poses.skeleton import skeleton
from kinelift.poses.world import LEVEL

_MAX_EXTENT = 50.0
"""Metres: people in one clip are never further apart."""
_LAYOUT = (
    "It should hold points (frames, joints, 3), times or rate, and skeleton; see docs/reference/labelled-motion.md."
)
_ARRAYS = ("points", "times", "rate", "skeleton")


class ClipMotion(NamedTuple):
    """Points in metres (of a recording, y up), times in seconds, and the skeleton that names the joints."""

    points: Float[np.ndarray, "T J 3"]
    times: Float[np.ndarray, " T"]
    skeleton: Skeleton


def load(path: Path, person: str = "") -> ClipMotion:
    """Read the motion in a file. Nothing in the file is executed.

    Args:
        path: Arrays ``points``, ``times`` or ``rate``, and ``skeleton``; or a recording.
        person: Id of the person, in a recording of several people.

    Raises:
        DataError: The file is missing or damaged, or holds something else; the message says what is wrong.
    """
    if not path.exists():
        raise DataError(f"There is no {path}. Put it there, or remove its rows from labels.csv.")
    try:
        names = archive_keys(path)
        arrays = {} if "header" in names else read_arrays(path, *(name for name in _ARRAYS if name in names))
    except DataError as error:
        raise DataError(f"{error} {_LAYOUT}") from error
    if "header" in names:
        return _from_recording(path, person)
    if person:
        raise DataError(
            f"{path} is not a recording, so it has no person {person!r}. Leave the column person empty in its rows."
        )
    return _from_arrays(path, arrays)


def save(path: Path, motion: ClipMotion) -> None:
    """Write a file that ``load`` reads back bit by bit."""
    points, times, layout = motion
    np.savez_compressed(path, points=points, times=times, skeleton=np.array(layout.name))


def _from_arrays(path: Path, arrays: dict[str, Shaped[np.ndarray, "..."]]) -> ClipMotion:
    if missing := [name for name in ("points", "skeleton") if name not in arrays]:
        raise DataError(f"{path} has no {' and no '.join(missing)}. {_LAYOUT}")
    try:
        layout = skeleton(str(arrays["skeleton"]))
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    points = _as_floats(path, "points", arrays["points"])
    if points.ndim != 3 or points.shape[1:] != (len(layout), 3):
        raise DataError(
            f"{path}: points have shape {points.shape}; {layout} needs (frames, {len(layout)}, 3), with the joints in "
            f"the order: {', '.join(layout.joints)}."
        )
    return _check(path, ClipMotion(points, _times(path, arrays, len(points)), layout))


def _times(path: Path, arrays: dict[str, Shaped[np.ndarray, "..."]], count: int) -> Float[np.ndarray, " T"]:
    if "times" in arrays:
        times = _as_floats(path, "times", arrays["times"])
        if times.shape != (count,):
            raise DataError(f"{path}: times have shape {times.shape}, but there are {count} poses. Give one time each.")
        return times
    rate = _as_floats(path, "rate", arrays["rate"]) if "rate" in arrays else np.zeros(0)
    if rate.size != 1 or not 0 < rate.item() < np.inf:
        raise DataError(f"{path} has neither times (s, one per pose) nor a rate (poses per second). Add one of them.")
    return np.arange(count) / rate.item()


def _as_floats(path: Path, name: str, array: Shaped[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    if array.dtype.kind not in "fiu":
        raise DataError(f"{path}: {name} holds {array.dtype} values. Write numbers.")
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)


def _from_recording(path: Path, person: str) -> ClipMotion:
    whole = recording.load(path)
    people = {str(member.id): member for member in whole.people}
    if not person and len(people) == 1:
        (person,) = people
    if person not in people:
        problem = f"no person {person!r}" if person else f"{len(people)} people"
        raise DataError(f"{path} has {problem}. Choose one with person: {', '.join(people) or 'nobody'}.")
    poses = people[person].poses
    if poses is None:
        raise DataError(f"{path} has no 3D poses of person {person}. Make the recording again with: kinelift run VIDEO")
    poses = poses.converted(H36M17) if poses.skeleton == H36M21 else poses  # actions are recognised without feet
    upright = poses.rotated(LEVEL if whole.world is None else whole.world.rotation)  # as the program recognises them
    return _check(path, ClipMotion(positions(upright), upright.times, upright.skeleton))


def _check(path: Path, motion: ClipMotion) -> ClipMotion:
    if not np.isfinite(motion.points).any():
        problem = "are not finite anywhere" if len(motion.points) else "have no frames"
        raise DataError(f"{path}: points {problem}. Remove the file and its rows, or convert it again.")
    if (extent := _extent(motion.points)) > _MAX_EXTENT:
        raise DataError(f"{path}: a pose is {extent:.0f} m wide. Points are in metres: divide millimetres by 1000.")
    return motion


def _extent(points: Float[np.ndarray, "T J 3"]) -> float:
    """Distance between the joints of one frame along the longest axis, median over the frames."""
    valid = np.isfinite(points).all(axis=2, keepdims=True)
    observed = np.where(valid, points, np.nan)[valid.any(axis=(1, 2))]
    return (
        float(np.median((np.nanmax(observed, axis=1) - np.nanmin(observed, axis=1)).max(axis=1)))
        if len(observed)
        else 0.0
    )
