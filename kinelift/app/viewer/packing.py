"""Packs arrays into text for a page: differences over time, byte planes, gzip, base64. ``clip.js`` unpacks them.

Poses change little from frame to frame, so the differences of whole numbers are small, and the planes of their higher
bytes are almost empty. A joint takes about three bytes per frame in place of twelve.
"""

import gzip
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped

UNKNOWN = {"int16": -(2**15), "int32": -(2**31)}
"""The number that stands for NaN."""


@dataclass
class Packing:
    """Arrays that are packed together. A reference is what the page needs to find one again."""

    _planes: list[bytes] = field(default_factory=list)
    _length: int = 0

    def add(self, values: Shaped[np.ndarray, "*rows T"]) -> dict[str, Any]:
        """Add an array of int8, int16, int32 or float64 whose last axis is time, and return its reference."""
        array = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
        stored = array if array.dtype.kind == "f" else _differences(array)
        planes = stored.reshape(-1).view(np.uint8).reshape(-1, array.itemsize).T.tobytes()
        reference = {"type": values.dtype.name, "shape": list(array.shape), "offset": self._length}
        self._planes.append(planes)
        self._length += len(planes)
        return reference

    def text(self) -> str:
        """Everything that was added, as base64 of gzip. The same arrays give the same text."""
        return b64encode(gzip.compress(b"".join(self._planes), 6, mtime=0)).decode("ascii")


def whole(values: Float[np.ndarray, "..."], kind: str) -> Int[np.ndarray, "..."]:
    """Round to whole numbers of a type; NaN and what does not fit become ``UNKNOWN``."""
    limits = np.iinfo(kind)
    rounded = np.round(values)
    fits = (rounded > limits.min) & (rounded <= limits.max)
    return np.where(fits, rounded, UNKNOWN[kind]).astype(kind)


def _differences(values: Int[np.ndarray, "*rows T"]) -> Int[np.ndarray, "*rows T"]:
    """Each value less the one before, modulo the range of the type; the first as it is."""
    out = values.copy()
    out[..., 1:] -= values[..., :-1]
    return out
