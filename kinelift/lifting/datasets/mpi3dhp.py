"""Reads MPI-INF-3DHP: its annotation files, and the npz conversions that are often shared.

The layouts, as documented by the data set and the converters:

- ``TS1/annot_data.mat`` … ``TS6`` (HDF5): ``annot2`` (T, 1, 17, 2) px, ``annot3`` and ``univ_annot3`` (T, 1, 17, 3) mm,
  ``valid_frame`` and ``activity_annotation`` (T, 1) or (1, T).
- ``S1/Seq1/annot.mat`` … ``S8/Seq2`` (MATLAB): ``annot2`` (T, 56), ``annot3`` and ``univ_annot3`` (T, 84), one cell per
  camera, 28 joints.
- ``data_test_3dhp.npz``: ``data`` = {"TS1": {"data_2d", "data_3d", "valid"}}; ``data_train_3dhp.npz``: ``data`` =
  {"S1 Seq1": [{"0": {"data_2d", "data_3d"}}]} by camera; 17 joints, the poses those of ``univ_annot3``.

Poses are in the camera frame. In ``univ_annot3`` all bodies are scaled to the same height. Mehta et al. 2017.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Shaped

from kinelift.lifting.datasets.array_files import read
from kinelift.lifting.datasets.sequences import Sequence, SequenceBank
from kinelift.poses.archive import read_archive
from kinelift.poses.camera import Camera
from kinelift.poses.errors import DataError
from kinelift.poses.skeleton import MPI3DHP17

Pose = Literal["annot3", "univ_annot3"]

SCENES = {
    "TS1": "GreenScreen", "TS2": "GreenScreen", "TS3": "NoGreenScreen", "TS4": "NoGreenScreen",
    "TS5": "Outdoor", "TS6": "Outdoor",
}  # fmt: skip
"""Scene of each test sequence. It serves as the action, because results are reported per scene."""
TEST_RATE = 25.0
"""Frames per second of the test sequences. Assumed, because it is not published."""
FRAMES = {
    "S1 Seq1": (6416, 25.0), "S1 Seq2": (12430, 50.0), "S2 Seq1": (6502, 25.0), "S2 Seq2": (6081, 25.0),
    "S3 Seq1": (12488, 50.0), "S3 Seq2": (12283, 50.0), "S4 Seq1": (6171, 25.0), "S4 Seq2": (6675, 25.0),
    "S5 Seq1": (12820, 50.0), "S5 Seq2": (12312, 50.0), "S6 Seq1": (6188, 25.0), "S6 Seq2": (6145, 25.0),
    "S7 Seq1": (6239, 25.0), "S7 Seq2": (6320, 25.0), "S8 Seq1": (6468, 25.0), "S8 Seq2": (6054, 25.0),
}  # fmt: skip
"""Usable frames and frames per second of the training sequences."""
CAMERAS = (0, 1, 2, 4, 5, 6, 7, 8)
"""The usual choice of the 14 training cameras: those not on the ceiling."""
JOINTS = (7, 5, 14, 15, 16, 9, 10, 11, 23, 24, 25, 18, 19, 20, 4, 3, 6)
"""Indices of the test files' 17 joints among the 28 of the training files."""
MAX_ERROR = 20.0
"""Pixels. A larger median distance between keypoints and projected poses means that they do not match."""

_SQUARE = (2048, 2048)
_WIDE = (1920, 1080)


def read_test_set(folder: Path, pose: Pose = "univ_annot3", rate: float = TEST_RATE) -> SequenceBank:
    """Read the test sequences of ``folder``/TS1 … TS6 that exist. Poses of invalid frames are NaN.

    Args:
        folder: The folder.
        pose: Which poses; ``univ_annot3`` are those that are usually evaluated.
        rate: Frames per second.

    Raises:
        DataError: A file is not valid.
    """
    sequences = []
    for name, path in _present(folder, {name: f"{name}/annot_data.mat" for name in SCENES}).items():
        arrays = read(path, "annot2", pose, "valid_frame")
        sequences.append(_test_sequence(name, arrays["annot2"], arrays[pose], arrays["valid_frame"], rate, path))
    return SequenceBank(tuple(sequences))


def read_training_set(folder: Path, pose: Pose = "univ_annot3", cameras: tuple[int, ...] = CAMERAS) -> SequenceBank:
    """Read the training sequences of ``folder``/S1/Seq1 … S8/Seq2 that exist.

    Args:
        folder: The folder.
        pose: Which poses.
        cameras: Numbers of the cameras.

    Raises:
        DataError: A file is not valid.
    """
    sequences = []
    for name, path in _present(folder, {name: f"{name.replace(' ', '/')}/annot.mat" for name in FRAMES}).items():
        arrays = read(path, "annot2", pose)
        for camera in cameras:
            keypoints, truth = (_of_camera(arrays[key], camera, path, key) for key in ("annot2", pose))
            sequences.append(_training_sequence(name, str(camera), keypoints, truth, path))
    return SequenceBank(tuple(sequences))


def read_test_archive(path: Path, rate: float = TEST_RATE) -> SequenceBank:
    """Read ``data_test_3dhp.npz``.

    Raises:
        DataError: The file is not valid.
    """
    sequences = []
    for name, entry in _entries(path).items():
        if name not in SCENES:
            raise DataError(f"{path}: data has {name!r}, which is not one of {', '.join(SCENES)}. Give another file.")
        keypoints, truth, valid = (_entry(entry, key, path, name) for key in ("data_2d", "data_3d", "valid"))
        sequences.append(_test_sequence(name, keypoints, truth, valid, rate, path))
    return SequenceBank(tuple(sequences))


def read_training_archive(path: Path) -> SequenceBank:
    """Read ``data_train_3dhp.npz``.

    Raises:
        DataError: The file is not valid.
    """
    sequences = []
    for name, entry in _entries(path).items():
        if name not in FRAMES:
            raise DataError(f"{path}: data has {name!r}, which is not one of {', '.join(FRAMES)}. Give another file.")
        views = entry[0] if isinstance(entry, list | tuple | np.ndarray) and len(entry) else entry
        if not isinstance(views, dict):
            raise DataError(f"{path}: {name} is a {type(views).__name__}, expected a dictionary by camera.")
        for camera, view in views.items():
            keypoints, truth = (_entry(view, key, path, f"{name}, camera {camera}") for key in ("data_2d", "data_3d"))
            sequences.append(_training_sequence(name, str(camera), keypoints, truth, path))
    return SequenceBank(tuple(sequences))


def fit_camera(truth: Float[np.ndarray, "T K 3"], keypoints: Float[np.ndarray, "T K 2"]) -> tuple[Camera, float]:
    """Fit a pinhole camera that projects poses to keypoints, by linear least squares.

    Args:
        truth: Poses in metres in the camera frame, NaN where unknown.
        keypoints: Pixels, NaN where unknown.

    Returns:
        The camera, and the median reprojection error in pixels.

    Raises:
        DataError: The pairs do not determine a camera.
    """
    known = np.isfinite(truth).all(-1) & np.isfinite(keypoints).all(-1)
    points, pixels = truth[known].astype(np.float64), keypoints[known].astype(np.float64)
    if len(points) < 4 or (points[:, 2] <= 0).any():
        raise DataError("too few poses, or some behind the camera. Expected absolute positions in its frame.")
    plane = points[:, :2] / points[:, 2:]
    (fx, cx), (fy, cy) = (_fit_line(plane[:, axis], pixels[:, axis]) for axis in (0, 1))
    if min(fx, fy) <= 0:
        raise DataError("no camera fits its poses and keypoints. Expected x to the right and y down.")
    camera = Camera((fx, fy), (cx, cy))
    return camera, float(np.median(np.linalg.norm(camera.project(points) - pixels, axis=-1)))


def _fit_line(x: Float[np.ndarray, " N"], y: Float[np.ndarray, " N"]) -> tuple[float, float]:
    slope, offset = np.linalg.lstsq(np.stack([x, np.ones_like(x)], 1), y, rcond=None)[0]
    return float(slope), float(offset)


def _test_sequence(name: str, keypoints: Any, truth: Any, valid: Any, rate: float, path: Path) -> Sequence:
    size = _WIDE if SCENES[name] == "Outdoor" else _SQUARE
    is_valid = np.asarray(valid).reshape(-1).astype(bool)
    points, poses = _shaped(keypoints, 2, path, name), _shaped(truth, 3, path, name)
    if not len(is_valid) == len(points) == len(poses):
        raise DataError(
            f"{path}: {name} has {len(points)} frames of keypoints, {len(poses)} of poses, {len(is_valid)} flags."
        )
    return _sequence(name, SCENES[name], "", points, np.where(is_valid[:, None, None], poses, np.nan), size, rate, path)


def _training_sequence(name: str, camera: str, keypoints: Any, truth: Any, path: Path) -> Sequence:
    (subject, action), (frames, rate) = name.split(" "), FRAMES[name]
    points, poses = (_shaped(array, n, path, name)[:frames] for array, n in ((keypoints, 2), (truth, 3)))
    if len(points) != len(poses):
        raise DataError(
            f"{path}: {name}, camera {camera} has {len(points)} frames of keypoints, {len(poses)} of poses."
        )
    return _sequence(subject, action, camera, points, poses, _SQUARE, rate, path)


def _sequence(
    subject: str, action: str, view: str, keypoints: Float[np.ndarray, "T J 2"], poses: Float[np.ndarray, "T J 3"],
    size: tuple[int, int], rate: float, path: Path,
) -> Sequence:  # fmt: skip
    truth = (poses / 1000).astype(np.float32)
    try:
        camera, error_px = fit_camera(truth, keypoints)
    except DataError as error:
        raise DataError(f"{path}: {subject} {action} {view}: {error}") from error
    if error_px > MAX_ERROR:
        raise DataError(
            f"{path}: {subject} {action} {view}: keypoints are {error_px:.0f} px (median) from the projected poses. "
            f"Expected the data set's own 2D annotations, and poses as its cameras see them."
        )
    return Sequence(subject, action, keypoints, truth, camera, size, rate, MPI3DHP17, MPI3DHP17, view)


def _present(folder: Path, names: Mapping[str, str]) -> dict[str, Path]:
    paths = {name: folder / relative for name, relative in names.items() if (folder / relative).is_file()}
    if not paths:
        raise DataError(f"No annotations of MPI-INF-3DHP under {folder}. Expected {next(iter(names.values()))}.")
    return paths


def _of_camera(cells: Shaped[np.ndarray, "..."], camera: int, path: Path, key: str) -> Shaped[np.ndarray, "..."]:
    if cells.dtype != object or camera >= cells.size:
        raise DataError(f"{path}: {key} has shape {cells.shape} of {cells.dtype}, expected a cell for camera {camera}.")
    table = cells.reshape(-1)[camera]
    if table.ndim != 2 or table.shape[1] % 28:
        raise DataError(f"{path}: {key} of camera {camera} has shape {table.shape}, expected 28 joints per row.")
    joints: np.ndarray = table.reshape(len(table), 28, -1)[:, JOINTS]
    return joints


def _entries(path: Path) -> dict[str, Any]:
    data = read_archive(path, "data")["data"]
    if not isinstance(data, dict) or not data:
        raise DataError(f"{path}: data is a {type(data).__name__}, expected a dictionary by sequence.")
    return {str(name): entry for name, entry in data.items()}


def _entry(entry: Any, key: str, path: Path, name: str) -> Any:
    if not isinstance(entry, dict) or key not in entry:
        raise DataError(f"{path}: {name} has no {key}. Expected data_2d, data_3d and in a test file valid.")
    return entry[key]


def _shaped(array: Any, last: int, path: Path, name: str) -> Float[np.ndarray, "T J _"]:
    """Convert to (T, J, ``last``), without an axis for a single person."""
    values = np.asarray(array)
    if values.ndim == 4 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 3 or values.shape[1:] != (len(MPI3DHP17), last) or values.dtype.kind not in "fiu":
        expected = f"frames × {len(MPI3DHP17)} × {last} numbers"
        raise DataError(f"{path}: {name} has an array of shape {values.shape}, expected {expected}.")
    return values.astype(np.float32)
