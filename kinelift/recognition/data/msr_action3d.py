"""MSR-Action3D (Li, Zhang and Liu, CVPR workshops 2010): twenty gestures before a Kinect, ten people, three takes each.

Files are called ``aAA_sSS_eEE_skeleton3D.txt``, by action, subject and take. Each frame has 20 rows: x y z and a
confidence, in metres along the camera's left, up and ahead, which is right-handed. Joints are named from the person's
own point of view: one-handed gestures move the right hand. Here axes become x right, y down, z forward.
"""

import re
from pathlib import Path

import numpy as np
from jaxtyping import Float

from kinelift.poses import skeleton
from kinelift.poses.errors import DataError
from kinelift.recognition.data import repair
from kinelift.recognition.data.clips import Clip, Dataset, Flaw, Segment
from kinelift.recognition.data.collection_files import members

SKELETON = skeleton("kinect20")
RATE = 15.0
ACTIONS = (
    "high arm wave", "horizontal arm wave", "hammer", "hand catch", "forward punch", "high throw", "draw x",
    "draw tick", "draw circle", "hand clap", "two hand wave", "side-boxing", "bend", "forward kick", "side kick",
    "jogging", "tennis swing", "tennis serve", "golf swing", "pickup & throw",
)  # fmt: skip
"""Labels by their published names. Action number n is ``ACTIONS[n - 1]``."""
AS1, AS2, AS3 = (
    tuple(ACTIONS[number - 1] for number in numbers)
    for numbers in ((2, 3, 5, 6, 10, 13, 18, 20), (1, 4, 7, 8, 9, 11, 12, 14), (6, 14, 15, 16, 17, 18, 19, 20))
)
"""Labels of the three subsets on which methods are compared; see ``Dataset.with_labels``."""
"""The three subsets on which methods are compared, as labels; see ``Dataset.showing``."""
UNLISTED = frozenset({
    "a02_s03_e02", "a04_s03_e01", "a07_s04_e01", "a13_s09_e01", "a13_s09_e02", "a13_s09_e03", "a14_s03_e01",
    "a20_s07_e01", "a20_s07_e03", "a20_s10_e03",
})  # fmt: skip
"""Sequences that are missing from the data set's list of usable ones (557 of 567) and from published comparisons."""
TERMS = (
    "MSR-Action3D, Wanqing Li, Zhengyou Zhang and Zicheng Liu, Action Recognition Based on a Bag of 3D Points, CVPR "
    "workshops 2010. For research use; what is trained on it is not for other use.\n"
)

_AXES = np.array([-1.0, -1.0, 1.0])
_FILE = re.compile(r"(a\d\d_s\d\d_e\d\d)_skeleton3D\.txt")


def read(path: Path, listed: bool = True) -> Dataset:
    """Read the data set.

    Frames in which the tracker lost the body are interpolated, or cut off at the ends. ``flaws`` lists them and the
    clips that were left out.

    Args:
        path: A folder or tar archive.
        listed: Leave out the sequences in ``UNLISTED``. If false, only the one without any pose is left out.

    Returns:
        One clip for each file, with ``split`` "train" (odd subjects) or "test" (even subjects).

    Raises:
        DataError: A file cannot be read.
    """
    files = members(path, _FILE)
    if not files:
        raise DataError(f"{path} has no files such as a01_s01_e01_skeleton3D.txt. Name the folder of MSR-Action3D.")
    clips: list[Clip] = []
    flaws: list[Flaw] = []
    for file, content in files.items():
        name = file.removesuffix("_skeleton3D.txt")
        points = _points(path, file, content)
        if listed and name in UNLISTED:
            flaws.append(Flaw(name, f"not among the 557 usable sequences{_count_lost(points)}", "left out"))
        elif repair.without_pose(points).all():
            flaws.append(Flaw(name, f"no pose in any of {len(points)} frames", "left out"))
        else:
            points, times, clip_flaws = repair.fill_gaps(name, points, np.arange(len(points)) / RATE)
            clips.append(_clip(name, points, times))
            flaws += clip_flaws
    return Dataset(SKELETON, ACTIONS, tuple(clips), TERMS, tuple(flaws))


def _clip(name: str, points: Float[np.ndarray, "T 20 3"], times: Float[np.ndarray, " T"]) -> Clip:
    action, subject = int(name[1:3]), int(name[5:7])
    split = "train" if subject % 2 else "test"
    return Clip(name, f"s{subject:02}", points, times, (Segment(ACTIONS[action - 1]),), split)


def _points(path: Path, file: str, content: bytes) -> Float[np.ndarray, "T 20 3"]:
    try:
        rows = np.array(content.split(), float).reshape(-1, len(SKELETON), 4)
    except ValueError as error:
        raise DataError(
            f"{file} in {path} is damaged ({error}). Each frame should have 20 rows of x y z c. Download it again."
        ) from error
    if not 1 <= int(file[1:3]) <= len(ACTIONS) or not len(rows):
        raise DataError(f"{file} in {path} is empty, or its name has no known action number. Download it again.")
    points: Float[np.ndarray, "T 20 3"] = rows[..., :3] * _AXES
    return points


def _count_lost(points: Float[np.ndarray, "T 20 3"]) -> str:
    lost = int(repair.without_pose(points).sum())
    return f", no pose in {lost} of {len(points)} frames" if lost else ""
