"""Small synthetic data sets in the layouts of MSR-Action3D and SBU."""

import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np

from kinelift.recognition.data import sbu


def msr_points(frames: int) -> np.ndarray:
    """Positions in metres that no two joints share at any time, axes as in the files."""
    return np.arange(frames * 60).reshape(frames, 20, 3) / 1000 + 0.5


def write_msr(folder: Path, **sequences: np.ndarray) -> Path:
    """Write one file for each of ``sequences``, four numbers per row."""
    folder.mkdir(exist_ok=True)
    for name, points in sequences.items():
        rows = np.concatenate([points, np.ones((*points.shape[:-1], 1))], axis=-1).reshape(-1, 4)
        np.savetxt(folder / f"{name}_skeleton3D.txt", rows, fmt="%.6f")
    return folder


def write_sbu(folder: Path, labels: Any = (0, 7), frames: tuple[int, ...] = (10, 6)) -> Path:
    """Five folds with one clip for each of ``frames``, padded with zeros to the longest."""
    folder.mkdir(exist_ok=True)
    for fold in sbu.FOLDS:
        data = np.zeros((len(frames), 3, max(frames), 15, 2), np.float32)
        for clip, count in zip(data, frames, strict=True):
            clip[:, :count] = np.moveaxis(two_people(count), -1, 0) / sbu.SCALE[:, None, None, None]
        np.save(folder / f"{fold}_data.npy", data)
        content = list(labels) if isinstance(labels, tuple) else labels
        (folder / f"{fold}_label.pkl").write_bytes(pickle.dumps(content, protocol=4))
    return folder


def two_people(frames: int) -> np.ndarray:
    """(frames, 15, 2, 3): joints of two people in metres; no two positions are equal."""
    body = np.linspace(0.4, 1.4, 15)[:, None, None] + np.array([0.0, 0.7])[:, None] + [0.0, 0.1, 1.0]
    return body[None] + 0.01 * np.arange(frames)[:, None, None, None]


def packed(folder: Path, name: str) -> Path:
    """A tar archive of ``folder`` beside it."""
    with tarfile.open(folder.parent / name, "w:xz") as archive:
        archive.add(folder, "inside/deep")
    return folder.parent / name
