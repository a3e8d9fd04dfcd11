"""Look at a picture at several sizes: a network finds people who are neither too small nor too large in its input."""

from functools import reduce
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from kinelift.detectors.movenet.detector import MoveNet
from kinelift.detectors.movenet.second_look import Finder, SecondLook
from kinelift.poses import People, Skeleton
from kinelift.poses.boxes import areas, intersections

_STEP = 3 / 8
"""From one input size to the next: MoveNet finds most people whose joints span 75 to 300 of its pixels."""
_SMALL = 256
"""Pixels of the longer side at which whoever fills the picture is found."""


class Scales:
    """The people that any of the ``finders`` finds, the one of the largest input first.

    Of two findings by different finders that share ``overlap`` of the smaller one's box only the surer stays: it is
    one person, or a part of one taken for a whole, or two of whom a small input shows one. A finder's confidence counts
    ``discount`` times that of the one before it, which sees more.
    """

    def __init__(self, *finders: Finder, overlap: float = 0.6, discount: float = 0.75) -> None:
        self._finders, self._overlap, self._discount = finders, overlap, discount

    @property
    def skeleton(self) -> Skeleton:
        """The joints of all finders."""
        return self._finders[0].skeleton

    def find(self, image: UInt8[np.ndarray, "H W 3"], frame: int = 0) -> People:
        """The people in one RGB picture, most confident first, in pixels of that picture."""
        found = [finder.find(image, frame) for finder in self._finders]
        everybody = reduce(People.and_also, found)
        finder = np.repeat(np.arange(len(found)), [len(people) for people in found])
        area = areas(everybody.boxes)
        overlap = intersections(everybody.boxes, everybody.boxes) / np.minimum(area[:, None], area).clip(1e-9)
        clash = (overlap > self._overlap) & (finder[:, None] != finder)
        kept: list[int] = []
        for one in np.argsort(-everybody.confidence * self._discount**finder, kind="stable").tolist():
            if not clash[one, kept].any():
                kept.append(one)
        return everybody.only(sorted(kept, key=lambda one: -everybody.confidence[one]))


def movenet_people(model: Path, *, long_side: int = 512, threads: int = 2, person_threshold: float = 0.2) -> SecondLook:
    """MoveNet as the program uses it: on the whole picture at several sizes, and close up on people who were lost.

    ``long_side``: the longer side of the largest input in pixels, a multiple of 32. It finds people whose joints span
    some 75 of them or more. ``person_threshold``: as ``MoveNet``'s.
    """

    def at(side: int) -> MoveNet:
        return MoveNet(model, long_side=side, threads=threads, person_threshold=person_threshold)

    return SecondLook(Scales(*map(at, ladder(long_side))), at(_SMALL))


def ladder(long_side: int) -> list[int]:
    """Input sizes of MoveNet from ``long_side`` down, by which nobody is too large for all of them."""
    sides = [long_side]
    while sides[-1] > _SMALL:
        sides.append(round(sides[-1] * _STEP / 32) * 32)
    return sides
