"""``recognition convert``: collections of labelled motion, each in its own layout → a folder that training reads."""

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
    "mocap": "the file that kinelift lifting prepare made of the CMU database",
}
_READERS: Mapping[Layout, Callable[[Path], Dataset]] = {
    "msr-action3d": msr_action3d.read,
    "sbu": sbu.read,
    "mocap": mocap.read,
}


def convert(path: Path, out: Path, layout: Layout, lifted: Path | None = None) -> Dataset:
    """Write the collection at ``path``, which has a ``layout`` of ``LAYOUTS``, as the new folder ``out``.

    ``lifted``: for motion capture, also the poses that ``kinelift lifting relift`` made of the same file.
    Raises ``DataError`` for what cannot be read, ``OutputError`` if ``out`` cannot be written or is there already,
    ``SettingsError`` for lifted poses of another layout.
    """
    if lifted and layout != "mocap":
        raise SettingsError(f"Lifted poses belong to the layout mocap; {layout} has none. Leave {lifted} out.")
    dataset = mocap.read(path, lifted) if lifted else _READERS[layout](path)
    labelled_folder.write(out, dataset)
    return dataset
