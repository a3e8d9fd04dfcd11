"""Save and load recordings: one versioned npz without pickle.

``header`` is JSON text: the format's number, the video, how the recording was made, the people, their actions, and the
names of their skeletons. The numbers are arrays: ``times`` of the video, ``camera`` (its ``parameters``),
``camera_rotations`` if it turns, ``world/rotation`` and ``world/position``, and ``person<id>/track/…``,
``person<id>/poses/…`` and ``person<id>/windows/…``, named as in the containers. What was not computed has no array, or
null in the header. Positions, scores and errors are ``rounded``; the rest is stored without loss.

Earlier formats can still be read. Format 2 has no world, and of the poses only ``points``, ``times`` and ``root``.
Format 1 has no camera, either, and only text in ``made_with``.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from kinelift.poses.archive import archive_keys, read_arrays, read_text, write_archive
from kinelift.poses.camera import Camera
from kinelift.poses.containers import Action, ActionWindows, Person, Poses3D, Recording, Track2D, VideoFacts
from kinelift.poses.errors import DataError, KineliftError, SettingsError
from kinelift.poses.json_values import from_json, parse, to_json
from kinelift.poses.output import replacing
from kinelift.poses.rounding import rounded
from kinelift.poses.skeleton import Skeleton, skeleton
from kinelift.poses.validation import validate
from kinelift.poses.world import World

FORMAT = 3
Arrays = Mapping[str, Shaped[np.ndarray, "..."]]
_NUMBERS = (np.float64, np.float32)
_TRACK, _POSES = ("points", "scores", "times", "filled"), ("points", "times")
_OPTIONAL_POSES: Mapping[str, tuple[tuple[int | str, ...], tuple[type[np.generic], ...]]] = {
    "root": ((3,), _NUMBERS),
    "contact": (("J",), (np.bool_,)),
    "seen": (("J",), (np.int8,)),
    "error": (("J",), _NUMBERS),
}
"""The shape of a frame ("J": the number of joints) and the types of arrays that only some poses have."""
_WORLD = ("rotation", "position")
_WINDOWS = ("times", "probabilities", "labels")
"""Arrays of the windows; ``labels`` is JSON text."""
_FOCAL = re.compile(r"(\d{1,9}\.\d) px")
"""The focal length in format 1."""


@dataclass(frozen=True)
class _Video:
    name: str
    width: int
    height: int


@dataclass(frozen=True)
class _Track:
    start: int
    size: tuple[int, int]
    skeleton: str


@dataclass(frozen=True)
class _Poses:
    skeleton: str


@dataclass(frozen=True)
class _Person:
    id: int
    track: _Track
    poses: _Poses | None
    actions: tuple[Action, ...] | None


@dataclass(frozen=True)
class _Header:
    format: int
    video: _Video
    made_with: Mapping[str, Any]
    people: tuple[_Person, ...]


def save(path: Path, recording: Recording) -> None:
    """Write ``recording`` to ``path`` atomically.

    Raises:
        OutputError: The file cannot be written.
        DataError: Two people share an id, or ``made_with`` or an action holds a value that JSON cannot, such as NaN.
    """
    if len({person.id for person in recording.people}) < len(recording.people):
        raise DataError(f"The recording of {recording.video.name} has two people with the same id. Make ids unique.")
    try:
        header = json.dumps(to_json(_header(recording)), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise DataError(f"The recording of {recording.video.name} cannot be written as JSON ({error}).") from error
    with replacing(path) as part, part.open("wb") as file:
        write_archive(file, chain([("header", np.array(header))], _arrays(recording)))


def load(path: Path) -> Recording:
    """Read a recording in this or an earlier format. No code in the file is run, and every field is validated.

    Raises:
        DataError: The file is missing, damaged or not a recording. Names the file and the field.
    """
    if not path.is_file():
        raise DataError(f"There is no recording {path}. Make one with: kinelift run VIDEO")
    keys = archive_keys(path)
    if "header" not in keys:
        raise DataError(f"{path} has no header, so it is not a recording. Make one with: kinelift run VIDEO")
    text = read_text(path, "header")
    try:
        header = _parsed(text)
        arrays = read_arrays(path, *_array_names(header, keys))
        recording = _recording(header, arrays)
        validate(recording)
    except KineliftError as error:
        reason = str(error).removeprefix(f"{path}: ")
        raise DataError(f"{path} cannot be used: {reason} Make it again with: kinelift run VIDEO") from error
    return recording


def _header(recording: Recording) -> _Header:
    video = recording.video
    people = tuple(_description(person) for person in recording.people)
    return _Header(FORMAT, _Video(video.name, video.width, video.height), recording.made_with, people)


def _description(person: Person) -> _Person:
    track, poses = person.track, person.poses
    facts = _Track(track.start, track.size, track.skeleton.name)
    return _Person(person.id, facts, None if poses is None else _Poses(poses.skeleton.name), person.actions)


def _arrays(recording: Recording) -> Iterator[tuple[str, Shaped[np.ndarray, "..."]]]:
    """The arrays by name, one after another, so that only one is rounded at a time."""
    yield "times", recording.video.times
    if recording.camera is not None:
        yield "camera", recording.camera.parameters
        if recording.camera.rotations is not None:
            yield "camera_rotations", recording.camera.rotations
    if recording.world is not None:
        yield from ((f"world/{name}", getattr(recording.world, name)) for name in _WORLD)
    for person in recording.people:
        yield from ((f"person{person.id}/{name}", rounded(array, name)) for name, array in _arrays_of(person))


def _arrays_of(person: Person) -> Iterator[tuple[str, Shaped[np.ndarray, "..."]]]:
    track, poses = person.track, person.poses
    yield from ((f"track/{name}", getattr(track, name)) for name in _TRACK)
    if poses is not None:
        yield from ((f"poses/{name}", getattr(poses, name)) for name in _POSES)
        optional = ((f"poses/{name}", getattr(poses, name)) for name in _OPTIONAL_POSES)
        yield from ((name, array) for name, array in optional if array is not None)
    if person.windows is not None:
        yield "windows/times", person.windows.times
        yield "windows/probabilities", person.windows.probabilities
        yield "windows/labels", np.array(json.dumps(to_json(person.windows.labels)))


def _parsed(text: str) -> _Header:
    value = parse(text, "its header")
    if isinstance(value, dict) and value.get("format") not in range(1, FORMAT + 1):
        raise DataError(f"it has recording format {value.get('format')!r}, and this version reads 1 to {FORMAT}.")
    header: _Header = from_json(_Header, value, "header")
    return header


def _array_names(header: _Header, keys: tuple[str, ...]) -> Iterator[str]:
    """The names of the arrays that a recording with this header has."""
    yield "times"
    whole = ("camera", "camera_rotations", *(f"world/{name}" for name in _WORLD))
    yield from (name for name in whole if name in keys)
    for person in header.people:
        yield from (f"person{person.id}/track/{name}" for name in _TRACK)
        if person.poses is not None:
            yield from (f"person{person.id}/poses/{name}" for name in _POSES)
            optional = (f"person{person.id}/poses/{name}" for name in _OPTIONAL_POSES)
            yield from (name for name in optional if name in keys)
        yield from (name for part in _WINDOWS if (name := f"person{person.id}/windows/{part}") in keys)


def _recording(header: _Header, arrays: Arrays) -> Recording:
    times = _numbers(arrays, "times", None)
    video = VideoFacts(header.video.name, header.video.width, header.video.height, times)
    people = tuple(_person(person, arrays) for person in header.people)
    camera = _camera(arrays) if header.format > 1 else _format_1_camera(header)
    return Recording(video, people, header.made_with, camera, _world(arrays))


def _camera(arrays: Arrays) -> Camera | None:
    if "camera" not in arrays:
        return None
    try:
        camera = Camera.from_parameters(_numbers(arrays, "camera", 11))
        if "camera_rotations" in arrays:
            camera = replace(camera, rotations=_numbers(arrays, "camera_rotations", len(arrays["times"]), 3, 3))
        return camera
    except SettingsError as error:
        raise DataError(f"camera: {error}") from error


def _world(arrays: Arrays) -> World | None:
    present = [f"world/{name}" in arrays for name in _WORLD]
    if not any(present):
        return None
    if not all(present):
        raise DataError("world has only one of its arrays rotation and position.")
    return World(_numbers(arrays, "world/rotation", 3, 3), _numbers(arrays, "world/position", 3))


def _format_1_camera(header: _Header) -> Camera | None:
    """The camera from the focal length of format 1, given to a tenth of a pixel."""
    focal = _FOCAL.fullmatch(str(header.made_with.get("focal")))
    return Camera.from_focal(float(focal[1]), (header.video.width, header.video.height)) if focal else None


def _person(entry: _Person, arrays: Arrays) -> Person:
    name = f"person{entry.id}"
    track = _track(entry.track, arrays, f"{name}/track")
    poses = None if entry.poses is None else _poses(entry.poses, len(track), arrays, f"{name}/poses")
    return Person(entry.id, track, poses, entry.actions, _windows(arrays, f"{name}/windows"))


def _track(entry: _Track, arrays: Arrays, name: str) -> Track2D:
    layout, times = _skeleton(entry.skeleton, name), _numbers(arrays, f"{name}/times", None)
    joints = (len(times), len(layout))
    return Track2D(
        points=_numbers(arrays, f"{name}/points", *joints, 2),
        scores=_numbers(arrays, f"{name}/scores", *joints),
        times=times,
        filled=_checked(arrays, f"{name}/filled", joints, (np.bool_,)),
        start=entry.start,
        size=entry.size,
        skeleton=layout,
    )


def _poses(entry: _Poses, frames: int, arrays: Arrays, name: str) -> Poses3D:
    layout = _skeleton(entry.skeleton, name)
    optional: dict[str, Any] = {}
    for field, (sides, kinds) in _OPTIONAL_POSES.items():
        if f"{name}/{field}" in arrays:
            shape = (frames, *(len(layout) if side == "J" else int(side) for side in sides))
            optional[field] = _checked(arrays, f"{name}/{field}", shape, kinds)
    points, times = (
        _numbers(arrays, f"{name}/points", frames, len(layout), 3),
        _numbers(arrays, f"{name}/times", frames),
    )
    return Poses3D(points, times, skeleton=layout, **optional)


def _windows(arrays: Arrays, name: str) -> ActionWindows | None:
    present = [f"{name}/{part}" in arrays for part in _WINDOWS]
    if not any(present):
        return None
    if not all(present):
        raise DataError(f"{name} has only some of its arrays {', '.join(_WINDOWS)}.")
    labels = from_json(tuple[str, ...], parse(str(arrays[f"{name}/labels"]), f"{name}/labels"), f"{name}/labels")
    times = _numbers(arrays, f"{name}/times", None)
    return ActionWindows(labels, times, _numbers(arrays, f"{name}/probabilities", len(times), len(labels)))


def _skeleton(name: str, owner: str) -> Skeleton:
    try:
        return skeleton(name)
    except DataError as error:
        raise DataError(f"{owner}/skeleton: {error}") from error


def _numbers(arrays: Arrays, name: str, *shape: int | None) -> Shaped[np.ndarray, "..."]:
    return _checked(arrays, name, shape, _NUMBERS)


def _checked(
    arrays: Arrays, name: str, shape: tuple[int | None, ...], kinds: tuple[type[np.generic], ...]
) -> Shaped[np.ndarray, "..."]:
    """The array of this name, if it has one of these types and this shape; None in a shape is any length."""
    array = arrays[name]
    if array.dtype not in [np.dtype(kind) for kind in kinds]:
        raise DataError(f"{name} holds {array.dtype} values, expected {np.dtype(kinds[0])}.")
    if array.ndim != len(shape) or any(n not in (None, side) for n, side in zip(shape, array.shape, strict=True)):
        expected = ", ".join("any" if n is None else str(n) for n in shape)
        raise DataError(f"{name} has shape {array.shape}, expected ({expected}).")
    return array
