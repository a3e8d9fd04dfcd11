"""Exports with one file per person, and a sidecar that says what is guessed in them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kinelift.app.export.placing import Placed, place
from kinelift.app.export.sidecar import guesses, sidecar_path, write_sidecar
from kinelift.app.export.timing import Clock, clock_of
from kinelift.poses import Recording
from kinelift.poses.kinematics import Motion
from kinelift.poses.output import replacing

Writer = Callable[[Path, Placed, Clock], Mapping[str, Any]]
"""Writes one person to a file, and returns what the sidecar should say about it besides its guesses."""


def file_of(path: Path, person: int) -> Path:
    """The file of one person: ``dance.bvh`` becomes ``dance-person1.bvh``."""
    return path.with_name(f"{path.stem}-person{person}{path.suffix}")


def write_each(path: Path, recording: Recording, write: Writer, whole: bool) -> None:
    """Write a file for each person, then the sidecar.

    Args:
        path: The name that those of the files are made from.
        recording: The recording.
        write: Writes one person.
        whole: Whether files cover the whole video, instead of the time in which the person is tracked.

    Raises:
        DataError: Nobody has 3D poses.
        OutputError: A file cannot be written.
    """
    scene, clock = place(recording), clock_of(recording.video)
    people = []
    for person in scene.people:
        target, times = file_of(path, person.id), person.poses.times
        own = clock if whole else clock.span(float(times[0]), float(times[-1]))
        with replacing(target) as part:
            about = write(part, person, own)
        people.append({"id": person.id, "file": target.name, **about, "guessed": guesses(person, own)})
    write_sidecar(sidecar_path(path), {**header(recording, scene.coordinates, clock), "people": people})


def header(recording: Recording, coordinates: str, clock: Clock) -> dict[str, Any]:
    """What a sidecar says about all people."""
    rate = {"rate": round(clock.rate, 6), "resampled": clock.resampled}
    return {"video": recording.video.name, "coordinates": coordinates, **rate}


def bone_residual(person: Placed, motion: Motion) -> dict[str, float]:
    """How far the rig's joints are from the recorded ones, millimetres: 0 unless the recorded bones change length."""
    apart = np.linalg.norm(motion.joints(person.poses.skeleton) - person.points, axis=-1)
    known = apart[np.isfinite(apart)]
    mean, worst = (1000 * float(known.mean()), 1000 * float(known.max())) if len(known) else (0.0, 0.0)
    return {"bone_residual_mean_mm": round(mean, 2), "bone_residual_max_mm": round(worst, 2)}
