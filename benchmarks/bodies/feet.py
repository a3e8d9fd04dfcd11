"""Heels and big toes in the calibrated clips.

Only BlazePose finds them, so a triangulation of its keypoints hides what all of them get wrong. Therefore the rear end
of the heel and the tip of the big toe of the man, who is barefoot, were marked by eye in enlarged pictures, in four
positions of a foot (``MARKS``). Triangulated, most marks fit the pictures to within 4 px (1 cm), and his feet come out
24 to 27 cm long. The mean difference of the keypoints from the marks, in the axes of the foot, is taken off the
triangulated keypoints of all frames and people. It varies by 1 to 3 cm between the positions.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from benchmarks.bodies.calibrated_tracks import FEET, Seen
from benchmarks.bodies.rig import View, consensus
from kinelift.poses import COCO17, H36M21, convert

Pixels = tuple[float, float]


class Mark(NamedTuple):
    """A foot of the man in the clip ``single``.

    Attributes:
        side: Left or right.
        frames: First and last frame in which the foot is there.
        heel: The rear end of the heel in each view, px; None = not marked.
        toe: The tip of the big toe in each view, px.
    """

    side: str
    frames: tuple[int, int]
    heel: Sequence[Pixels | None]
    toe: Sequence[Pixels | None]


MARKS = (
    Mark("left", (24, 64), (None, None, (574.8, 1222.8), (618.8, 1241.0)),
         ((432.0, 1174.5), (544.0, 1127.5), None, (666.3, 1171.5))),
    Mark("left", (84, 84), ((403.9, 1080.7), None, (557.5, 1175.4), (596.0, 1195.0)),
         ((437.9, 1173.6), (541.4, 1128.6), None, (667.5, 1171.8))),
    Mark("right", (4, 4), (None, None, (724.3, 1312.5), (530.0, 1404.6)),
         ((339.3, 1065.0), None, (654.0, 1251.8), (612.9, 1310.7))),
    Mark("right", (84, 84), (None, (543.2, 1155.7), (444.6, 1155.7), (668.6, 1126.0)),
         ((534.3, 1297.9), (504.6, 1221.8), (386.8, 1140.7), (710.7, 1084.3))),
)  # fmt: skip
FOOT_PARTS = ("ankle", "heel", "big_toe")
OFFSETS: Mapping[str, tuple[float, float, float]] = {
    "heel": (-0.0124, -0.0037, 0.0246),
    "big_toe": (0.0327, -0.0134, -0.0185),
}
"""Triangulated keypoint minus mark, in m, in the axes of a left foot between its keypoints (``axes``). Measured by
``python -m benchmarks.keypoints.foot_keypoints``."""
LENGTH = 0.2079
"""Metres from the heel's to the big toe's keypoint in the man's foot, for which ``OFFSETS`` are."""


def axes(
    heel: Float[np.ndarray, "*T 3"], toe: Float[np.ndarray, "*T 3"], ankle: Float[np.ndarray, "*T 3"]
) -> Float[np.ndarray, "*T 3 3"]:
    """Unit vectors x to the person's left, y up and z forward (rows) of a foot.

    z points from the heel to the big toe, and y, perpendicular to it, to the side of the ankle.
    """
    z = _unit(toe - heel)
    up = ankle - heel
    y = _unit(up - (up * z).sum(-1, keepdims=True) * z)
    return np.stack([np.cross(y, z), y, z], axis=-2)


def true_feet(seen: Seen) -> Float[np.ndarray, "T 4 3"]:
    """The rear end of the heel and the tip of the big toe (``FEET``) in the world, m; NaN where they were not seen."""
    out = np.empty_like(seen.feet)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        heel, toe, ankle = keypoints(seen, side)
        turn, scale = axes(heel, toe, ankle), float(np.nanmedian(np.linalg.norm(toe - heel, axis=-1))) / LENGTH
        for part, points in (("heel", heel), ("big_toe", toe)):
            offset = np.array(OFFSETS[part]) * [sign, 1, 1] * scale
            out[:, FEET.index(f"{side}_{part}")] = points - offset @ turn
    return out


def keypoints(seen: Seen, side: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Triangulated keypoints of one foot in the world, m: heel, big toe and ankle, (T, 3) each."""
    heel, toe = (seen.feet[:, FEET.index(f"{side}_{part}")] for part in ("heel", "big_toe"))
    return heel, toe, seen.truth[:, COCO17.index(f"{side}_ankle")]


def poses(seen: Seen) -> Float[np.ndarray, "T 21 3"]:
    """The reference in the layout ``H36M21``, in the world, m; NaN for joints that ``COCO17`` lacks."""
    out = convert(seen.truth, COCO17, H36M21)
    for name, points in zip(FEET, true_feet(seen).swapaxes(0, 1), strict=True):
        out[:, H36M21.index(name.replace("big_", ""))] = points
    return out


def joints(seen: Seen, names: Sequence[str]) -> Float[np.ndarray, "T K 3"]:
    """The reference of some joints of ``COCO23`` in the world, m; the small toes have none, and are NaN."""
    feet = true_feet(seen)
    known = {**dict(zip(COCO17.joints, seen.truth.swapaxes(0, 1), strict=True)),
             **dict(zip(FEET, feet.swapaxes(0, 1), strict=True))}  # fmt: skip
    return np.stack([known.get(name, np.full((len(seen.truth), 3), np.nan)) for name in names], axis=1)


def metres_per_pixel(view: View, points: Float[np.ndarray, "T K 3"]) -> Float[np.ndarray, "T K 1"]:
    """The size of a pixel at the depth of each of some points in the world, m."""
    depth: Float[np.ndarray, "T K 1"] = view.place.to_camera(points)[..., 2:] / np.mean(view.camera.focals)
    return depth


def marked(views: Sequence[View], mark: Mark) -> tuple[Float[np.ndarray, " 3"], Float[np.ndarray, " 3"]]:
    """Heel and big toe of a mark in the world, m."""
    pixels = [[np.array([[p or (np.nan, np.nan)]], dtype=float) for p in part] for part in (mark.heel, mark.toe)]
    heel, toe = (consensus(views, [part])[0, 0] for part in pixels)
    return heel, toe


def _unit(vectors: Float[np.ndarray, "*T 3"]) -> Float[np.ndarray, "*T 3"]:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
