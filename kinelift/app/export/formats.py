"""The formats that a recording can be exported to, and what writes each."""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from glob import escape
from pathlib import Path

from kinelift.app.export.angles_table import write_angles
from kinelift.app.export.bvh import Names, write_bvh
from kinelift.app.export.c3d import check_ezc3d, write_c3d
from kinelift.app.export.data_files import write_arrays, write_csv, write_json
from kinelift.app.export.glb import write_glb
from kinelift.app.export.opensim_files import write_mot, write_trc
from kinelift.app.export.people_files import file_of
from kinelift.app.export.placing import posed
from kinelift.app.export.sidecar import remarks as sidecar_remarks
from kinelift.app.export.sidecar import sidecar_path
from kinelift.app.export.timeline_figure import write_timeline_figure
from kinelift.app.export.viewer_page import export_viewer
from kinelift.poses import Recording
from kinelift.poses.errors import OutputError, SettingsError


class Format(Enum):
    """The formats that a recording can be exported to."""

    JSON = "json"
    CSV = "csv"
    NPZ = "npz"
    BVH = "bvh"
    GLB = "glb"
    TRC = "trc"
    MOT = "mot"
    C3D = "c3d"
    ANGLES = "angles"
    TIMELINE = "timeline"
    VIEWER = "viewer"

    @property
    def file(self) -> str:
        """The default name of such a file."""
        others = {Format.TIMELINE: "timeline.png", Format.ANGLES: "angles.csv", Format.VIEWER: "viewer.html"}
        return others.get(self, f"poses3d.{self.value}")

    @staticmethod
    def parse(names: str) -> "tuple[Format, ...]":
        """Formats by their names, separated by commas; none for an empty text.

        Raises:
            SettingsError: There is no such format.
        """
        known = {one.value: one for one in Format}
        wanted = [name.strip() for name in names.split(",") if name.strip()]
        for name in wanted:
            if name not in known:
                raise SettingsError(f"There is no export format {name!r}. Known: {', '.join(known)}.")
        return tuple(dict.fromkeys(known[name] for name in wanted))


WRITERS: Mapping[Format, Callable[..., None]] = {
    Format.JSON: write_json,
    Format.CSV: write_csv,
    Format.NPZ: write_arrays,
    Format.BVH: write_bvh,
    Format.GLB: write_glb,
    Format.TRC: write_trc,
    Format.MOT: write_mot,
    Format.C3D: write_c3d,
    Format.ANGLES: write_angles,
    Format.TIMELINE: write_timeline_figure,
    Format.VIEWER: export_viewer,
}
_ONE_PER_PERSON = (Format.BVH, Format.TRC, Format.MOT, Format.C3D)
_NAMED = (Format.BVH, Format.GLB)
"""The formats whose joints can have other names."""


def export(path: Path, recording: Recording, to: Format, names: Names = "plain") -> tuple[Path, ...]:
    """Write ``recording`` in a format, each file in one move. Files of people of an earlier export are removed.

    Args:
        path: The file; formats with one file per person make their names from it.
        recording: The recording.
        to: The format.
        names: The names of joints in bvh and glb.

    Returns:
        The files that were written.

    Raises:
        DataError: The format needs 3D poses, and there are none.
        OutputError: A file cannot be written.
    """
    if path.is_dir():
        raise OutputError(f"{path} cannot be written: it is a folder. Name a file in it.")
    if to is Format.ANGLES and path.suffix == ".png":
        raise OutputError(
            f"{path}: angles are a table with a figure beside it. Give the name of the table, such as angles.csv."
        )
    options = {"names": names} if to in _NAMED else {}
    WRITERS[to](path, recording, **options)
    written = outputs(path, recording, to)
    if to in _ONE_PER_PERSON:
        for earlier in path.parent.glob(f"{escape(path.stem)}-person*{escape(path.suffix)}"):
            if earlier not in written and re.fullmatch(r"-person\d+", earlier.stem.removeprefix(path.stem)):
                earlier.unlink(missing_ok=True)
    return written


def outputs(path: Path, recording: Recording, to: Format) -> tuple[Path, ...]:
    """The files that ``export`` writes."""
    if to in _ONE_PER_PERSON:
        return (*(file_of(path, person.id) for person in posed(recording)), sidecar_path(path))
    if to is Format.GLB:
        return path, sidecar_path(path)
    return (path, path.with_suffix(".png")) if to is Format.ANGLES else (path,)


def remarks(path: Path, to: Format) -> list[str]:
    """What the user should know about the files that ``export`` wrote."""
    return sidecar_remarks(sidecar_path(path)) if to in (*_ONE_PER_PERSON, Format.GLB) else []


def belongs_to(name: str, formats: Sequence[Format]) -> bool:
    """Whether a file of this name is an export to one of these formats, under its default name."""
    stems = [to.file.rpartition(".") for to in formats]
    pattern = "|".join(rf"{stem}(-person\d+)?\.{suffix}(\.json)?" for stem, _, suffix in stems)
    return re.fullmatch(pattern, name) is not None or (name == "angles.png" and Format.ANGLES in formats)


def check_available(formats: Sequence[Format]) -> None:
    """Check that what the formats need is installed.

    Raises:
        OutputError: It is not. Says how to install it.
    """
    if Format.C3D in formats:
        check_ezc3d()
