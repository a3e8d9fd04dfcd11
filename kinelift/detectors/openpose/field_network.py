"""What the OpenPose detector asks of a network, and how pixels become its input."""

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

from kinelift.detectors.openpose.part_fields import PartFields


@runtime_checkable
class FieldNetwork(Protocol):
    """Pictures to part affinity fields, whatever runs it."""

    @property
    def short_side(self) -> int:
        """The usual shorter side of its input, in pixels."""

    @property
    def multiple(self) -> int:
        """What both sides of its input are multiples of."""

    @property
    def size(self) -> tuple[int, int] | None:
        """The (width, height) that its input must have, if it takes no other."""

    @property
    def batch(self) -> int:
        """How many pictures it takes at a time."""

    def fields(self, pictures: UInt8[np.ndarray, "B H W 3"]) -> list[PartFields]:
        """The maps of each RGB picture; they cover it evenly, whatever their number of cells."""


@dataclass(frozen=True)
class Encoding:
    """How a network wants its colours: in which order, and each value as (value − ``offset``) × ``scale``."""

    colours: Literal["rgb", "bgr"] = "bgr"
    offset: float = 0.0
    scale: float = 1.0

    def encode(self, pictures: UInt8[np.ndarray, "B H W 3"]) -> Float[np.ndarray, "B H W 3"]:
        """RGB pictures as the network's numbers, in single precision."""
        ordered = pictures[..., ::-1] if self.colours == "bgr" else pictures
        return (ordered - np.float32(self.offset)) * np.float32(self.scale)


LIGHTWEIGHT = Encoding("bgr", 128.0, 1 / 256)
"""What Lightweight OpenPose was trained on."""
