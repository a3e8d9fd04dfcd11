"""SBU Kinect Interaction (Yun et al., CVPR workshops 2012): eight interactions of two people, in five folds.

``foldK_data.npy`` has shape (clips, 3, T, 15, 2), zero-padded at the end; ``foldK_label.pkl`` a list of label numbers.
Coordinates are shares of a 2560 × 1920 image, and depths are in units of 1.28 m. Read as millimetres of an image, they
give bodies of human size whose bones keep their lengths in every direction. Then x right, y down, z forward is a
right-handed frame: people face each other and shake right hands. docs/reference/labelled-motion.md has the numbers.
"""

import io
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float

from kinelift.poses import skeleton
from kinelift.poses.errors import DataError
from kinelift.poses.unpickling import unpickle
from kinelift.recognition.data import repair
from kinelift.recognition.data.clips import Clip, Dataset, Flaw, Segment
from kinelift.recognition.data.collection_files import members

SKELETON = skeleton("kinect15-pair")
RATE = 15.0
ACTIONS = (
    "approaching", "departing", "kicking", "pushing", "shaking hands", "hugging", "exchanging", "punching",
)  # fmt: skip
"""Labels in the order of their numbers, which is that of the data set's folders 01 … 08."""
FOLDS = ("fold1", "fold2", "fold3", "fold4", "fold5")
SCALE = np.array([2.56, 1.92, 1.28])
"""Metres per unit of x, y and z."""
TERMS = (
    "SBU Kinect Interaction Dataset v2.0, Kiwon Yun, Jean Honorio, Debaleena Chattopadhyay, Tamara L. Berg and "
    "Dimitris Samaras, Two-person Interaction Detection Using Body-Pose Features and Multiple Instance Learning, CVPR "
    "workshops 2012. For research use; what is trained on it is not for other use.\n"
)

_FILE = re.compile(r"fold[1-5]_(data\.npy|label\.pkl)")


def read(path: Path) -> Dataset:
    """Read the data set, with ``split`` "fold1" … "fold5". No code in the files is run.

    The folds keep pairs of people apart, but do not say who is who within a fold. So the fold counts as the subject.

    Args:
        path: A folder or tar archive.

    Raises:
        DataError: A file is missing or cannot be read.
    """
    files = members(path, _FILE)
    clips: list[Clip] = []
    flaws: list[Flaw] = []
    for fold in FOLDS:
        bodies = _bodies(path, f"{fold}_data.npy", files)
        labels = _labels(path, f"{fold}_label.pkl", files)
        if len(bodies) != len(labels):
            raise DataError(f"{path}: {fold} has {len(bodies)} clips but {len(labels)} labels. Download it again.")
        for number, (padded, label) in enumerate(zip(bodies, labels, strict=True), 1):
            name, points = f"{fold}_{number:02}", _trimmed(padded)
            if not len(points):
                flaws.append(Flaw(name, "no pose in any frame", "left out"))
                continue
            points, times, clip_flaws = repair.fill_gaps(name, points, np.arange(len(points)) / RATE)
            clips.append(Clip(name, fold, points, times, (Segment(ACTIONS[label]),), fold))
            flaws += clip_flaws
    return Dataset(SKELETON, ACTIONS, tuple(clips), TERMS, tuple(flaws))


def _bodies(path: Path, file: str, files: Mapping[str, bytes]) -> Float[np.ndarray, "N T 30 3"]:
    """All clips of a fold, still padded: joints of the first person, then of the second."""
    try:
        array = np.load(io.BytesIO(_content(path, file, files)), allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise DataError(f"{file} in {path} is damaged ({error}). Download it again.") from error
    if array.dtype.kind != "f" or array.ndim != 5 or (array.shape[1], *array.shape[3:]) != (3, 15, 2):
        raise DataError(f"{file} in {path} has shape {array.shape}, not (clips, 3, frames, 15, 2). Download it again.")
    ordered = array.transpose(0, 2, 4, 3, 1).reshape(len(array), array.shape[2], len(SKELETON), 3)
    metres: Float[np.ndarray, "N T 30 3"] = ordered.astype(np.float64) * SCALE
    return metres


def _labels(path: Path, file: str, files: Mapping[str, bytes]) -> list[int]:
    try:
        numbers = unpickle(io.BytesIO(_content(path, file, files)))
    except Exception as error:  # damaged and hostile bytes can raise anything
        raise DataError(f"{file} in {path} cannot be read safely ({error}). Download it again.") from error
    if isinstance(numbers, list) and all(isinstance(number, int) and 0 <= number < len(ACTIONS) for number in numbers):
        return numbers
    raise DataError(f"{file} in {path} is not a list of numbers from 0 to {len(ACTIONS) - 1}. Download it again.")


def _content(path: Path, file: str, files: Mapping[str, bytes]) -> bytes:
    if file not in files:
        raise DataError(
            f"{path} has no {file}. Name the folder or archive with fold1 … fold5, _data.npy and _label.pkl."
        )
    return files[file]


def _trimmed(points: Float[np.ndarray, "T 30 3"]) -> Float[np.ndarray, "_ 30 3"]:
    """The points without the padding at the end."""
    valid = np.flatnonzero(~repair.without_pose(points))
    return points[: valid[-1] + 1 if len(valid) else 0]
