"""Recordings as files: one versioned npz without pickle.

``header`` is JSON text: format number, video, how it was made, people, their actions, and by name the skeletons they
travel with. Numbers lie beside it: ``times`` of the video, ``camera`` (its ``parameters``), and ``person<id>/track/…``
and ``person<id>/poses/…`` arrays, named as in the containers and stored bit by bit. A stage that has not run left no
array and a null in the header.

Format 1 had no camera, and only text in ``made_with``. It is still read.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from kinelift.poses.archive import archive_keys, read_arrays, read_text
from kinelift.poses.camera import Camera
from kinelift.poses.containers import Action, Person, Poses3D, Recording, Track2D, VideoFacts
from kinelift.poses.errors import DataError, KineliftError, SettingsError
from kinelift.poses.json_values import from_json, parse, to_json
from kinelift.poses.output import replacing
from kinelift.poses.skeleton import Skeleton, skeleton
from kinelift.poses.validation import validate

FORMAT = 2
Arrays = Mapping[str, Shaped[np.ndarray, "..."]]
_TRACK, _POSES = ("points", "scores", "times", "filled"), ("points", "times")
_FOCAL = re.compile(r"(\d{1,9}\.\d) px")
"""How format 1 told the focal length."""


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
    """Write ``recording`` to ``path`` in one move.

    Raises ``OutputError`` if it cannot be written, ``DataError`` if two people share an id.
    """
    if len({person.id for person in recording.people}) < len(recording.people):
        raise DataError(f"The recording of {recording.video.name} has two people with one id; give each their own.")
    arrays: dict[str, Any] = {"header": np.array(json.dumps(to_json(_header(recording)), allow_nan=False))}
    arrays["times"] = recording.video.times
    if recording.camera is not None:
        arrays["camera"] = recording.camera.parameters
    for person in recording.people:
        arrays |= _arrays(person)
    with replacing(path) as part, part.open("wb") as file:
        np.savez_compressed(file, **arrays)


def load(path: Path) -> Recording:
    """Read what ``save`` wrote, also in an earlier format; nothing in the file is executed.

    Raises ``DataError`` naming the file and the field for anything else: every field is checked (``validate``).
    """
    if not path.is_file():
        raise DataError(f"There is no recording {path}. Make one with: kinelift run VIDEO")
    keys = archive_keys(path)
    if "header" not in keys:
        raise DataError(f"{path} has no header, so it is not a recording. Make one with: kinelift run VIDEO")
    text = read_text(path, "header")
    try:
        header = _parsed(text)
        arrays = read_arrays(path, *_wanted(header, keys))
        recording = _recording(header, arrays)
        validate(recording)
    except KineliftError as error:
        known = str(error).removeprefix(f"{path}: ")
        raise DataError(f"{path} cannot be used: {known} Make it anew with: kinelift run VIDEO") from error
    return recording


def _header(recording: Recording) -> _Header:
    video = recording.video
    people = tuple(_description(person) for person in recording.people)
    return _Header(FORMAT, _Video(video.name, video.width, video.height), recording.made_with, people)


def _description(person: Person) -> _Person:
    track, poses = person.track, person.poses
    facts = _Track(track.start, track.size, track.skeleton.name)
    return _Person(person.id, facts, None if poses is None else _Poses(poses.skeleton.name), person.actions)


def _arrays(person: Person) -> dict[str, Shaped[np.ndarray, "..."]]:
    track, poses = person.track, person.poses
    found = {f"track/{name}": getattr(track, name) for name in _TRACK}
    if poses is not None:
        found |= {f"poses/{name}": getattr(poses, name) for name in _POSES}
        if poses.root is not None:
            found["poses/root"] = poses.root
    return {f"person{person.id}/{name}": array for name, array in found.items()}


def _parsed(text: str) -> _Header:
    found = parse(text, "its header")
    if isinstance(found, dict) and found.get("format") not in range(1, FORMAT + 1):
        raise DataError(f"it has recording format {found.get('format')!r}, and this version reads 1 to {FORMAT}.")
    header: _Header = from_json(_Header, found, "header")
    return header


def _wanted(header: _Header, keys: tuple[str, ...]) -> Iterator[str]:
    """The names of the arrays that a recording with this header has."""
    yield "times"
    if "camera" in keys:
        yield "camera"
    for person in header.people:
        yield from (f"person{person.id}/track/{name}" for name in _TRACK)
        if person.poses is not None:
            yield from (f"person{person.id}/poses/{name}" for name in _POSES)
            if (root := f"person{person.id}/poses/root") in keys:
                yield root


def _recording(header: _Header, arrays: Arrays) -> Recording:
    times = _numbers(arrays, "times", None)
    video = VideoFacts(header.video.name, header.video.width, header.video.height, times)
    people = tuple(_person(person, arrays) for person in header.people)
    camera = _camera(arrays) if header.format > 1 else _earlier_camera(header)
    return Recording(video, people, header.made_with, camera)


def _camera(arrays: Arrays) -> Camera | None:
    if "camera" not in arrays:
        return None
    try:
        return Camera.from_parameters(_numbers(arrays, "camera", 11))
    except SettingsError as error:
        raise DataError(f"camera: {error}") from error


def _earlier_camera(header: _Header) -> Camera | None:
    """The camera by the focal length that format 1 told, to a tenth of a pixel."""
    told = _FOCAL.fullmatch(str(header.made_with.get("focal")))
    return Camera.from_focal(float(told[1]), (header.video.width, header.video.height)) if told else None


def _person(found: _Person, arrays: Arrays) -> Person:
    name = f"person{found.id}"
    track = _track(found.track, arrays, f"{name}/track")
    poses = None if found.poses is None else _poses(found.poses, len(track), arrays, f"{name}/poses")
    return Person(found.id, track, poses, found.actions)


def _track(found: _Track, arrays: Arrays, name: str) -> Track2D:
    layout, times = _skeleton(found.skeleton, name), _numbers(arrays, f"{name}/times", None)
    joints = (len(times), len(layout))
    return Track2D(
        points=_numbers(arrays, f"{name}/points", *joints, 2),
        scores=_numbers(arrays, f"{name}/scores", *joints),
        times=times,
        filled=_checked(arrays, f"{name}/filled", joints, (np.bool_,)),
        start=found.start,
        size=found.size,
        skeleton=layout,
    )


def _poses(found: _Poses, frames: int, arrays: Arrays, name: str) -> Poses3D:
    layout = _skeleton(found.skeleton, name)
    return Poses3D(
        points=_numbers(arrays, f"{name}/points", frames, len(layout), 3),
        times=_numbers(arrays, f"{name}/times", frames),
        root=_numbers(arrays, f"{name}/root", frames, 3) if f"{name}/root" in arrays else None,
        skeleton=layout,
    )


def _skeleton(name: str, owner: str) -> Skeleton:
    try:
        return skeleton(name)
    except DataError as error:
        raise DataError(f"{owner}/skeleton: {error}") from error


def _numbers(arrays: Arrays, name: str, *shape: int | None) -> Shaped[np.ndarray, "..."]:
    return _checked(arrays, name, shape, (np.float64, np.float32))


def _checked(
    arrays: Arrays, name: str, shape: tuple[int | None, ...], kinds: tuple[type[np.generic], ...]
) -> Shaped[np.ndarray, "..."]:
    """The array of that name, if it has one of these types and this shape; None in a shape is any length."""
    found = arrays[name]
    if found.dtype not in [np.dtype(kind) for kind in kinds]:
        raise DataError(f"{name} holds {found.dtype} values, expected {np.dtype(kinds[0])}.")
    if found.ndim != len(shape) or any(one not in (None, side) for one, side in zip(shape, found.shape, strict=True)):
        expected = ", ".join("any" if one is None else str(one) for one in shape)
        raise DataError(f"{name} has shape {found.shape}, expected ({expected}).")
    return found
