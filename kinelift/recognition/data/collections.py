"""``kinelift recognition convert``: public data sets, each in its own layout, to a folder that training reads."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from kinelift.poses.errors import SettingsError
from kinelift.recognition.data import labelled_folder, mocap, msr_action3d, sbu
from kinelift.recognition.data.clips import Dataset

Layout: TypeAlias = Literal["msr-action3d", "sbu", "mocap"]
LAYOUTS: Mapping[Layout, str] = {
    "msr-action3d": "a folder or archive with a01_s01_e01_skeleton3D.txt … of MSR-Action3D",
    "sbu": "a folder or archive with fold1_data.npy, fold1_label.pkl … of SBU Kinect Interaction",
    "mocap": "the file that kinelift lifting prepare made from the CMU database",
}
_READERS: Mapping[Layout, Callable[[Path], Dataset]] = {
    "msr-action3d": msr_action3d.read,
    "sbu": sbu.read,
    "mocap": mocap.read,
}


def convert(path: Path, out: Path, layout: Layout, lifted: Path | None = None) -> Dataset:
    """Convert a public data set to a new folder that training reads.

    Args:
        path: The data set, see ``LAYOUTS``.
        out: The new folder.
        layout: Which data set it is.
        lifted: For motion capture, the poses that ``kinelift lifting relift`` made from the same file.

    Raises:
        DataError: The data set cannot be read.
        OutputError: ``out`` exists, or cannot be written.
        SettingsError: ``lifted`` is given with another layout.
    """
    if lifted and layout != "mocap":
        raise SettingsError(f"Only the layout mocap has lifted poses; {layout} has none. Leave out --lifted {lifted}.")
    dataset = mocap.read(path, lifted) if lifted else _READERS[layout](path)
    labelled_folder.write(out, dataset)
    return dataset
