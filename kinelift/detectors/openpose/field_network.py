"""What the OpenPose detector requires of a network, and how pixels become its input."""

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

from kinelift.detectors.openpose.part_fields import PartFields


@runtime_checkable
class FieldNetwork(Protocol):
    """A network from images to part affinity fields."""

    @property
    def short_side(self) -> int:
        """The usual shorter side of its input, in pixels."""

    @property
    def multiple(self) -> int:
        """Both sides of its input are multiples of this, in pixels."""

    @property
    def size(self) -> tuple[int, int] | None:
        """The (width, height) of its input, if it is fixed."""

    @property
    def batch(self) -> int:
        """How many images it takes at a time."""

    @property
    def device(self) -> str:
        """Where it runs: "cpu", "cuda" or "cuda:1"."""

    def fields(self, pictures: UInt8[np.ndarray, "B H W 3"]) -> list[PartFields]:
        """The maps of each RGB image. They cover the whole image, whatever their number of cells."""


@dataclass(frozen=True)
class Encoding:
    """The colours that a network expects: their order, and each value as (value - ``offset``) × ``scale``."""

    colours: Literal["rgb", "bgr"] = "bgr"
    offset: float = 0.0
    scale: float = 1.0

    def encode(self, pictures: UInt8[np.ndarray, "B H W 3"]) -> Float[np.ndarray, "B H W 3"]:
        """Convert RGB images to the network's values, in single precision."""
        ordered = pictures[..., ::-1] if self.colours == "bgr" else pictures
        return (ordered - np.float32(self.offset)) * np.float32(self.scale)


LIGHTWEIGHT = Encoding("bgr", 128.0, 1 / 256)
"""That of Lightweight OpenPose."""
