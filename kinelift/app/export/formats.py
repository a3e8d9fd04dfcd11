"""Recordings for other programs: csv for tables, json for everything, npz for numpy; and as the timeline's figure.

The files of numbers hold the same ones: seconds, pixels (x right, y down), metres in the camera frame (x right, y down,
z forward). Row i of a person's track and poses is frame ``start + i`` of the video.
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

from kinelift.app.export.actions_json import plain_actions
from kinelift.app.export.timeline_figure import write_timeline_figure
from kinelift.poses import COCO17, H36M17, Person, Recording, Skeleton, convert
from kinelift.poses.camera import Camera
from kinelift.poses.output import replacing

COLUMNS = ("person", "frame", "time", "joint", "x", "y", "z", "root_x", "root_y", "root_z")
_METRES, _PIXELS, _SECONDS, _SCORES = 4, 2, 6, 4
_Values = Shaped[np.ndarray, "..."]


class Format(Enum):
    """What a recording can be exported to."""

    JSON = "json"
    CSV = "csv"
    NPZ = "npz"
    TIMELINE = "timeline"

    @property
    def file(self) -> str:
        """The usual name of such a file."""
        return "timeline.png" if self is Format.TIMELINE else f"poses3d.{self.value}"


def write_csv(path: Path, recording: Recording) -> None:
    """One row a person, frame and joint; people without 3D poses have none.

    ``x y z``: metres from the person's root joint. ``root_x root_y root_z``: the root joint's place in the camera
    frame, so that ``x + root_x`` … is the joint's. An empty cell was not seen or not computed: pandas reads NaN.
    """
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for person in recording.people:
            table.writerows(_rows(person))


def write_json(path: Path, recording: Recording) -> None:
    """Everything, as standard JSON: what was not seen or not computed is null.

    ``skeletons`` lists joints in order and bones as index pairs; a person's ``track`` and ``poses`` name theirs.
    ``camera``: focal lengths and principal point in pixels, and OpenCV's distortion coefficients, if there are any.
    """
    video = recording.video
    document = {
        "video": {"name": video.name, "width": video.width, "height": video.height, "times": _plain(video.times, 6)},
        "made_with": dict(recording.made_with),
        "camera": None if recording.camera is None else _plain_camera(recording.camera),
        "skeletons": {layout.name: _plain_skeleton(layout) for layout in _layouts(recording)},
        "people": [_plain_person(person) for person in recording.people],
    }
    with replacing(path) as part, part.open("w", encoding="utf-8", errors="backslashreplace") as file:
        json.dump(document, file, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        file.write("\n")


def write_arrays(path: Path, recording: Recording) -> None:
    """Plain arrays over the video's F frames for P people, J joints in 3D and K in 2D.

    ``times`` (F,), ``ids`` (P,), ``joints3d`` (J,), ``points3d`` (P, F, J, 3) from the root joint, ``root3d``
    (P, F, 3), ``joints2d`` (K,), ``points2d`` (P, F, K, 2), ``scores`` (P, F, K), ``camera`` (11,): ``parameters`` of
    ``poses.camera``. NaN = not seen or not computed.
    Joints are those of the first person; other people's are matched by name.
    """
    frames, people = len(recording.video.times), recording.people
    flat = people[0].track.skeleton if people else COCO17
    deep = next((person.poses.skeleton for person in people if person.poses), H36M17)
    arrays: dict[str, Any] = {
        "times": recording.video.times,
        "ids": np.array([person.id for person in people], dtype=np.int64),
        "joints3d": np.array(deep.joints),
        "points3d": _laid_out(frames, (len(deep), 3), [_points3d(person, deep) for person in people]),
        "root3d": _laid_out(frames, (3,), [_root(person) for person in people]),
        "joints2d": np.array(flat.joints),
        "points2d": _laid_out(frames, (len(flat), 2), [_points2d(person, flat) for person in people]),
        "scores": _laid_out(frames, (len(flat),), [_scores(person, flat) for person in people]),
        "camera": np.full(11, np.nan) if recording.camera is None else recording.camera.parameters,
    }
    with replacing(path) as part, part.open("wb") as file:
        np.savez_compressed(file, **arrays)


WRITERS: Mapping[Format, Callable[[Path, Recording], None]] = {
    Format.JSON: write_json,
    Format.CSV: write_csv,
    Format.NPZ: write_arrays,
    Format.TIMELINE: write_timeline_figure,
}


def export(path: Path, recording: Recording, to: Format) -> None:
    """Write ``recording`` to ``path`` in one move. Raises ``OutputError``."""
    WRITERS[to](path, recording)


def _rows(person: Person) -> Iterator[list[Any]]:
    poses = person.poses
    if poses is None:
        return
    nowhere = np.full((len(poses), 3), np.nan)
    roots = _plain(nowhere if poses.root is None else poses.root, _METRES)
    for i, (time, points, root) in enumerate(zip(poses.times, _plain(poses.points, _METRES), roots, strict=True)):
        moment = [person.id, person.track.start + i, round(float(time), _SECONDS)]
        for joint, point in zip(poses.skeleton.joints, points, strict=True):
            yield [*moment, joint, *point, *root]


def _layouts(recording: Recording) -> Iterator[Skeleton]:
    for person in recording.people:
        yield person.track.skeleton
        if person.poses is not None:
            yield person.poses.skeleton


def _plain_camera(camera: Camera) -> dict[str, Any]:
    lens = None if camera.distortion is None else asdict(camera.distortion)
    return {"focal": list(camera.focals), "centre": list(camera.centre), "distortion": lens}


def _plain_skeleton(layout: Skeleton) -> dict[str, Any]:
    return {"joints": list(layout.joints), "bones": [list(bone) for bone in layout.bones]}


def _plain_person(person: Person) -> dict[str, Any]:
    track, poses = person.track, person.poses
    return {
        "id": person.id,
        "start": track.start,
        "times": _plain(track.times, _SECONDS),
        "track": {
            "skeleton": track.skeleton.name,
            "points": _plain(track.points, _PIXELS),
            "scores": _plain(track.scores, _SCORES),
            "filled": track.filled.tolist(),
        },
        "poses": None if poses is None else {
            "skeleton": poses.skeleton.name,
            "points": _plain(poses.points, _METRES),
            "root": None if poses.root is None else _plain(poses.root, _METRES),
        },
        "actions": plain_actions(person.actions),
    }  # fmt: skip


def _plain(values: _Values, decimals: int) -> list[Any]:
    """Rounded nested lists, None for NaN."""
    rounded = np.round(values, decimals) + 0.0  # no minus zero
    nested = rounded.astype(object)
    nested[np.isnan(rounded)] = None
    return nested.tolist()


def _laid_out(
    frames: int, shape: tuple[int, ...], people: list[tuple[int, _Values]]
) -> Float[np.ndarray, "P F *values"]:
    """(first frame, values) of everybody on the frames of the video."""
    out = np.full((len(people), frames, *shape), np.nan)
    for row, (start, values) in zip(out, people, strict=True):
        row[start : start + len(values)] = values
    return out


def _points3d(person: Person, layout: Skeleton) -> tuple[int, _Values]:
    if person.poses is None:
        return 0, np.zeros((0, len(layout), 3))
    return person.track.start, convert(person.poses.points, person.poses.skeleton, layout)


def _root(person: Person) -> tuple[int, _Values]:
    if person.poses is None or person.poses.root is None:
        return 0, np.zeros((0, 3))
    return person.track.start, person.poses.root


def _points2d(person: Person, layout: Skeleton) -> tuple[int, _Values]:
    return person.track.start, convert(person.track.points, person.track.skeleton, layout)


def _scores(person: Person, layout: Skeleton) -> tuple[int, _Values]:
    return person.track.start, convert(person.track.scores[..., None], person.track.skeleton, layout)[..., 0]
