"""``angles.csv``: one row per person, frame and angle; and the figure beside it."""

import csv
from pathlib import Path

import numpy as np

from kinelift.app.export.angle_series import AngleSeries, angle_series
from kinelift.app.export.angles_figure import write_angles_figure
from kinelift.app.export.placing import place
from kinelift.poses import JointState, Recording
from kinelift.poses.output import replacing

COLUMNS = ("person", "frame", "time", "angle", "degrees", "seen", "error")


def write_angles(path: Path, recording: Recording) -> None:
    """Write the joint angles as a table, ``angles.csv``, and draw them, ``angles.png``.

    One row per person, frame and angle: ``degrees`` by the convention of the International Society of Biomechanics.
    The same sign means the same movement on both sides. ``seen`` is the least certain state of the joints that the
    angle rests on: seen, interpolated or unseen (then it is a guess). ``error`` is the expected error in degrees, from
    the expected errors of these joints taken as independent, which tends to be too large. Empty cells are unknown or
    not defined: a rotation of thigh or upper arm while knee or elbow is straighter than 15°, the plane of an arm within
    15° of the trunk's axis.

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


def _cells(series: AngleSeries, frame: int) -> list[float | str]:
    value, error = series.degrees[frame], series.error[frame]
    known = bool(np.isfinite(value))
    state = "" if series.seen is None else JointState(series.seen[frame]).name.lower()
    return [
        round(float(value), 2) + 0.0 if known else "",
        state,
        round(float(error), 1) if np.isfinite(error) else "",
    ]
