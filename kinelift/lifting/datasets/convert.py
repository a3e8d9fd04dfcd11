"""``lifting convert``: converts recorded data sets in several layouts to a single sequence file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from kinelift.lifting.datasets import human36m, mpi3dhp
from kinelift.lifting.datasets.community import read_community
from kinelift.lifting.datasets.sequences import SequenceBank
from kinelift.lifting.datasets.tracks import VideoInfo, read_tracks
from kinelift.poses.errors import SettingsError

Layout: TypeAlias = Literal["npz", "human36m", "mpi3dhp-train", "mpi3dhp-test", "tracks"]
LAYOUTS: Mapping[Layout, str] = {
    "npz": "data_2d_*.npz, and data_3d_*.npz for the true poses, as shared for Human3.6M, HumanEva and own videos",
    "human36m": "a folder with the D3 positions of Human3.6M, and metadata.xml (or a JSON) with its cameras",
    "mpi3dhp-train": "a folder S1 … S8 of MPI-INF-3DHP, or data_train_3dhp.npz",
    "mpi3dhp-test": "a folder TS1 … TS6 of MPI-INF-3DHP, or data_test_3dhp.npz",
    "tracks": "keypoints without true poses: a folder of OpenPose JSON, COCO results, or a recording of Kinelift",
}
PATH_COUNTS: Mapping[Layout, tuple[int, ...]] = {
    "npz": (1, 2), "human36m": (2,), "mpi3dhp-train": (1,), "mpi3dhp-test": (1,), "tracks": (1,)
}  # fmt: skip
"""How many paths each layout may take."""


def convert(
    layout: Layout,
    files: tuple[Path, ...],
    size: tuple[int, int] | None = None,
    rate: float | None = None,
    projections: Path | None = None,
) -> tuple[SequenceBank, str]:
    """Read a data set.

    Args:
        layout: A key of ``LAYOUTS``.
        files: The files or folders of the data set.
        size: Width and height of the images in pixels, if the files do not contain them.
        rate: Frames per second, if the files do not contain it.
        projections: A ``data_2d_*`` file of exact keypoints to calibrate the cameras with, if the keypoints being
            converted come from a detector.

    Returns:
        The sequences, and a report of what was read.

    Raises:
        SettingsError: The layout does not take this many paths, or a setting is missing.
        DataError: A file cannot be read.
    """
    if len(files) not in PATH_COUNTS[layout]:
        raise SettingsError(f"The layout {layout} takes: {LAYOUTS[layout]}. Paths given: {len(files)}.")
    if layout == "npz":
        truth = files[1] if len(files) > 1 else None
        conversion = read_community(files[0], truth, projections, rate)
        return conversion.bank, str(conversion)
    if layout == "human36m":
        bank, summary = human36m.convert(files[0], human36m.calibration(files[1]))
        return bank, f"{bank}. {summary}"
    if layout == "tracks":
        video = VideoInfo(size, rate) if size and rate else None
        bank = read_tracks(files[0], video)
        return bank, str(bank)
    bank = _mpi3dhp(layout, files[0])
    return bank, str(bank)


def _mpi3dhp(layout: Layout, path: Path) -> SequenceBank:
    if layout == "mpi3dhp-train":
        return mpi3dhp.read_training_set(path) if path.is_dir() else mpi3dhp.read_training_archive(path)
    return mpi3dhp.read_test_set(path) if path.is_dir() else mpi3dhp.read_test_archive(path)
