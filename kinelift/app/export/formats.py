"""Exports recordings as CSV, JSON, NPZ or a page, and their actions as a figure.

The data files use the same units: seconds, pixels (x right, y down), and metres in the camera frame (x right, y down, z
forward). Row i of a person's track and poses belongs to frame ``start + i`` of the video.
"""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped

from kinelift.app.export.actions_json import actions_to_json
from kinelift.app.export.timeline_figure import write_timeline_figure
from kinelift.app.export.viewer_page import write_viewer
from kinelift.poses import COCO17, H36M17, JointState, Person, Poses3D, Recording, Skeleton, World, convert
from kinelift.poses.camera import Camera
from kinelift.poses.output import replacing

COLUMNS = (
    "person", "frame", "time", "joint", "x", "y", "z", "root_x", "root_y", "root_z", "seen", "error", "contact",
    "world_x", "world_y", "world_z",
)  # fmt: skip
_METRES, _PIXELS, _SECONDS, _SCORES, _ROTATIONS = 4, 2, 6, 4, 8
_Values = Shaped[np.ndarray, "..."]


class Format(Enum):
    """The formats that a recording can be exported to."""

    JSON = "json"
    CSV = "csv"
    NPZ = "npz"
    TIMELINE = "timeline"
    VIEWER = "viewer"

    @property
    def file(self) -> str:
        """The default name of such a file."""
        return {Format.TIMELINE: "timeline.png", Format.VIEWER: "viewer.html"}.get(self, f"poses3d.{self.value}")


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
    world's axes, y up, in camera axes) times a position in the camera frame, plus ``position``, is one in the world.

    Raises:
        OutputError: The file cannot be written.
    """
    video = recording.video
    document = {
        "video": {"name": video.name, "width": video.width, "height": video.height, "times": _to_lists(video.times, 6)},
        "made_with": dict(recording.made_with),
        "camera": None if recording.camera is None else _camera_json(recording.camera),
        "world": None if recording.world is None else _world_json(recording.world),
        "states": [state.name.lower() for state in JointState],
        "skeletons": {skeleton.name: _skeleton_json(skeleton) for skeleton in _skeletons(recording)},
        "people": [_person_json(person) for person in recording.people],
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
    ``world_rotation`` (3, 3) and ``world_position`` (3,), as in the recording. NaN = not visible or not computed. The
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
    arrays: dict[str, Any] = {
        "times": recording.video.times,
        "ids": np.array([person.id for person in people], dtype=np.int64),
        "joints3d": np.array(skeleton_3d.joints),
        "points3d": _over_frames(frames, (len(skeleton_3d), 3), [_points3d(person, skeleton_3d) for person in people]),
        "root3d": _over_frames(frames, (3,), [_root(person) for person in people]),
        "seen3d": np.nan_to_num(seen, nan=-1).astype(np.int8),
        "error3d": _over_frames(frames, (len(skeleton_3d),), error),
        "contact3d": np.nan_to_num(touching, nan=-1).astype(np.int8),
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


WRITERS: Mapping[Format, Callable[[Path, Recording], None]] = {
    Format.JSON: write_json,
    Format.CSV: write_csv,
    Format.NPZ: write_arrays,
    Format.TIMELINE: write_timeline_figure,
    Format.VIEWER: write_viewer,
}


def export(path: Path, recording: Recording, to: Format) -> None:
    """Write ``recording`` to ``path`` in one move. Raises ``OutputError``."""
    WRITERS[to](path, recording)


def _rows(person: Person, world: World | None) -> Iterator[list[Any]]:
    poses = person.poses
    if poses is None:
        return
    root = np.full((len(poses), 3), np.nan) if poses.root is None else poses.root
    joints = poses.points + root[:, None]
    places = _to_lists(np.full(joints.shape, np.nan) if world is None else world.from_camera(joints), _METRES)
    contact = [[None] * joints.shape[1]] * len(poses) if poses.contact is None else poses.contact.astype(int).tolist()
    columns = (*_confidence(poses), contact, places)
    frames = zip(poses.times, _to_lists(root, _METRES), _to_lists(poses.points, _METRES), *columns, strict=True)
    for i, (time, middle, *by_joint) in enumerate(frames):
        row = [person.id, person.track.start + i, round(float(time), _SECONDS)]
        for joint, point, seen, error, touches, place in zip(poses.skeleton.joints, *by_joint, strict=True):
            yield [*row, joint, *point, *middle, seen, error, touches, *place]


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


def _person_json(person: Person) -> dict[str, Any]:
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
            "seen": None if poses.seen is None else poses.seen.tolist(),
            "error": None if poses.error is None else _to_lists(poses.error, _METRES),
            "contact": None if poses.contact is None else poses.contact.tolist(),
        },
        "actions": actions_to_json(person.actions),
    }  # fmt: skip


def _to_lists(values: _Values, decimals: int) -> list[Any]:
    """Rounded nested lists, with None for NaN."""
    rounded = np.round(values, decimals) + 0.0  # turns -0.0 into 0.0
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
