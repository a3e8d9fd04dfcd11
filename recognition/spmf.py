"""Enhanced-SPMF: a motion as a small colour picture (Pham et al., Sensors 19(8), 2019; docs/recognition.md)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import combinations
from typing import Any, Literal

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from scipy.signal import savgol_filter

from poses import H36M17
from recognition.body import to_body

Pair = tuple[str, str]
Equalisation = Literal["none", "channels", "lightness"]

LIMBS: tuple[Pair, ...] = (
    ("hip", "left_hip"), ("left_hip", "left_knee"), ("left_knee", "left_ankle"),
    ("hip", "right_hip"), ("right_hip", "right_knee"), ("right_knee", "right_ankle"),
    ("hip", "thorax"), ("thorax", "head"),
    ("thorax", "left_shoulder"), ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
    ("thorax", "right_shoulder"), ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"),
    ("hip", "left_wrist"), ("hip", "right_wrist"),
)  # fmt: skip
"""Pairs whose direction is shown by default: the bones, and both hands as seen from the hip."""

REACHES: tuple[Pair, ...] = (
    ("left_ankle", "right_ankle"), ("left_knee", "right_knee"), ("left_hip", "left_ankle"),
    ("right_hip", "right_ankle"), ("left_ankle", "thorax"), ("right_ankle", "thorax"), ("left_knee", "thorax"),
    ("right_knee", "thorax"), ("left_wrist", "right_wrist"), ("left_elbow", "right_elbow"),
    ("left_shoulder", "left_wrist"), ("right_shoulder", "right_wrist"), ("left_wrist", "head"),
    ("right_wrist", "head"), ("left_wrist", "left_knee"), ("right_wrist", "right_knee"),
)  # fmt: skip
"""Pairs whose distance is shown by default: what opens and closes when people move."""

ALL_PAIRS: tuple[Pair, ...] = tuple(combinations(H36M17.joints, 2))
"""Every unordered pair of joints, as published; the picture is then resized from 272 rows."""


@dataclass(frozen=True)
class Encoding:
    """How a motion is drawn. docs/recognition.md says which alternatives were measured.

    Rows: one for each of ``distances``, then one for each of ``orientations``, resized to ``rows`` if they are more or
    fewer. Columns: pose and motion in turn, for ``steps`` moments. Distances of ``reach`` body sizes and more are deep
    red. ``equalise`` applies CLAHE to each colour channel or to the lightness of Lab, in ``tiles`` × ``tiles`` tiles.
    """

    rows: int = 32
    steps: int = 16
    reach: float = 1.2
    equalise: Equalisation = "channels"
    clip: float = 2.0
    tiles: int = 2
    distances: tuple[Pair, ...] = REACHES
    orientations: tuple[Pair, ...] = LIMBS

    @property
    def size(self) -> tuple[int, int]:
        """(rows, columns) of the picture."""
        return self.rows, 2 * self.steps

    def to_mapping(self) -> dict[str, Any]:
        """JSON-ready values; ``from_mapping`` is the inverse."""
        return asdict(self)

    @staticmethod
    def from_mapping(values: Mapping[str, Any]) -> "Encoding":
        """Read what ``to_mapping`` wrote, also after a round trip through JSON."""
        pairs = {name: tuple((a, b) for a, b in values[name]) for name in ("distances", "orientations")}
        return Encoding(**{**values, **pairs})


def encode(points: Float[np.ndarray, "B T 17 3"], encoding: Encoding) -> UInt8[np.ndarray, "B H W 3"]:
    """RGB pictures of B motions of T ≥ 1 frames, evenly spaced in time, h36m17 joints, all finite, any axes and unit.

    The same motion elsewhere, facing elsewhere, by a taller person or seen from a tilted camera has the same picture.
    """
    if not len(points):
        return np.zeros((0, *encoding.size, 3), np.uint8)
    poses = _sample(smooth(to_body(points)), encoding.steps + 1)
    now, then = poses[:, :-1], poses[:, 1:]
    columns = np.stack([_features(now, now, encoding), _features(now, then, encoding)], axis=2)
    pictures = columns.reshape(len(points), 2 * encoding.steps, -1, 3).swapaxes(1, 2)
    return np.stack([_finish(picture, encoding) for picture in pictures])


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


def _features(
    first: Float[np.ndarray, "B N 17 3"], second: Float[np.ndarray, "B N 17 3"], encoding: Encoding
) -> UInt8[np.ndarray, "B N R 3"]:
    """Colours of the distances and directions from joints of ``first`` to joints of ``second``."""
    a, b = _indices(encoding.distances)
    lengths = np.linalg.norm(second[:, :, b] - first[:, :, a], axis=-1)
    levels = np.rint(np.clip(lengths / encoding.reach, 0, 1) * 255).astype(np.uint8)
    a, b = _indices(encoding.orientations)
    arrows = second[:, :, b] - first[:, :, a]
    arrows = arrows / np.maximum(np.linalg.norm(arrows, axis=-1, keepdims=True), 1e-9)
    return np.concatenate([_jet()[levels], np.rint((arrows + 1) * 127.5).astype(np.uint8)], axis=2)


def _finish(picture: UInt8[np.ndarray, "R W 3"], encoding: Encoding) -> UInt8[np.ndarray, "H W 3"]:
    rows, columns = encoding.size
    if len(picture) != rows:
        picture = cv2.resize(np.ascontiguousarray(picture), (columns, rows), interpolation=cv2.INTER_AREA)
    return _EQUALISE[encoding.equalise](np.ascontiguousarray(picture), encoding)


def _channels(picture: UInt8[np.ndarray, "H W 3"], encoding: Encoding) -> UInt8[np.ndarray, "H W 3"]:
    clahe = _clahe(encoding)
    return np.stack([clahe.apply(np.ascontiguousarray(picture[..., c])) for c in range(3)], axis=-1)


def _lightness(picture: UInt8[np.ndarray, "H W 3"], encoding: Encoding) -> UInt8[np.ndarray, "H W 3"]:
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
    lab[..., 0] = _clahe(encoding).apply(np.ascontiguousarray(lab[..., 0]))
    return cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)


_EQUALISE = {"none": lambda picture, _: picture, "channels": _channels, "lightness": _lightness}


def _clahe(encoding: Encoding) -> cv2.CLAHE:
    return cv2.createCLAHE(encoding.clip, (encoding.tiles, encoding.tiles))


@lru_cache(maxsize=8)
def _indices(pairs: tuple[Pair, ...]) -> tuple[list[int], list[int]]:
    return [H36M17.index(a) for a, _ in pairs], [H36M17.index(b) for _, b in pairs]


@lru_cache(maxsize=1)
def _jet() -> UInt8[np.ndarray, "256 3"]:
    levels = np.arange(256, dtype=np.uint8)[:, None]
    return cv2.applyColorMap(levels, cv2.COLORMAP_JET)[:, 0, ::-1].copy()
