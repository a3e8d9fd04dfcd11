"""MSR-Action3D (Li, Zhang and Liu, CVPR workshops 2010): twenty gestures before a Kinect, ten people, three times each.

``aAA_sSS_eEE_skeleton3D.txt``: action, subject and take; 20 rows a frame, x y z and a confidence. The files' axes are
metres along the camera's left, up and ahead: right-handed, with the names of the joints as the people themselves would
say them (it is the right hand that does what one hand does). They become x right, y down, z forward here.
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
"""Labels by their published names; action number n is ``ACTIONS[n - 1]``."""
AS1, AS2, AS3 = (
    tuple(ACTIONS[number - 1] for number in numbers)
    for numbers in ((2, 3, 5, 6, 10, 13, 18, 20), (1, 4, 7, 8, 9, 11, 12, 14), (6, 14, 15, 16, 17, 18, 19, 20))
)
"""The three subsets on which methods are compared, as labels; see ``Dataset.showing``."""
UNLISTED = frozenset({
    "a02_s03_e02", "a04_s03_e01", "a07_s04_e01", "a13_s09_e01", "a13_s09_e02", "a13_s09_e03", "a14_s03_e01",
    "a20_s07_e01", "a20_s07_e03", "a20_s10_e03",
})  # fmt: skip
"""What the collection's list of usable sequences (557 of 567) does not name, nor do published comparisons use."""
TERMS = (
    "MSR-Action3D, Wanqing Li, Zhengyou Zhang and Zicheng Liu, Action Recognition Based on a Bag of 3D Points, CVPR "
    "workshops 2010. For research use; what is trained on it is not for other use.\n"
)

_AXES = np.array([-1.0, -1.0, 1.0])
_FILE = re.compile(r"(a\d\d_s\d\d_e\d\d)_skeleton3D\.txt")


def read(path: Path, listed: bool = True) -> Dataset:
    """The collection in a folder or tar archive: one clip a file, ``split`` "train" (odd subjects) or "test" (even).

    Frames in which the tracker had lost the body are bridged, or cut off at the ends. This and what is left out is
    told by ``flaws``. ``listed=False`` keeps the sequences ``UNLISTED``, all but the one without any pose.
    Raises ``DataError`` naming the file that cannot be read.
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
            flaws.append(Flaw(name, f"not among the 557 usable sequences{_lost(points)}", "left out"))
        elif repair.unseen(points).all():
            flaws.append(Flaw(name, f"no pose in any of {len(points)} frames", "left out"))
        else:
            points, times, found = repair.bridge(name, points, np.arange(len(points)) / RATE)
            clips.append(_clip(name, points, times))
            flaws += found
    return Dataset(SKELETON, ACTIONS, tuple(clips), TERMS, tuple(flaws))


def _clip(name: str, points: Float[np.ndarray, "T 20 3"], times: Float[np.ndarray, " T"]) -> Clip:
    action, subject = int(name[1:3]), int(name[5:7])
    split = "train" if subject % 2 else "test"
    return Clip(name, f"s{subject:02}", points, times, (Segment(ACTIONS[action - 1]),), split)


def _points(path: Path, file: str, content: bytes) -> Float[np.ndarray, "T 20 3"]:
    try:
        rows = np.array(content.split(), float).reshape(-1, len(SKELETON), 4)
    except ValueError as error:
        raise DataError(f"{file} in {path} is damaged ({error}); 20 rows of x y z c a frame are expected.") from error
    if not 1 <= int(file[1:3]) <= len(ACTIONS) or not len(rows):
        raise DataError(f"{file} in {path} is empty, or its name tells of no known action. Download it again.")
    return rows[..., :3] * _AXES


def _lost(points: Float[np.ndarray, "T 20 3"]) -> str:
    lost = int(repair.unseen(points).sum())
    return f", no pose in {lost} of {len(points)} frames" if lost else ""
