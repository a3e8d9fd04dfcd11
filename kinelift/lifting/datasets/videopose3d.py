"""Reads the npz files in which pose data sets are often shared, in the layout of Pavllo et al. 2019.

``data_3d_*.npz``: ``positions_3d`` = {subject: {action: frames × joints × 3}}, metres in world axes.
``data_2d_*.npz``: ``positions_2d`` = {subject: {action: [frames × joints × 2 or 3, per camera]}}, pixels, and
``metadata`` = {"layout_name", "num_joints", "keypoints_symmetry"}. For users' own videos the subject is the name of the
video, the action is "custom", and ``metadata`` has "video_metadata" = {video: {"w", "h"}}.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from kinelift.lifting.datasets.human36m import JOINTS
from kinelift.poses import COCO17, H36M17, Skeleton, skeleton
from kinelift.poses.archive import read_archive
from kinelift.poses.errors import DataError

HUMANEVA15 = skeleton("humaneva15")
ALL_JOINTS = 32
"""Joints of Human3.6M including those that do not move."""

_BY_COUNT = {ALL_JOINTS: H36M17, len(H36M17): H36M17, len(HUMANEVA15): HUMANEVA15}
"""Skeletons of poses by joint count, because the files do not name them. No two shared ones have the same count."""
_BY_NAME = {"h36m": H36M17, "humaneva15": HUMANEVA15, "coco": COCO17}
_LAYOUT_3D = "{subject: {action: frames × joints × 3}}"
_LAYOUT_2D = "{subject: {action: [frames × joints × 2, one array per camera]}}"


class Recording(NamedTuple):
    """Key of a recording in such a file."""

    subject: str
    action: str

    def __str__(self) -> str:
        return f"{self.subject} {self.action}"


@dataclass(frozen=True, eq=False)
class Poses:
    """A file of poses in metres. The world axes differ by data set."""

    layout: Skeleton
    recordings: Mapping[Recording, Float[np.ndarray, "_ K 3"]]


@dataclass(frozen=True, eq=False)
class Keypoints:
    """A file of keypoints.

    Attributes:
        layout: Skeleton of the keypoints.
        recordings: Pixels, NaN where not visible, one array per camera.
        sizes: Width and height of users' own videos.
        scored: Whether the file has confidences, which are not read.
    """

    layout: Skeleton
    recordings: Mapping[Recording, tuple[Float[np.ndarray, "_ J 2"], ...]]
    sizes: Mapping[str, tuple[int, int]]
    scored: bool


def read_3d(path: Path) -> Poses:
    """Read a ``data_3d_*.npz``. Human3.6M is converted to H36M-17 from 17 or 32 joints.

    Raises:
        DataError: The file is not valid.
    """
    recordings = {
        recording: _points(path, f"positions_3d of {recording}", array, (3,))
        for recording, array in _recordings(path, "positions_3d", read_archive(path, "positions_3d"), _LAYOUT_3D)
    }
    counts = {array.shape[1] for array in recordings.values()}
    if len(counts) != 1 or not counts <= _BY_COUNT.keys():
        raise DataError(
            f"{path}: positions_3d has poses of {_listed(sorted(counts))} joints. Expected 17 or 32 in all (Human3.6M) "
            f"or 15 in all (HumanEva)."
        )
    (count,) = counts
    return Poses(_BY_COUNT[count], {name: _reduced(array) for name, array in recordings.items()})


def read_2d(path: Path) -> Keypoints:
    """Read a ``data_2d_*.npz``.

    Raises:
        DataError: The file is not valid.
    """
    file = read_archive(path, "positions_2d", "metadata")
    layout = _layout(path, file["metadata"])
    recordings: dict[Recording, tuple[np.ndarray, ...]] = {}
    scored = False
    for recording, cameras in _recordings(path, "positions_2d", file, _LAYOUT_2D):
        if not isinstance(cameras, list | tuple | np.ndarray) or not len(cameras):
            raise DataError(f"{path}: positions_2d of {recording} is not a list of cameras. Expected {_LAYOUT_2D}.")
        what = f"positions_2d of {recording}, camera"
        arrays = [_points(path, f"{what} {k}", array, (2, 3)) for k, array in enumerate(cameras)]
        recordings[recording] = tuple(_reduced(array)[..., :2] for array in arrays)
        scored = scored or any(array.shape[-1] == 3 for array in arrays)
        if wrong := {array.shape[1] for array in recordings[recording]} - {len(layout)}:
            raise DataError(
                f"{path}: {what} has {min(wrong)} joints, but metadata names {layout}, which has {len(layout)}."
            )
    return Keypoints(layout, recordings, _sizes(path, file["metadata"]), scored)


def _recordings(path: Path, key: str, file: Mapping[str, Any], layout: str) -> Iterator[tuple[Recording, Any]]:
    subjects = file[key]
    if not isinstance(subjects, dict) or not all(isinstance(actions, dict) for actions in subjects.values()):
        raise DataError(f"{path}: {key} is not nested by subject and action. Expected {layout}.")
    recordings = [
        (Recording(str(subject), str(action)), content)
        for subject, actions in subjects.items()
        for action, content in actions.items()
    ]
    if not recordings:
        raise DataError(f"{path}: {key} is empty. Expected {layout}.")
    yield from recordings


def _points(path: Path, what: str, array: Any, axes: tuple[int, ...]) -> Float[np.ndarray, "_ J C"]:
    if isinstance(array, np.ndarray) and array.dtype.kind in "fiu" and array.ndim == 3 and array.shape[2] in axes:
        return array.astype(np.float32)
    given = f"shape {array.shape} of {array.dtype}" if isinstance(array, np.ndarray) else f"a {type(array).__name__}"
    raise DataError(f"{path}: {what} is {given}. Expected numbers, frames × joints × {' or '.join(map(str, axes))}.")


def _reduced(array: Float[np.ndarray, "_ J C"]) -> Float[np.ndarray, "_ K C"]:
    """Select H36M-17 from the 32 joints of Human3.6M. Return anything else unchanged."""
    return array[:, JOINTS] if array.shape[1] == ALL_JOINTS else array


def _layout(path: Path, metadata: Any) -> Skeleton:
    name = metadata.get("layout_name") if isinstance(metadata, dict) else None
    if name not in _BY_NAME:
        raise DataError(f"{path}: metadata names the layout {name!r}. Expected one of: {', '.join(_BY_NAME)}.")
    layout = _BY_NAME[name]
    expected = [list(layout.left), list(layout.right)]
    given = metadata.get("keypoints_symmetry", expected)
    if sorted(np.transpose(given).tolist()) != sorted(np.transpose(expected).tolist()):
        raise DataError(
            f"{path}: metadata pairs left and right joints as {given}, but in {layout} the pairs are {expected}. "
            f"Reorder the joints as in {layout}: {', '.join(layout.joints)}."
        )
    return layout


def _sizes(path: Path, metadata: Mapping[str, Any]) -> Mapping[str, tuple[int, int]]:
    try:
        videos = metadata.get("video_metadata", {})
        return {str(video): (int(facts["w"]), int(facts["h"])) for video, facts in videos.items()}
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise DataError(f'{path}: video_metadata is not {{video: {{"w": pixels, "h": pixels}}}}.') from error


def _listed(counts: list[int]) -> str:
    return " and ".join(map(str, counts))
