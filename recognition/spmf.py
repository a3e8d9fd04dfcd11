"""Enhanced-SPMF: a motion as a small colour picture (Pham et al., Sensors 19(8), 2019; docs/recognition.md)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from scipy.signal import savgol_filter

from poses import Skeleton, skeleton
from poses.errors import ShapeError
from recognition import colours
from recognition.body import Axes, Origin, Up, to_body
from recognition.colours import Equalisation
from recognition.layout import LIMBS, REACHES, Order, Pair, all_pairs, arrangement

DistanceRange = Literal["fixed", "sequence"]
Smoothing = Literal["savgol", "none"]
Sampling = Literal["moments", "frames"]
Interpolation = Literal["area", "linear", "cubic", "nearest"]

_INTERPOLATIONS = {
    "area": cv2.INTER_AREA, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC, "nearest": cv2.INTER_NEAREST,
}  # fmt: skip


@dataclass(frozen=True)
class Encoding:
    """How a motion of ``skeleton`` is drawn. docs/recognition.md says which alternatives were measured.

    Rows: one for each of ``distances`` and one for each of ``orientations``, in ``order`` (``layout.arrangement``).
    Columns: pose and motion in turn, for ``steps`` "moments" evenly spaced in time; ``sampling`` by "frames" draws
    every frame instead. What is then not ``rows`` × 2 ``steps`` is resized by ``interpolation``.

    Distances of ``reach`` body sizes and more are deep red; with ``distance_range`` "sequence" the colours reach from
    the shortest to the longest distance of the motion itself. ``equalise`` applies CLAHE to each colour channel, to the
    lightness of Lab or to the value of HSV, with limit ``clip`` in ``tiles`` × ``tiles`` tiles.
    ``axes``, ``up`` and ``origin``: ``body.to_body``. ``smoothing``: ``smooth``, or none.
    """

    rows: int = 32
    steps: int = 16
    reach: float = 1.2
    equalise: Equalisation = "channels"
    clip: float = 2.0
    tiles: int = 2
    distances: tuple[Pair, ...] = REACHES
    orientations: tuple[Pair, ...] = LIMBS
    skeleton: str = "h36m17"
    order: Order = "given"
    distance_range: DistanceRange = "fixed"
    smoothing: Smoothing = "savgol"
    sampling: Sampling = "moments"
    interpolation: Interpolation = "area"
    axes: Axes = "body"
    up: Up = "+y"
    origin: Origin = "frame"

    @staticmethod
    def of(name: str) -> "Encoding":
        """The default for the registered skeleton ``name``. Raises ``DataError`` if there is none."""
        known = skeleton(name)
        if name == Encoding.skeleton:
            return Encoding()
        pairs = all_pairs(known)
        reach = 3.0 if name.endswith("-pair") else Encoding.reach
        return Encoding(skeleton=name, distances=pairs, orientations=pairs, reach=reach)

    @property
    def size(self) -> tuple[int, int]:
        """(rows, columns) of the picture."""
        return self.rows, 2 * self.steps

    @cached_property
    def arrangement(self) -> list[int]:
        """Rows before resizing, numbered through ``distances`` and then ``orientations``."""
        return arrangement(self.distances, self.orientations, self.order)

    def to_mapping(self) -> dict[str, Any]:
        """JSON-ready values; ``from_mapping`` is the inverse."""
        return asdict(self)

    @staticmethod
    def from_mapping(values: Mapping[str, Any]) -> "Encoding":
        """Read what ``to_mapping`` wrote, also after a round trip through JSON; what is missing is as by default."""
        pairs = {name: tuple((a, b) for a, b in values[name]) for name in ("distances", "orientations")}
        return Encoding(**{**values, **pairs})


def encode(points: Float[np.ndarray, "B T J 3"], encoding: Encoding) -> UInt8[np.ndarray, "B H W 3"]:
    """RGB pictures of B motions of T ≥ 1 frames, evenly spaced in time, all joints finite, any axes and unit.

    The same motion elsewhere, facing elsewhere, by a taller person or seen from a tilted camera has the same picture
    (with ``axes`` and ``origin`` as by default). Raises ``ShapeError`` if J is not that of ``encoding.skeleton``.
    """
    known = skeleton(encoding.skeleton)
    if points.shape[2] != len(known):
        raise ShapeError(f"The encoding draws {known.name} with {len(known)} joints; these have {points.shape[2]}.")
    if not len(points):
        return np.zeros((0, *encoding.size, 3), np.uint8)
    poses = to_body(points, known, encoding.axes, encoding.up, encoding.origin)
    poses = smooth(poses) if encoding.smoothing == "savgol" else poses
    if encoding.sampling == "moments" or poses.shape[1] < 2:
        poses = _sample(poses, encoding.steps + 1)
    return np.stack([_finish(picture, encoding) for picture in _pictures(poses, known, encoding)])


def smooth(points: Float[np.ndarray, "B T J C"]) -> Float[np.ndarray, "B T J C"]:
    """Savitzky–Golay filter over time, 5 taps, order 2; fewer than 5 frames are left as they are."""
    return savgol_filter(points, 5, 2, axis=1) if points.shape[1] >= 5 else points


def _sample(points: Float[np.ndarray, "B T J C"], count: int) -> Float[np.ndarray, "B N J C"]:
    """``count`` poses evenly spaced from the first to the last, linear in between."""
    place = np.linspace(0, points.shape[1] - 1, count)
    before = np.floor(place).astype(int)
    after = np.minimum(before + 1, points.shape[1] - 1)
    share = (place - before)[None, :, None, None]
    return (1 - share) * points[:, before] + share * points[:, after]


def _pictures(poses: Float[np.ndarray, "B N J 3"], known: Skeleton, encoding: Encoding) -> UInt8[np.ndarray, "B R W 3"]:
    """One row a feature, for every pose but the last a pose column and a motion column."""
    arrows = _arrows(poses, known, encoding.distances)
    shares = _shares(np.linalg.norm(arrows, axis=-1), encoding)
    arrows = _arrows(poses, known, encoding.orientations)
    rows = np.concatenate([colours.of_distances(shares), colours.of_directions(arrows)], axis=3)
    rows = rows[:, :, :, encoding.arrangement]
    return rows.reshape(len(poses), -1, rows.shape[3], 3).swapaxes(1, 2)


def _arrows(
    poses: Float[np.ndarray, "B N J 3"], known: Skeleton, pairs: tuple[Pair, ...]
) -> Float[np.ndarray, "B M 2 R 3"]:
    """From the first to the second joint of each pair: within a pose, and from that pose to the next one."""
    first, second = _indices(known, pairs)
    starts, ends = poses[:, :, first], poses[:, :, second]
    return np.stack([ends[:, :-1] - starts[:, :-1], ends[:, 1:] - starts[:, :-1]], axis=2)


def _shares(lengths: Float[np.ndarray, "B M 2 R"], encoding: Encoding) -> Float[np.ndarray, "B M 2 R"]:
    if encoding.distance_range == "fixed":
        return lengths / encoding.reach
    low = lengths.min(axis=(1, 2, 3), keepdims=True)
    high = lengths.max(axis=(1, 2, 3), keepdims=True)
    return (lengths - low) / np.maximum(high - low, 1e-9)


def _finish(picture: UInt8[np.ndarray, "R N 3"], encoding: Encoding) -> UInt8[np.ndarray, "H W 3"]:
    picture = np.ascontiguousarray(picture)
    if picture.shape[:2] != encoding.size:
        rows, columns = encoding.size
        picture = cv2.resize(picture, (columns, rows), interpolation=_INTERPOLATIONS[encoding.interpolation])
    return colours.equalised(picture, encoding.equalise, encoding.clip, encoding.tiles)


@lru_cache(maxsize=16)
def _indices(known: Skeleton, pairs: tuple[Pair, ...]) -> tuple[list[int], list[int]]:
    return [known.index(a) for a, _ in pairs], [known.index(b) for _, b in pairs]
