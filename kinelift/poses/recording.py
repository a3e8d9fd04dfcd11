"""Recordings as files: one versioned npz without pickle.

``header`` is JSON text: format number, video, people, their actions, and by name the skeletons they travel with.
Numbers lie beside it: ``times`` of the video, and ``person<id>/track/…`` and ``person<id>/poses/…`` arrays, named as
in the containers and stored bit by bit. A stage that has not run left no array and a null in the header.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from kinelift.poses.containers import Action, Person, Poses3D, Recording, Track2D, VideoFacts
from kinelift.poses.errors import DataError, KineliftError
from kinelift.poses.output import replacing
from kinelift.poses.skeleton import skeleton

FORMAT = 1
Arrays = Mapping[str, Shaped[np.ndarray, "..."]]


def save(path: Path, recording: Recording) -> None:
    """Write ``recording`` to ``path`` in one move.

    Raises ``OutputError`` if it cannot be written, ``DataError`` if two people share an id.
    """
    if len({person.id for person in recording.people}) < len(recording.people):
        raise DataError(f"The recording of {recording.video.name} has two people with one id; give each their own.")
    arrays: dict[str, Any] = {"header": np.array(json.dumps(_header(recording))), "times": recording.video.times}
    for person in recording.people:
        arrays |= _arrays(person)
    with replacing(path) as part, part.open("wb") as file:
        np.savez_compressed(file, **arrays)


def load(path: Path) -> Recording:
    """Read what ``save`` wrote. Raises ``DataError`` for anything else; nothing in the file is executed."""
    if not path.is_file():
        raise DataError(f"There is no recording {path}. Make one with: kinelift run VIDEO")
    try:
        with np.load(path, allow_pickle=False) as file:
            return _recording(dict(file))
    except KineliftError as error:
        raise DataError(f"{path} cannot be used: {error}") from error
    except Exception as error:  # damaged bytes can raise anything
        raise DataError(
            f"{path} is not a recording, or it is damaged ({error}). Make it anew from its video."
        ) from error


def _header(recording: Recording) -> dict[str, Any]:
    video = recording.video
    return {
        "format": FORMAT,
        "video": {"name": video.name, "width": video.width, "height": video.height},
        "made_with": dict(recording.made_with),
        "people": [_description(person) for person in recording.people],
    }


def _description(person: Person) -> dict[str, Any]:
    track, poses, actions = person.track, person.poses, person.actions
    return {
        "id": person.id,
        "track": {"start": track.start, "size": list(track.size), "skeleton": track.skeleton.name},
        "poses": None if poses is None else {"skeleton": poses.skeleton.name},
        "actions": None if actions is None else [asdict(action) for action in actions],
    }


def _arrays(person: Person) -> dict[str, Shaped[np.ndarray, "..."]]:
    track, poses = person.track, person.poses
    found = {f"track/{name}": getattr(track, name) for name in ("points", "scores", "times", "filled")}
    if poses is not None:
        found |= {"poses/points": poses.points, "poses/times": poses.times}
        if poses.root is not None:
            found["poses/root"] = poses.root
    return {f"person{person.id}/{name}": array for name, array in found.items()}


def _recording(arrays: Arrays) -> Recording:
    header = json.loads(str(arrays["header"]))
    if header.get("format") != FORMAT:
        raise DataError(f"it has recording format {header.get('format')}, and this version reads {FORMAT}.")
    video = VideoFacts(**header["video"], times=_numbers(arrays, "times"))
    people = tuple(_person(description, arrays) for description in header["people"])
    return Recording(video, people, header["made_with"])


def _person(description: Mapping[str, Any], arrays: Arrays) -> Person:
    prefix, actions = f"person{description['id']}", description["actions"]
    return Person(
        description["id"],
        _track(description["track"], arrays, f"{prefix}/track"),
        None if description["poses"] is None else _poses(description["poses"], arrays, f"{prefix}/poses"),
        None if actions is None else tuple(Action(**action) for action in actions),
    )


def _track(description: Mapping[str, Any], arrays: Arrays, prefix: str) -> Track2D:
    width, height = description["size"]
    return Track2D(
        points=_numbers(arrays, f"{prefix}/points"),
        scores=_numbers(arrays, f"{prefix}/scores"),
        times=_numbers(arrays, f"{prefix}/times"),
        filled=_of_kind(arrays, f"{prefix}/filled", "b"),
        start=int(description["start"]),
        size=(int(width), int(height)),
        skeleton=skeleton(description["skeleton"]),
    )


def _poses(description: Mapping[str, Any], arrays: Arrays, prefix: str) -> Poses3D:
    root = f"{prefix}/root"
    return Poses3D(
        points=_numbers(arrays, f"{prefix}/points"),
        times=_numbers(arrays, f"{prefix}/times"),
        root=_numbers(arrays, root) if root in arrays else None,
        skeleton=skeleton(description["skeleton"]),
    )


def _numbers(arrays: Arrays, name: str) -> Shaped[np.ndarray, "..."]:
    return _of_kind(arrays, name, "f")


def _of_kind(arrays: Arrays, name: str, kind: str) -> Shaped[np.ndarray, "..."]:
    if arrays[name].dtype.kind != kind:
        raise DataError(f"its {name} holds {arrays[name].dtype} values.")
    return arrays[name]
