"""The data of a recording as CSV, JSON and NPZ.

All use the same units: seconds, pixels (x right, y down), and metres in the camera frame (x right, y down, z forward)
and in the world (y up). Row i of a person's track and poses belongs to frame ``start + i`` of the video.
"""

import csv
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped

from kinelift.app.export.actions_json import actions_to_json
from kinelift.poses import COCO17, H36M17, JointState, Person, Poses3D, Recording, Skeleton, World, convert
from kinelift.poses.camera import Camera
from kinelift.poses.output import replacing

COLUMNS = (
    "person", "frame", "time", "joint", "x", "y", "z", "root_x", "root_y", "root_z", "seen", "error", "contact",
    "world_x", "world_y", "world_z",
)  # fmt: skip
JSON_VERSION = 1
"""The version of the JSON document, described by ``poses3d.schema.json`` beside this module."""
_METRES, _PIXELS, _SECONDS, _SCORES, _ROTATIONS = 4, 2, 6, 4, 8
_BLOCK = 1000
"""Frames that are turned into rows at a time, because Python's numbers take much more memory than arrays."""
_Values = Shaped[np.ndarray, "..."]


def write_csv(path: Path, recording: Recording) -> None:
    """Write one row per person, frame and joint; people without 3D poses are left out.

    ``x y z`` are metres from the person's root joint. ``root_x root_y root_z`` is the position of the root joint in the
    camera frame, so that ``x + root_x`` … is that of the joint. ``seen`` tells what the joint rests on in this frame:
    its keypoint was seen, interpolated over a short gap, or unseen (then the position is a guess). ``error`` is the
    expected distance of ``x y z`` from the truth in metres. ``contact`` is 1 where the joint rests on the floor, or 0.
    ``world_x world_y world_z`` is the joint in the world, whose y is up and whose floor is at 0. An empty cell was not
    visible or not computed; pandas reads it as NaN.

    Raises:
        OutputError: The file cannot be written.
    """
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for person in recording.people:
            table.writerows(_rows(person, recording.world))


def write_json(path: Path, recording: Recording) -> None:
    """Write the whole recording as standard JSON. Values that were not visible or not computed are null.

    ``skeletons`` lists joints in order and bones as index pairs; each ``track`` and ``poses`` names its skeleton.
    ``camera`` has the focal lengths and the principal point in pixels, and OpenCV's distortion coefficients, if any.
    ``seen`` of the poses holds, for each frame and joint, an index into ``states``; ``error`` the expected distance
    from the truth in metres; ``contact`` whether the joint rests on the floor. The camera's ``rotations`` are null, or
    a matrix per frame from its axes to those of the poses. ``world`` places the camera: ``rotation`` (rows are the
    world's axes, y up, in camera axes) times a position in the camera frame, plus ``position``, is one in the world;
    ``world`` of the poses holds the joints there. ``version`` rises when something that was there changes. A JSON
    Schema of the document is installed with the program: ``kinelift/app/export/poses3d.schema.json``.

    Raises:
        OutputError: The file cannot be written.
    """
    video = recording.video
    document = {
        "version": JSON_VERSION,
        "video": {"name": video.name, "width": video.width, "height": video.height, "times": _to_lists(video.times, 6)},
        "made_with": dict(recording.made_with),
        "camera": None if recording.camera is None else _camera_json(recording.camera),
        "world": None if recording.world is None else _world_json(recording.world),
        "states": [state.name.lower() for state in JointState],
        "skeletons": {skeleton.name: _skeleton_json(skeleton) for skeleton in _skeletons(recording)},
        "people": [_person_json(person, recording.world) for person in recording.people],
    }
    with replacing(path) as part, part.open("w", encoding="utf-8", errors="backslashreplace") as file:
        json.dump(document, file, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        file.write("\n")


def write_arrays(path: Path, recording: Recording) -> None:
    """Write plain NumPy arrays over the video's F frames, for P people with J joints in 3D and K in 2D.

    ``times`` (F,), ``ids`` (P,), ``joints3d`` (J,), ``points3d`` (P, F, J, 3) from the root joint, ``root3d``
    (P, F, 3), ``seen3d`` (P, F, J): 2 = seen, 1 = interpolated, 0 = unseen, -1 = not computed, ``error3d`` (P, F, J):
    expected distance from the truth in metres, ``joints2d`` (K,), ``points2d`` (P, F, K, 2), ``scores`` (P, F, K),
    ``camera`` (11,): ``parameters`` of ``poses.camera``; ``camera_rotations`` (F, 3, 3), from the camera's axes to
    those of the poses, if it turns; ``contact3d`` (P, F, J): 1 = rests on the floor, 0 = does not, -1 = not computed;
    ``world3d`` (P, F, J, 3): the joints in the world, whose y is up and whose floor is at 0; ``world_rotation`` (3, 3)
    and ``world_position`` (3,), as in the recording. NaN = not visible or not computed. The
    joints are those of the first person; other people's joints are matched by name.

    Raises:
        OutputError: The file cannot be written.
    """
    frames, people = len(recording.video.times), recording.people
    skeleton_2d = people[0].track.skeleton if people else COCO17
    skeleton_3d = next((person.poses.skeleton for person in people if person.poses), H36M17)
    seen = _over_frames(frames, (len(skeleton_3d),), [_per_joint(person, skeleton_3d, "seen") for person in people])
    error, contact = ([_per_joint(person, skeleton_3d, name) for person in people] for name in ("error", "contact"))
    touching = _over_frames(frames, (len(skeleton_3d),), contact)
    world = recording.world
    placed = [_world3d(person, skeleton_3d, world) for person in people]
    arrays: dict[str, Any] = {
        "times": recording.video.times,
        "ids": np.array([person.id for person in people], dtype=np.int64),
        "joints3d": np.array(skeleton_3d.joints),
        "points3d": _over_frames(frames, (len(skeleton_3d), 3), [_points3d(person, skeleton_3d) for person in people]),
        "root3d": _over_frames(frames, (3,), [_root(person) for person in people]),
        "seen3d": np.nan_to_num(seen, nan=-1).astype(np.int8),
        "error3d": _over_frames(frames, (len(skeleton_3d),), error),
        "contact3d": np.nan_to_num(touching, nan=-1).astype(np.int8),
        "world3d": _over_frames(frames, (len(skeleton_3d), 3), placed),
        "world_rotation": np.full((3, 3), np.nan) if world is None else world.rotation,
        "world_position": np.full(3, np.nan) if world is None else world.position,
        "joints2d": np.array(skeleton_2d.joints),
        "points2d": _over_frames(frames, (len(skeleton_2d), 2), [_points2d(person, skeleton_2d) for person in people]),
        "scores": _over_frames(frames, (len(skeleton_2d),), [_scores(person, skeleton_2d) for person in people]),
        "camera": np.full(11, np.nan) if recording.camera is None else recording.camera.parameters,
    }
    if recording.camera is not None and recording.camera.rotations is not None:
        arrays["camera_rotations"] = recording.camera.rotations
    with replacing(path) as part, part.open("wb") as file:
        np.savez_compressed(file, **arrays)


def _rows(person: Person, world: World | None) -> Iterator[list[Any]]:
    if person.poses is None:
        return
    for first in range(0, len(person.poses), _BLOCK):
        yield from _block(person.id, person.track.start + first, person.poses.frames(first, first + _BLOCK), world)


def _block(number: int, start: int, poses: Poses3D, world: World | None) -> Iterator[list[Any]]:
    """The rows of some frames, the first of which is ``start`` of the video."""
    root = np.full((len(poses), 3), np.nan) if poses.root is None else poses.root
    places = _to_lists(_in_world(poses, world), _METRES)
    contact = (
        [[None] * len(poses.skeleton)] * len(poses) if poses.contact is None else poses.contact.astype(int).tolist()
    )
    columns = (*_confidence(poses), contact, places)
    frames = zip(poses.times, _to_lists(root, _METRES), _to_lists(poses.points, _METRES), *columns, strict=True)
    for i, (time, middle, *by_joint) in enumerate(frames):
        row = [number, start + i, round(float(time), _SECONDS)]
        for joint, point, seen, error, touches, place in zip(poses.skeleton.joints, *by_joint, strict=True):
            yield [*row, joint, *point, *middle, seen, error, touches, *place]


def _in_world(poses: Poses3D, world: World | None) -> Float[np.ndarray, "T J 3"]:
    """The joints in the world; NaN without a world or a place in the camera frame."""
    if world is None or poses.root is None:
        return np.full(poses.points.shape, np.nan)
    return world.from_camera(poses.points + poses.root[:, None])


def _confidence(poses: Poses3D) -> tuple[list[Any], list[Any]]:
    """The names of the states and the errors of each frame's joints; None if not computed."""
    unknown = np.full(poses.points.shape[:2], np.nan)
    names = np.array([*(state.name.lower() for state in JointState), None], dtype=object)
    states = np.full(unknown.shape, -1) if poses.seen is None else poses.seen
    return names[states].tolist(), _to_lists(unknown if poses.error is None else poses.error, _METRES)


def _skeletons(recording: Recording) -> Iterator[Skeleton]:
    for person in recording.people:
        yield person.track.skeleton
        if person.poses is not None:
            yield person.poses.skeleton


def _camera_json(camera: Camera) -> dict[str, Any]:
    lens = None if camera.distortion is None else asdict(camera.distortion)
    turns = None if camera.rotations is None else _to_lists(camera.rotations, _ROTATIONS)
    return {"focal": list(camera.focals), "centre": list(camera.centre), "distortion": lens, "rotations": turns}


def _world_json(world: World) -> dict[str, Any]:
    return {"rotation": _to_lists(world.rotation, _ROTATIONS), "position": _to_lists(world.position, _METRES)}


def _skeleton_json(skeleton: Skeleton) -> dict[str, Any]:
    return {"joints": list(skeleton.joints), "bones": [list(bone) for bone in skeleton.bones]}


def _person_json(person: Person, world: World | None) -> dict[str, Any]:
    track, poses = person.track, person.poses
    return {
        "id": person.id,
        "start": track.start,
        "times": _to_lists(track.times, _SECONDS),
        "track": {
            "skeleton": track.skeleton.name,
            "points": _to_lists(track.points, _PIXELS),
            "scores": _to_lists(track.scores, _SCORES),
            "filled": track.filled.tolist(),
        },
        "poses": None if poses is None else {
            "skeleton": poses.skeleton.name,
            "points": _to_lists(poses.points, _METRES),
            "root": None if poses.root is None else _to_lists(poses.root, _METRES),
            "world": None if world is None or poses.root is None else _to_lists(_in_world(poses, world), _METRES),
            "seen": None if poses.seen is None else poses.seen.tolist(),
            "error": None if poses.error is None else _to_lists(poses.error, _METRES),
            "contact": None if poses.contact is None else poses.contact.tolist(),
        },
        "actions": actions_to_json(person.actions),
    }  # fmt: skip


def _to_lists(values: _Values, decimals: int) -> list[Any]:
    """Rounded nested lists, with None for NaN."""
    rounded = np.round(values.astype(np.float64), decimals) + 0.0  # turns -0.0 into 0.0; float32 has no short decimals
    nested = rounded.astype(object)
    nested[np.isnan(rounded)] = None
    lists: list[Any] = nested.tolist()
    return lists


def _over_frames(
    frames: int, shape: tuple[int, ...], people: list[tuple[int, _Values]]
) -> Float[np.ndarray, "P F *values"]:
    """Place the values of each person, given with their first frame, on all frames of the video."""
    out = np.full((len(people), frames, *shape), np.nan)
    for row, (start, values) in zip(out, people, strict=True):
        row[start : start + len(values)] = values
    return out


def _points3d(person: Person, skeleton: Skeleton) -> tuple[int, _Values]:
    if person.poses is None:
        return 0, np.zeros((0, len(skeleton), 3))
    return person.track.start, convert(person.poses.points, person.poses.skeleton, skeleton)


def _world3d(person: Person, skeleton: Skeleton, world: World | None) -> tuple[int, _Values]:
    if person.poses is None:
        return 0, np.zeros((0, len(skeleton), 3))
    return person.track.start, convert(_in_world(person.poses, world), person.poses.skeleton, skeleton)


def _per_joint(person: Person, skeleton: Skeleton, name: str) -> tuple[int, _Values]:
    """The values of an optional field of the poses."""
    values = None if person.poses is None else getattr(person.poses, name)
    if person.poses is None or values is None:
        return 0, np.zeros((0, len(skeleton)))
    return person.track.start, convert(values[..., None], person.poses.skeleton, skeleton)[..., 0]


def _root(person: Person) -> tuple[int, _Values]:
    if person.poses is None or person.poses.root is None:
        return 0, np.zeros((0, 3))
    return person.track.start, person.poses.root


def _points2d(person: Person, skeleton: Skeleton) -> tuple[int, _Values]:
    return person.track.start, convert(person.track.points, person.track.skeleton, skeleton)


def _scores(person: Person, skeleton: Skeleton) -> tuple[int, _Values]:
    return person.track.start, convert(person.track.scores[..., None], person.track.skeleton, skeleton)[..., 0]
