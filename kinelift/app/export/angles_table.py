"""Joint angles as a table: one row per person, frame and angle, with what each angle rests on."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int8

from kinelift.app.export.angles_figure import write_angles_figure
from kinelift.app.export.placing import Placed, motion_of, place
from kinelift.poses import JointState, Recording, Skeleton
from kinelift.poses.kinematics.angles import joint_angles
from kinelift.poses.output import replacing

COLUMNS = ("person", "frame", "time", "angle", "degrees", "seen", "error")
Bone = tuple[str, str]
_LIMB_BONES: Mapping[str, tuple[Bone, ...]] = {
    "hip_flexion": (("hip", "spine"), ("~hip", "~knee")),
    "hip_adduction": (("right_hip", "left_hip"), ("~hip", "~knee")),
    "hip_rotation": (("right_hip", "left_hip"), ("~knee", "~ankle")),
    "knee_flexion": (("~hip", "~knee"), ("~knee", "~ankle")),
    "ankle_dorsiflexion": (("~knee", "~ankle"), ("~heel", "~toe")),
    "shoulder_plane": (("right_shoulder", "left_shoulder"), ("~shoulder", "~elbow")),
    "shoulder_elevation": (("spine", "thorax"), ("~shoulder", "~elbow")),
    "shoulder_rotation": (("right_shoulder", "left_shoulder"), ("~elbow", "~wrist")),
    "elbow_flexion": (("~shoulder", "~elbow"), ("~elbow", "~wrist")),
}  # fmt: skip
"""The bones between which an angle lies; ~ stands for the side."""
_TRUNK_BONES: Mapping[str, tuple[Bone, ...]] = {
    "trunk_flexion": (("hip", "spine"), ("spine", "thorax")), "trunk_bending": (("hip", "spine"), ("spine", "thorax")),
    "trunk_rotation": (("right_hip", "left_hip"), ("right_shoulder", "left_shoulder")),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class AngleSeries:
    """One angle of one person over the frames of the track.

    Attributes:
        degrees: NaN where unknown or not defined.
        seen: The least certain ``JointState`` of the joints that it rests on; None if not computed.
        error: The expected error in degrees; NaN where it was not computed.
    """

    degrees: Float[np.ndarray, " T"]
    seen: Int8[np.ndarray, " T"] | None
    error: Float[np.ndarray, " T"]


def angle_series(person: Placed) -> dict[str, AngleSeries]:
    """All angles of a person by name (``poses.kinematics.angles.joint_angles``)."""
    skeleton = person.poses.skeleton
    angles = joint_angles(person.points, skeleton, motion_of(person))
    lifted = np.isfinite(person.points).all(-1).any(1)
    return {name: _series(person, skeleton, name, np.where(lifted, values, np.nan)) for name, values in angles.items()}


def write_angles(path: Path, recording: Recording) -> None:
    """Write the joint angles as a table, ``angles.csv``, and draw them, ``angles.png``.

    One row per person, frame and angle: ``degrees`` by the convention of the International Society of Biomechanics.
    The same sign means the same movement on both sides. ``seen`` is the least certain state of the joints that the
    angle rests on: seen, interpolated or unseen (then it is a guess). ``error`` is the expected error in degrees, from the expected
    errors of these joints taken as independent, which tends to be too large. Empty cells are unknown or not defined: a
    rotation of thigh or upper arm while knee or elbow is straighter than 15°, the plane of an arm within 15° of the
    trunk's axis.

    Raises:
        DataError: Nobody has 3D poses.
        OutputError: A file cannot be written.
    """
    people = {person.id: (person, angle_series(person)) for person in place(recording).people}
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for person, series in people.values():
            for frame, time in enumerate(person.poses.times):
                start = [person.id, person.start + frame, round(float(time), 6)]
                table.writerows([*start, name, *_cells(one, frame)] for name, one in series.items())
    figure = path.with_suffix(".png")
    write_angles_figure(figure, recording.video.name, people)


def bones_of(angle: str) -> tuple[Bone, ...]:
    """The pairs of joints between which an angle lies."""
    if angle in _TRUNK_BONES:
        return _TRUNK_BONES[angle]
    side, _, name = angle.partition("_")
    return tuple((a.replace("~", f"{side}_"), b.replace("~", f"{side}_")) for a, b in _LIMB_BONES[name])


def _series(person: Placed, skeleton: Skeleton, name: str, degrees: Float[np.ndarray, " T"]) -> AngleSeries:
    bones, poses = bones_of(name), person.poses
    if not {joint for bone in bones for joint in bone} <= {*skeleton.joints}:
        return AngleSeries(degrees, None, np.full(len(degrees), np.nan))
    pairs = [(skeleton.index(a), skeleton.index(b)) for a, b in bones]
    joints = sorted({joint for pair in pairs for joint in pair})
    seen = None if poses.seen is None else poses.seen[:, joints].min(1)
    error = np.full(len(degrees), np.nan) if poses.error is None else _error(person.points, poses.error, pairs)
    return AngleSeries(degrees, seen, np.where(np.isfinite(degrees), error, np.nan))


def _error(
    points: Float[np.ndarray, "T J 3"], error: Float[np.ndarray, "T J"], bones: Sequence[tuple[int, int]]
) -> Float[np.ndarray, " T"]:
    """The expected error of an angle between bones, degrees.

    A point whose expected distance from the truth is e has an expected error of e / 2 in any one direction, if errors
    are normally distributed and the same in all directions. Errors of different points are taken as independent.
    """
    variance = np.zeros(len(points))
    for a, b in bones:
        length = np.linalg.norm(points[:, a] - points[:, b], axis=-1)
        variance += (error[:, a] ** 2 + error[:, b] ** 2) / (2 * length) ** 2
    return np.asarray(np.degrees(np.sqrt(variance)))


def _cells(series: AngleSeries, frame: int) -> list[float | str]:
    value, error = series.degrees[frame], series.error[frame]
    known = bool(np.isfinite(value))
    state = "" if series.seen is None else JointState(series.seen[frame]).name.lower()
    return [
        round(float(value), 2) + 0.0 if known else "",
        state,
        round(float(error), 1) if np.isfinite(error) else "",
    ]
