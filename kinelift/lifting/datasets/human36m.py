"""Reads Human3.6M as downloaded by licensees: 3D positions in world axes, and four calibrated cameras.

Supports the layouts of the data set's documentation and of the preparation by Pavllo et al. 2019:
``S1/MyPoseFeatures/D3_Positions/Directions 1.cdf`` (or ``.cdf.mat``, converted), or
``S1/MyPoses/3D_positions/Directions 1.h5``. Ionescu et al. 2014.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from kinelift.lifting.datasets.array_files import is_hdf5, read
from kinelift.lifting.datasets.sequences import Sequence, SequenceBank
from kinelift.poses import H36M17
from kinelift.poses.camera import Camera, Distortion, Extrinsics
from kinelift.poses.errors import DataError, KineliftError

RATE = 50.0
"""Frames per second of all recordings."""
SUBJECTS = ("S1", "S5", "S6", "S7", "S8", "S9", "S11")
"""Subjects with published poses. By convention S9 and S11 are for testing."""
SIZES = {"54138969": (1000, 1002), "55011271": (1000, 1000), "58860488": (1000, 1000), "60457274": (1000, 1002)}
"""Image size in pixels (width, height) by the name of the camera, in the usual order of the cameras."""
ACTIONS = (
    "Directions", "Discussion", "Eating", "Greeting", "Phoning", "Photo", "Posing", "Purchases", "Sitting",
    "SittingDown", "Smoking", "Waiting", "WalkDog", "Walking", "WalkTogether",
)  # fmt: skip
CORRUPT = ("S11", "Directions")
"""One camera's recording is damaged, so evaluations leave it out."""
JOINTS = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)
"""Indices of H36M-17 among the 32 recorded joints, some of which are duplicates or do not move."""

_ALIASES = {"TakingPhoto": "Photo", "WalkingDog": "WalkDog"}
_PLACES = (
    ("MyPoseFeatures/D3_Positions", ".cdf.mat", "data"),
    ("MyPoseFeatures/D3_Positions", ".cdf", "Pose"),
    ("MyPoses/3D_positions", ".h5", "3D_positions"),
)
_RECORDED = 32


@dataclass(frozen=True, eq=False)
class View:
    """One camera in one subject's session. ``size`` is the width and height of its images."""

    name: str
    camera: Camera
    extrinsics: Extrinsics
    size: tuple[int, int]


Calibration = Mapping[str, tuple[View, ...]]
"""Cameras by subject."""


@dataclass(frozen=True)
class Summary:
    """What was read. ``left_out`` are the names of recordings left out, ``missing`` are subjects without any."""

    recordings: int
    left_out: tuple[str, ...]
    missing: tuple[str, ...]

    def __str__(self) -> str:
        dropped = f" Left out as corrupt: {', '.join(self.left_out)}." if self.left_out else ""
        missing = f" Without recordings: {', '.join(self.missing)}." if self.missing else ""
        return f"{self.recordings} recordings.{dropped}{missing}"


def convert(folder: Path, calibration: Calibration) -> tuple[SequenceBank, Summary]:
    """Convert every recording, for each camera of its subject. Keypoints are exact projections.

    Actions have their usual names ("Photo 1", "WalkDog").

    Args:
        folder: The data set's folder.
        calibration: Cameras by subject.

    Raises:
        DataError: A file is not valid, or there is none; the message names it.
    """
    sequences: list[Sequence] = []
    left_out, missing, recordings = [], [], 0
    for subject in SUBJECTS:
        paths = find_recordings(folder / subject)
        if not paths:
            missing.append(subject)
        for action, path in paths.items():
            if (subject, action) == CORRUPT:
                left_out.append(f"{subject} {action}")
                continue
            recordings += 1
            sequences += _project(subject, action, positions(path), _views(calibration, subject))
    if not recordings:
        places = ", ".join(f"S1/{place}/Directions 1{ending}" for place, ending, _ in _PLACES)
        raise DataError(f"No recordings of Human3.6M under {folder}. Expected one of these layouts: {places}.")
    return SequenceBank(tuple(sequences)), Summary(recordings, tuple(left_out), tuple(missing))


def find_recordings(folder: Path) -> Mapping[str, Path]:
    """Find the recordings in one subject's folder, by the usual name of the action."""
    recordings: dict[str, Path] = {}
    for place, ending, _ in _PLACES:
        for path in sorted((folder / place).glob(f"*{ending}")):
            if not path.name.startswith("_ALL"):
                recordings.setdefault(action_name(path.name.removesuffix(ending), path), path)
    return dict(sorted(recordings.items()))


def action_name(stem: str, path: Path) -> str:
    """Convert the name of an action and its repetition to the usual one: "TakingPhoto 1" becomes "Photo 1".

    Raises:
        DataError: It is not an action of Human3.6M.
    """
    parts = re.fullmatch(r"([A-Za-z]+)( \d+)?", stem)
    name = _ALIASES.get(parts[1], parts[1]) if parts else stem
    if not parts or name not in ACTIONS:
        raise DataError(f"{path} is not named after an action of Human3.6M. Known actions: {', '.join(ACTIONS)}.")
    return name + (parts[2] or "")


def positions(path: Path) -> Float[np.ndarray, "T J 3"]:
    """Read the joints of one recording in metres, in world axes (z up).

    Raises:
        DataError: The file does not contain positions in the usual order and unit.
    """
    key = next(key for _, ending, key in _PLACES if path.name.endswith(ending))
    array = read(path, key)[key]
    if array.dtype == object and array.size == 1:  # a cell of MATLAB
        array = array.item()
    table = array.T if is_hdf5(path) and array.ndim == 2 else array
    if table.dtype.kind != "f" or not table.size or table.shape[-1] != 3 * _RECORDED:
        raise DataError(
            f"{path}: {key} has shape {array.shape} of {array.dtype}, expected frames × {3 * _RECORDED} numbers. "
            f"Give the D3_Positions of the data set, not its angles or 2D positions."
        )
    points = table.astype(np.float64).reshape(-1, _RECORDED, 3)[:, JOINTS] / 1000
    thigh = float(np.median(np.linalg.norm(points[:, 1] - points[:, 2], axis=-1)))
    if not 0.2 < thigh < 0.8:
        raise DataError(f"{path}: thighs are {thigh * 1000:.4g} mm long. Expected positions in mm in the usual order.")
    return points


def calibration(path: Path) -> Calibration:
    """Read the cameras from the data set's ``metadata.xml`` or from a JSON file with its numbers.

    The JSON has the layout {"intrinsics": {camera: {"calibration_matrix": 3 × 3, "distortion": [k1, k2, p1, p2, k3]}},
    "extrinsics": {subject: {camera: {"R": 3 × 3, "t": 3}}}} with camera = R · world + t in mm.

    Raises:
        DataError: The file cannot be read, or does not contain the calibration.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return _from_json(json.loads(text)) if text.lstrip().startswith("{") else _from_metadata(text)
    except OSError as error:
        raise DataError(f"Cannot read the calibration {path}: {error.strerror}.") from error
    except (ValueError, LookupError, TypeError, AttributeError, ElementTree.ParseError, KineliftError) as error:
        raise DataError(
            f"{path} has no calibration of Human3.6M ({type(error).__name__}: {error}). Give the metadata.xml of the "
            f"data set's code release, or a JSON file with intrinsics and extrinsics."
        ) from error


def _from_metadata(text: str) -> Calibration:
    """Parse ``w0``: 6 numbers per camera and subject (angles, position in mm), then 9 per camera (f, c, k, p)."""
    node = ElementTree.fromstring(text).find(".//w0")
    numbers = np.array((node.text or "").strip(" []\n").replace(";", " ").split() if node is not None else [], float)
    if len(numbers) != 6 * 4 * 11 + 9 * 4:
        raise DataError(f"w0 has {len(numbers)} numbers instead of 300")
    poses, lenses = numbers[:264].reshape(4, 11, 6), numbers[264:].reshape(4, 9)
    cameras = [_camera(lens[0:2], lens[2:4], lens[4:7], lens[7:9]) for lens in lenses]
    return {
        subject: tuple(
            _view(name, camera, _extrinsics(Rotation.from_euler("XYZ", six[:3]).as_matrix(), six[3:]))
            for name, camera, six in zip(SIZES, cameras, poses[:, int(subject[1:]) - 1], strict=True)
        )
        for subject in SUBJECTS
    }


def _from_json(values: Mapping[str, Any]) -> Calibration:
    def view(subject: str, name: str) -> View:
        lens, pose = values["intrinsics"][name], values["extrinsics"][subject][name]
        matrix, (k1, k2, p1, p2, k3) = np.array(lens["calibration_matrix"], float), lens["distortion"]
        camera = _camera(matrix[[0, 1], [0, 1]], matrix[:2, 2], np.array([k1, k2, k3]), np.array([p1, p2]))
        rotation = np.array(pose["R"], float)
        return _view(name, camera, _extrinsics(rotation, -rotation.T @ np.array(pose["t"], float).reshape(3)))

    return {
        subject: tuple(view(subject, name) for name in SIZES) for subject in SUBJECTS if subject in values["extrinsics"]
    }


def _camera(focal: np.ndarray, centre: np.ndarray, k: np.ndarray, p: np.ndarray) -> Camera:
    lens = Distortion.human36m((float(k[0]), float(k[1]), float(k[2])), (float(p[0]), float(p[1])))
    return Camera((float(focal[0]), float(focal[1])), (float(centre[0]), float(centre[1])), lens)


def _extrinsics(rotation: Float[np.ndarray, "3 3"], millimetres: Float[np.ndarray, " 3"]) -> Extrinsics:
    return Extrinsics(rotation, millimetres / 1000)


def _view(name: str, camera: Camera, extrinsics: Extrinsics) -> View:
    return View(name, camera, extrinsics, SIZES[name])


def _views(calibration: Calibration, subject: str) -> tuple[View, ...]:
    if subject not in calibration:
        raise DataError(f"The calibration has no cameras for {subject}. It has: {', '.join(calibration)}.")
    return calibration[subject]


def _project(
    subject: str, action: str, world: Float[np.ndarray, "T J 3"], views: tuple[View, ...]
) -> Iterator[Sequence]:
    for view in views:
        truth = view.extrinsics.to_camera(world)
        yield Sequence(
            subject, action, view.camera.project(truth).astype(np.float32), truth.astype(np.float32), view.camera,
            view.size, RATE, H36M17, H36M17, view.name,
        )  # fmt: skip
