"""``lifting convert``: recorded data sets, each in its own layout → one file of sequences."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from lifting.datasets import human36m, mpi3dhp
from lifting.datasets.community import read_community
from lifting.datasets.sequences import SequenceBank
from lifting.datasets.tracks import Filming, read_tracks
from poses.errors import SettingsError

Layout: TypeAlias = Literal["npz", "human36m", "mpi3dhp-train", "mpi3dhp-test", "tracks"]
LAYOUTS: Mapping[Layout, str] = {
    "npz": "data_2d_*.npz, and data_3d_*.npz for the truth, as shared for Human3.6M, HumanEva and own videos",
    "human36m": "a folder with the D3 positions of Human3.6M, and metadata.xml (or a JSON) with its cameras",
    "mpi3dhp-train": "a folder S1 … S8 of MPI-INF-3DHP, or data_train_3dhp.npz",
    "mpi3dhp-test": "a folder TS1 … TS6 of MPI-INF-3DHP, or data_test_3dhp.npz",
    "tracks": "keypoints without truth: a folder of OpenPose JSON, COCO results, or a recording of Kinelift",
}


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
    if layout == "npz":
        done = read_community(files[0], *_second(layout, files, optional=True), truth_2d=projections, rate=rate)
        return done.bank, str(done)
    if layout == "human36m":
        bank, summary = human36m.convert(files[0], human36m.calibration(*_second(layout, files)))
        return bank, f"{bank}. {summary}"
    if layout == "tracks":
        filming = Filming(size, rate) if size and rate else None
        bank = read_tracks(files[0], filming)
        return bank, str(bank)
    bank = _mpi3dhp(layout, files[0])
    return bank, str(bank)


def _mpi3dhp(layout: Layout, path: Path) -> SequenceBank:
    readers = {
        ("mpi3dhp-train", True): mpi3dhp.read_training_set,
        ("mpi3dhp-train", False): mpi3dhp.read_training_archive,
        ("mpi3dhp-test", True): mpi3dhp.read_test_set,
        ("mpi3dhp-test", False): mpi3dhp.read_test_archive,
    }
    return readers[layout, path.is_dir()](path)


def _second(layout: Layout, files: tuple[Path, ...], optional: bool = False) -> tuple[Path, ...]:
    """The second of two files; none where it is optional and not given."""
    if len(files) > 2 or (len(files) < 2 and not optional):
        raise SettingsError(f"The layout {layout} is {LAYOUTS[layout]}. {len(files)} files were given.")
    return files[1:]
