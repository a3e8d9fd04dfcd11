"""C3D: markers for programs of biomechanics, written by ezc3d (``pip install "kinelift[c3d]"``)."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from kinelift.app.export.markers import MARKERS, marker_errors, marker_places, markers_known, seen_markers
from kinelift.app.export.people_files import write_each
from kinelift.app.export.placing import Placed
from kinelift.app.export.timing import Clock
from kinelift.poses import Recording
from kinelift.poses.errors import OutputError

MOST_FRAMES = 65535
"""What two bytes count to: readers stop there."""
_MILLIMETRES = 1000.0
_MOST = 255.0
"""The format has one byte for a residual."""


def check_ezc3d() -> None:
    """Check that ezc3d is installed.

    Raises:
        OutputError: It is not.
    """
    if find_spec("ezc3d") is None:
        raise OutputError('C3D files need ezc3d, which is not installed. Install it with: pip install "kinelift[c3d]"')


def write_c3d(path: Path, recording: Recording) -> None:
    """Write the joints of each person as markers, ``NAME-personID.c3d``, and what is guessed as ``NAME.c3d.json``.

    Markers have the names of Pose2Sim's HALPE_26 set; they lie at joint centres, not on the skin. Y is up, lengths are
    millimetres. Files cover the whole video at a constant rate. A point without a place in a frame has residual -1; the
    residual of others is the expected error in whole millimetres, at most 255, 0 if it was not computed. A file holds
    at most 65,535 frames. Needs the extra ``c3d``.

    Raises:
        DataError: Nobody has 3D poses.
        OutputError: A file cannot be written, the video is too long, or ezc3d is not installed.
    """
    check_ezc3d()
    import ezc3d

    def write(part: Path, person: Placed, clock: Clock) -> Mapping[str, Any]:
        if len(clock.times) > MOST_FRAMES:
            raise OutputError(
                f"{path} cannot be written: {recording.video.name} has {len(clock.times)} frames, and C3D holds at "
                f"most {MOST_FRAMES}. Choose another format, such as trc."
            )
        file = ezc3d.c3d()
        _fill(file, person, clock)
        file.write(str(part))
        return {}

    write_each(path, recording, write, whole=True)


def _fill(file: Any, person: Placed, clock: Clock) -> None:
    """Put a person's markers into an empty file of ezc3d, whose arrays have the frames last."""
    names = seen_markers(person)
    known = markers_known(person, names, clock)
    places = np.where(known[..., None], marker_places(person, names, clock) * _MILLIMETRES, np.nan)
    errors = (marker_errors(person, names, clock) * _MILLIMETRES).clip(max=_MOST)
    residuals = np.where(known, errors, -1.0)
    file["data"]["points"] = places.transpose(2, 1, 0)
    file["data"]["meta_points"] = {
        "residuals": residuals.T[None],
        "camera_masks": np.zeros((7, len(names), len(clock.times)), dtype=bool),
    }
    file["parameters"]["POINT"]["RATE"]["value"] = [clock.rate]
    file["parameters"]["POINT"]["LABELS"]["value"] = names
    for parameter, text in (("UNITS", "mm"), ("X_SCREEN", "+X"), ("Y_SCREEN", "+Y")):
        file.add_parameter("POINT", parameter, [text])
    file.add_parameter("POINT", "DESCRIPTIONS", [f"{MARKERS[name].replace('_', ' ')}, joint centre" for name in names])
