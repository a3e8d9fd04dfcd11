"""Enhanced-SPMF: a motion as a small colour picture (Pham et al., Sensors 19(8), 2019).

docs/explanation/motion-images.md explains it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from math import ceil
from typing import Any, Literal

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from kinelift.poses import Skeleton, skeleton
from kinelift.poses.errors import ShapeError
from kinelift.recognition.encoding import colours
from kinelift.recognition.encoding.body_frame import Axes, Origin, Up, to_body
from kinelift.recognition.encoding.colours import Arrows, Equalisation
from kinelift.recognition.encoding.features import arrows, sample, smooth
from kinelift.recognition.encoding.pair_order import LIMBS, REACHES, Order, Pair, arrangement, chosen

Columns = Literal["interleaved", "stacked"]
DistanceRange = Literal["fixed", "sequence"]
Smoothing = Literal["savgol", "none"]
Sampling = Literal["moments", "frames"]
Interpolation = Literal["area", "linear", "cubic", "nearest"]

LARGEST = 160
"""Rows of the largest default."""
STRIDE = 4
"""Sizes of defaults are multiples of this, so that networks can halve the picture twice."""

_INTERPOLATIONS = {
    "area": cv2.INTER_AREA, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC, "nearest": cv2.INTER_NEAREST,
}  # fmt: skip


@dataclass(frozen=True)
class Encoding:
    """How a motion of ``skeleton`` is drawn. docs/explanation/motion-images.md says which alternatives were measured.

    Rows: one for each of ``distances``, ``orientations`` and ``moves``, in ``order`` (``layout.arrangement``).
    Columns: pose and motion in turn ("interleaved", as published), for ``steps`` "moments" evenly spaced in time; with
    ``columns`` "stacked" a moment has one column, and the rows of its motion lie under those of its pose. ``sampling``
    by "frames" draws every frame instead. What is then not of the right ``size`` is resized by ``interpolation``.

    Distances of ``reach`` body sizes and more are deep red; with ``distance_range`` "sequence" the colours reach from
    the shortest to the longest distance of the motion itself. ``arrows``: orientations are "unit" vectors, or "scaled"
    ones with two thirds of ``reach`` as the largest component. ``moves`` are joints of which the motion columns show
    how far each went itself, up to ``travel`` body sizes. Motion is seen over ``lag`` moments.

    ``equalise`` applies CLAHE to each colour channel, to the lightness of Lab or to the value of HSV, with limit
    ``clip`` in ``tiles`` × ``tiles`` tiles. ``axes``, ``up`` and ``origin``: ``body.to_body``. ``smoothing``:
    ``features.smooth``, or none.
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
    columns: Columns = "interleaved"
    distance_range: DistanceRange = "fixed"
    arrows: Arrows = "unit"
    moves: tuple[str, ...] = ()
    travel: float = 0.4
    lag: int = 1
    smoothing: Smoothing = "savgol"
    sampling: Sampling = "moments"
    interpolation: Interpolation = "area"
    axes: Axes = "body"
    up: Up = "+y"
    origin: Origin = "frame"

    @staticmethod
    def of(name: str) -> "Encoding":
        """The default for the registered skeleton ``name``. Raises ``DataError`` if there is none."""
        if name == Encoding.skeleton:
            return Encoding()
        shown = chosen(skeleton(name))
        two = name.endswith("-pair")
        made = Encoding(
            skeleton=name,
            distances=shown.distances,
            orientations=shown.orientations,
            moves=shown.moves,
            columns="stacked",
            reach=1.6,
            lag=4,
            arrows="unit" if two else "scaled",
            axes="body" if two else "first",
            origin="window",
            equalise="none",
        )
        return replace(made, rows=min(ceil(made.features / STRIDE) * STRIDE, LARGEST))

    @property
    def size(self) -> tuple[int, int]:
        """(rows, columns) of the picture."""
        return self.rows, 2 * self.steps if self.columns == "interleaved" else self.steps

    @property
    def component(self) -> float:
        """Body sizes at which a component of a scaled arrow has its full colour: it is shorter than the arrow."""
        return 2 / 3 * self.reach

    @property
    def features(self) -> int:
        """Rows before resizing."""
        stacked = self.columns == "stacked"
        return len(self.arrangement) + (len(self.distances) + len(self.orientations)) * stacked

    @cached_property
    def arrangement(self) -> list[int]:
        """The order of features, numbered through ``distances``, ``orientations`` and ``moves``."""
        return arrangement(self.distances, (*self.orientations, *self.movers), self.order)

    @property
    def movers(self) -> tuple[Pair, ...]:
        """``moves`` as pairs of a joint with itself."""
        return tuple((joint, joint) for joint in self.moves)

    def to_mapping(self) -> dict[str, Any]:
        """JSON-ready values; ``from_mapping`` is the inverse."""
        return asdict(self)

    @staticmethod
    def from_mapping(values: Mapping[str, Any]) -> "Encoding":
        """Read what ``to_mapping`` wrote, also after a round trip through JSON; what is missing is as by default."""
        pairs = {name: tuple((a, b) for a, b in values[name]) for name in ("distances", "orientations")}
        return Encoding(**{**values, **pairs, "moves": tuple(values.get("moves", ()))})


def encode(points: Float[np.ndarray, "B T J 3"], encoding: Encoding) -> UInt8[np.ndarray, "B H W 3"]:
    """RGB pictures of B motions of T ≥ 1 frames, evenly spaced in time, all joints finite, any axes and unit.

    The same motion elsewhere, facing elsewhere, by a taller person or seen from a tilted camera has the same picture
    (with ``axes`` "body"). Raises ``ShapeError`` if J is not that of ``encoding.skeleton``, ``DataError`` if that
    skeleton is unknown or lacks a joint that is to be drawn.
    """
    known = skeleton(encoding.skeleton)
    if points.shape[2] != len(known):
        raise ShapeError(f"The encoding draws {known.name} with {len(known)} joints; these have {points.shape[2]}.")
    if not len(points):
        return np.zeros((0, *encoding.size, 3), np.uint8)
    poses = to_body(points, known, encoding.axes, encoding.up, encoding.origin)
    poses = smooth(poses) if encoding.smoothing == "savgol" else poses
    if encoding.sampling == "moments" or poses.shape[1] < 2:
        poses = sample(poses, encoding.steps + 1)
    return np.stack([_finish(picture, encoding) for picture in _pictures(poses, known, encoding)])


def _pictures(poses: Float[np.ndarray, "B N J 3"], known: Skeleton, encoding: Encoding) -> UInt8[np.ndarray, "B R W 3"]:
    """One row a feature, for every pose but the last a pose column and a motion column, or one on top of the other."""
    lengths = np.linalg.norm(arrows(poses, known, encoding.distances, encoding.lag), axis=-1)
    directions = arrows(poses, known, encoding.orientations, encoding.lag)
    parts = [
        colours.of_distances(_shares(lengths, encoding)),
        colours.of_arrows(directions, encoding.arrows, encoding.component),
        colours.of_arrows(arrows(poses, known, encoding.movers, encoding.lag), "scaled", encoding.travel),
    ]
    rows = np.concatenate(parts, axis=3)[:, :, :, encoding.arrangement]
    if encoding.columns == "interleaved":
        return rows.reshape(len(poses), -1, rows.shape[3], 3).swapaxes(1, 2)
    posed = np.array(encoding.arrangement) < len(encoding.distances) + len(encoding.orientations)
    return np.concatenate([rows[:, :, 0, posed], rows[:, :, 1]], axis=2).swapaxes(1, 2)


def _shares(lengths: Float[np.ndarray, "B M 2 R"], encoding: Encoding) -> Float[np.ndarray, "B M 2 R"]:
    if encoding.distance_range == "fixed" or not lengths.size:
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
