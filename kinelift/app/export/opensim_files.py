"""TRC and MOT: markers and joint angles for OpenSim."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from kinelift.app.export.markers import marker_places, seen_markers
from kinelift.app.export.people_files import bone_residual, write_each
from kinelift.app.export.placing import Placed, motion_of
from kinelift.app.export.timing import Clock
from kinelift.poses import Recording
from kinelift.poses.kinematics import Motion
from kinelift.poses.kinematics.angles import HINGES, Turns, dorsiflexion, flexion
from kinelift.poses.timeseries import hold


def write_trc(path: Path, recording: Recording) -> None:
    """Write the joints of each person as markers, ``NAME-personID.trc``, and what is guessed as ``NAME.trc.json``.

    Markers have the names of Pose2Sim's HALPE_26 set; they lie at joint centres, not on the skin. Y is up, lengths are
    metres. Files cover the time in which the person is tracked, at a constant rate; times are those of the video.

    Raises:
        DataError: Nobody has 3D poses.
        OutputError: A file cannot be written.
    """

    def write(part: Path, person: Placed, clock: Clock) -> Mapping[str, Any]:
        with part.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.writelines(f"{line}\n" for line in _trc_lines(part.name, person, clock))
        return {}

    write_each(path, recording, write, whole=False)


def write_mot(path: Path, recording: Recording) -> None:
    """Write the joint angles of each person as ``NAME-personID.mot``, and what is guessed as ``NAME.mot.json``.

    Coordinates, signs and orders are those of Rajagopal's OpenSim model, in degrees; ``pelvis_tx`` … is the middle of
    the hips in metres, Y up. What joints do not show, such as ``subtalar_angle`` and ``pro_sup``, is 0. Files cover the
    time in which the person is tracked, at a constant rate; times are those of the video.

    Raises:
        DataError: Nobody has 3D poses.
        OutputError: A file cannot be written.
    """

    def write(part: Path, person: Placed, clock: Clock) -> Mapping[str, Any]:
        motion = motion_of(person).at(clock.times)
        with part.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{line}\n" for line in _mot_lines(coordinates(person, motion), clock))
        return bone_residual(person, motion_of(person))

    write_each(path, recording, write, whole=False)


def coordinates(person: Placed, motion: Motion) -> dict[str, Float[np.ndarray, " F"]]:
    """The coordinates of Rajagopal's model over the frames of a motion: degrees, and metres of the pelvis."""
    turns, skeleton, points = Turns(motion), person.poses.skeleton, motion.joints(person.poses.skeleton)
    names = ("pelvis_tilt", "pelvis_list", "pelvis_rotation")
    out = dict(zip(names, turns.pelvis().T, strict=True))
    out |= dict(zip(("pelvis_tx", "pelvis_ty", "pelvis_tz"), motion.root.T, strict=True))
    for side in ("right", "left"):
        knee, elbow = (
            flexion(points, skeleton, (f"{side}_{a}", f"{side}_{b}", f"{side}_{c}")) for a, b, c in HINGES.values()
        )
        nothing, hip, arm = np.zeros(len(motion)), turns.hip(side).T, turns.arm(side).T
        values = {
            "hip_flexion": hip[0], "hip_adduction": hip[1], "hip_rotation": hip[2], "knee_angle": knee,
            "ankle_angle": dorsiflexion(points, skeleton, side), "subtalar_angle": nothing, "mtp_angle": nothing,
            "arm_flex": arm[0], "arm_add": arm[1], "arm_rot": arm[2], "elbow_flex": elbow, "pro_sup": nothing,
        }  # fmt: skip
        out |= {f"{name}_{side[0]}": angle for name, angle in values.items()}
    out |= dict(zip(("lumbar_extension", "lumbar_bending", "lumbar_rotation"), turns.trunk().T, strict=True))
    metres = ("pelvis_tx", "pelvis_ty", "pelvis_tz")
    return {name: values if name in metres else _steady(values) for name, values in out.items()}


def _steady(degrees: Float[np.ndarray, " F"]) -> Float[np.ndarray, " F"]:
    """Angles without jumps by whole turns. What is unknown is held; 0 if it never is known."""
    return np.unwrap(np.nan_to_num(hold(degrees[:, None])[:, 0]), period=360.0)


def _trc_lines(name: str, person: Placed, clock: Clock) -> Iterator[str]:
    markers, frames = seen_markers(person), len(clock.times)
    rate = f"{clock.rate:.6f}".rstrip("0").rstrip(".")
    yield f"PathFileType\t4\t(X/Y/Z)\t{name}"
    yield "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames"
    yield f"{rate}\t{rate}\t{frames}\t{len(markers)}\tm\t{rate}\t1\t{frames}"
    yield "Frame#\tTime\t" + "\t\t\t".join(markers) + "\t\t"
    yield "\t\t" + "\t".join(f"{axis}{number}" for number in range(1, len(markers) + 1) for axis in "XYZ")
    yield ""
    places = marker_places(person, markers, clock).reshape(frames, -1) + 0.0
    for frame, (time, row) in enumerate(zip(clock.times, places, strict=True), 1):
        yield "\t".join([str(frame), f"{time:.6f}", *(f"{value:.6f}" for value in row)])


def _mot_lines(values: Mapping[str, Float[np.ndarray, " F"]], clock: Clock) -> Iterator[str]:
    yield from ("Coordinates", "version=1", f"nRows={len(clock.times)}", f"nColumns={len(values) + 1}")
    yield from ("inDegrees=yes", "", "endheader", "\t".join(["time", *values]))
    for time, row in zip(clock.times, np.stack([*values.values()], axis=1) + 0.0, strict=True):
        yield "\t".join([f"{time:.6f}", *(f"{value:.6f}" for value in row)])
