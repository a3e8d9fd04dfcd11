"""``lifting convert``: recorded data sets, each in its own layout → one file of sequences."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from kinelift.lifting.datasets import human36m, mpi3dhp
from kinelift.lifting.datasets.community import read_community
from kinelift.lifting.datasets.sequences import SequenceBank
from kinelift.lifting.datasets.tracks import Filming, read_tracks
from kinelift.poses.errors import SettingsError

Layout: TypeAlias = Literal["npz", "human36m", "mpi3dhp-train", "mpi3dhp-test", "tracks"]
LAYOUTS: Mapping[Layout, str] = {
    "npz": "data_2d_*.npz, and data_3d_*.npz for the truth, as shared for Human3.6M, HumanEva and own videos",
    "human36m": "a folder with the D3 positions of Human3.6M, and metadata.xml (or a JSON) with its cameras",
    "mpi3dhp-train": "a folder S1 … S8 of MPI-INF-3DHP, or data_train_3dhp.npz",
    "mpi3dhp-test": "a folder TS1 … TS6 of MPI-INF-3DHP, or data_test_3dhp.npz",
    "tracks": "keypoints without truth: a folder of OpenPose JSON, COCO results, or a recording of Kinelift",
}
COUNTS: Mapping[Layout, tuple[int, ...]] = {
    "npz": (1, 2), "human36m": (2,), "mpi3dhp-train": (1,), "mpi3dhp-test": (1,), "tracks": (1,)
}  # fmt: skip
"""How many files or folders each consists of."""


def convert(
    layout: Layout,
    files: tuple[Path, ...],
    size: tuple[int, int] | None = None,
    rate: float | None = None,
    projections: Path | None = None,
) -> tuple[SequenceBank, str]:
    """The sequences of ``files`` (or folders), which have a ``layout`` of ``LAYOUTS``, and a report of what was read.

    ``size`` (width, height) and ``rate`` (frames a second) are needed where the files do not say; ``projections``: a
    ``data_2d_*`` of exact keypoints, from which cameras are found where those to convert are a detector's.
    """
    if len(files) not in COUNTS[layout]:
        raise SettingsError(f"The layout {layout} is {LAYOUTS[layout]}. {len(files)} names were given.")
    if layout == "npz":
        truth = files[1] if len(files) > 1 else None
        done = read_community(files[0], truth, projections, rate)
        return done.bank, str(done)
    if layout == "human36m":
        bank, summary = human36m.convert(files[0], human36m.calibration(files[1]))
        return bank, f"{bank}. {summary}"
    if layout == "tracks":
        filming = Filming(size, rate) if size and rate else None
        bank = read_tracks(files[0], filming)
        return bank, str(bank)
    bank = _mpi3dhp(layout, files[0])
    return bank, str(bank)


def _mpi3dhp(layout: Layout, path: Path) -> SequenceBank:
    if layout == "mpi3dhp-train":
        return mpi3dhp.read_training_set(path) if path.is_dir() else mpi3dhp.read_training_archive(path)
    return mpi3dhp.read_test_set(path) if path.is_dir() else mpi3dhp.read_test_archive(path)
