"""Enhanced-SPMF: a motion as a small colour image (Pham et al., Sensors 19(8), 2019).

See docs/explanation/motion-images.md.
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
from kinelift.poses.errors import SettingsError, ShapeError
from kinelift.poses.json_values import from_json
from kinelift.recognition.encoding import colours
from kinelift.recognition.encoding.body_frame import Axes, Origin, Up, to_body
from kinelift.recognition.encoding.colours import Arrows, Equalisation
from kinelift.recognition.encoding.features import joint_vectors, sample, smooth
from kinelift.recognition.encoding.pair_order import LIMBS, REACHES, Order, Pair, arrangement, default_features

Columns = Literal["interleaved", "stacked"]
DistanceRange = Literal["fixed", "sequence"]
Smoothing = Literal["savgol", "none"]
Sampling = Literal["moments", "frames"]
Interpolation = Literal["area", "linear", "cubic", "nearest"]

MAX_ROWS = 160
"""Most rows of a default image."""
STRIDE = 4
"""Sizes of default images are multiples of this, so that networks can halve them twice."""

_LIMITS = {
    "rows": (1, 4096), "steps": (1, 4096), "reach": (0.01, 100), "clip": (0.01, 1000), "tiles": (1, 64),
    "travel": (0.01, 100), "lag": (1, 4096),
}  # fmt: skip
"""The least and the most of each number."""
_INTERPOLATIONS = {
    "area": cv2.INTER_AREA, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC, "nearest": cv2.INTER_NEAREST,
}  # fmt: skip


@dataclass(frozen=True)
class Encoding:
    """How a motion is drawn as an image; docs/explanation/motion-images.md compares the alternatives."""

    rows: int = 32
    """Height of the image."""
    steps: int = 16
    """Moments, evenly spaced in time."""
    reach: float = 1.2
    """Body sizes from which distances are deep red."""
    equalise: Equalisation = "channels"
    """CLAHE on each colour channel, on the lightness of Lab, on the value of HSV, or none."""
    clip: float = 2.0
    """Contrast limit of CLAHE."""
    tiles: int = 2
    """CLAHE divides the image into tiles × tiles parts."""
    distances: tuple[Pair, ...] = REACHES
    """Pairs of joints whose distance has a row."""
    orientations: tuple[Pair, ...] = LIMBS
    """Pairs of joints whose direction has a row."""
    skeleton: str = "h36m17"
    """Name of the registered skeleton that is drawn."""
    order: Order = "given"
    """Order of the rows: as given, by pair of joints, or by part of the body."""
    columns: Columns = "interleaved"
    """Columns of pose and motion alternate, as published, or the rows of motion are below those of pose."""
    distance_range: DistanceRange = "fixed"
    """Distances are scaled by the reach, or by the shortest and longest of the motion."""
    arrows: Arrows = "unit"
    """Directions are unit vectors, or scaled by two thirds of the reach."""
    moves: tuple[str, ...] = ()
    """Joints whose own displacement has a row."""
    travel: float = 0.4
    """Body sizes of displacement at which the colour is full."""
    lag: int = 1
    """Moments over which motion is measured."""
    smoothing: Smoothing = "savgol"
    """Savitzky–Golay filter over time, or none."""
    sampling: Sampling = "moments"
    """Draw the moments, or every frame."""
    interpolation: Interpolation = "area"
    """Resizes images that are not of the right size."""
    axes: Axes = "body"
    """Up is the trunk's direction on average, or at first, or the recording's vertical; or nothing is rotated."""
    up: Up = "+y"
    """The recording's vertical axis, for upright axes."""
    origin: Origin = "frame"
    """The hip is at the origin in every frame, or on average over the window."""

    def __post_init__(self) -> None:
        for name, (least, most) in _LIMITS.items():
            if not least <= (value := getattr(self, name)) <= most:
                raise SettingsError(f"The {name} of a motion image is {value}; it must be from {least:g} to {most:g}.")
        if not (self.distances or self.orientations or self.moves):
            raise SettingsError("A motion image needs distances, orientations or moves of joints to draw.")

    @staticmethod
    def of(name: str) -> "Encoding":
        """The default for a registered skeleton.

        Raises:
            DataError: No skeleton has this name.
        """
        if name == Encoding.skeleton:
            return Encoding()
        shown = default_features(skeleton(name))
        two = name.endswith("-pair")
        default = Encoding(
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
        return replace(default, rows=min(ceil(default.features / STRIDE) * STRIDE, MAX_ROWS))

    @property
    def size(self) -> tuple[int, int]:
        """(rows, columns) of the image."""
        return self.rows, 2 * self.steps if self.columns == "interleaved" else self.steps

    @property
    def vector_range(self) -> float:
        """Component of a scaled vector that has the full colour, in body sizes."""
        return 2 / 3 * self.reach

    @property
    def features(self) -> int:
        """Number of rows before resizing."""
        stacked = self.columns == "stacked"
        return len(self.arrangement) + (len(self.distances) + len(self.orientations)) * stacked

    @cached_property
    def arrangement(self) -> list[int]:
        """Row order, counted through ``distances``, ``orientations`` and ``moves``."""
        return arrangement(self.distances, (*self.orientations, *self.move_pairs), self.order)

    @property
    def move_pairs(self) -> tuple[Pair, ...]:
        """``moves`` as pairs of a joint with itself."""
        return tuple((joint, joint) for joint in self.moves)

    def to_mapping(self) -> dict[str, Any]:
        """Values ready for JSON; ``from_mapping`` is the inverse."""
        return asdict(self)

    @staticmethod
    def from_mapping(values: Mapping[str, Any]) -> "Encoding":
        """Read what ``to_mapping`` wrote, after a round trip through JSON. Missing values have their defaults.

        Raises:
            DataError: A value has another type, or is unknown.
            SettingsError: A value is out of range.
        """
        encoding: Encoding = from_json(Encoding, values, "encoding")
        return encoding


def encode(points: Float[np.ndarray, "B T J 3"], encoding: Encoding) -> UInt8[np.ndarray, "B H W 3"]:
    """Draw motions as RGB images.

    With ``axes`` "body" an image does not depend on where the person stands, which way they face, how tall they are,
    or how the camera is tilted.

    Args:
        points: B motions of T ≥ 1 frames, evenly spaced in time; all joints finite, in any axes and unit.
        encoding: How to draw them.

    Raises:
        ShapeError: J is not the joint count of ``encoding.skeleton``.
        DataError: That skeleton is unknown, or lacks a joint to be drawn.
    """
    layout = skeleton(encoding.skeleton)
    if points.shape[2] != len(layout):
        raise ShapeError(
            f"The encoding draws {layout.name} with {len(layout)} joints; these poses have {points.shape[2]}."
        )
    if not len(points):
        return np.zeros((0, *encoding.size, 3), np.uint8)
    poses = to_body(points, layout, encoding.axes, encoding.up, encoding.origin)
    poses = smooth(poses) if encoding.smoothing == "savgol" else poses
    if encoding.sampling == "moments" or poses.shape[1] < 2:
        poses = sample(poses, encoding.steps + 1)
    return np.stack([_resize_and_equalise(image, encoding) for image in _draw(poses, layout, encoding)])


def _draw(poses: Float[np.ndarray, "B N J 3"], layout: Skeleton, encoding: Encoding) -> UInt8[np.ndarray, "B R W 3"]:
    """One row for each feature; columns of pose and of motion for every pose but the last."""
    lengths = np.linalg.norm(joint_vectors(poses, layout, encoding.distances, encoding.lag), axis=-1)
    directions = joint_vectors(poses, layout, encoding.orientations, encoding.lag)
    parts = [
        colours.of_distances(_shares(lengths, encoding)),
        colours.of_vectors(directions, encoding.arrows, encoding.vector_range),
        colours.of_vectors(joint_vectors(poses, layout, encoding.move_pairs, encoding.lag), "scaled", encoding.travel),
    ]
    rows = np.concatenate(parts, axis=3)[:, :, :, encoding.arrangement]
    if encoding.columns == "interleaved":
        return rows.reshape(len(poses), -1, rows.shape[3], 3).swapaxes(1, 2)
    posed = np.array(encoding.arrangement) < len(encoding.distances) + len(encoding.orientations)
    return np.concatenate([rows[:, :, 0, posed], rows[:, :, 1]], axis=2).swapaxes(1, 2)


def _shares(lengths: Float[np.ndarray, "B M 2 R"], encoding: Encoding) -> Float[np.ndarray, "B M 2 R"]:
    if encoding.distance_range == "fixed" or not lengths.size:
        fixed: Float[np.ndarray, "B M 2 R"] = lengths / encoding.reach
        return fixed
    low = lengths.min(axis=(1, 2, 3), keepdims=True)
    high = lengths.max(axis=(1, 2, 3), keepdims=True)
    shares: Float[np.ndarray, "B M 2 R"] = (lengths - low) / np.maximum(high - low, 1e-9)
    return shares


def _resize_and_equalise(image: UInt8[np.ndarray, "R N 3"], encoding: Encoding) -> UInt8[np.ndarray, "H W 3"]:
    image = np.ascontiguousarray(image)
    if image.shape[:2] != encoding.size:
        rows, columns = encoding.size
        image = cv2.resize(image, (columns, rows), interpolation=_INTERPOLATIONS[encoding.interpolation])
    return colours.equalise(image, encoding.equalise, encoding.clip, encoding.tiles)
