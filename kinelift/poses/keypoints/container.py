"""The keypoints of a video as another program detected them, and the videos in a file or folder."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from kinelift.poses.containers import People
from kinelift.poses.errors import DataError, ShapeError
from kinelift.poses.skeleton import Skeleton

FRACTIONS = 10_000
"""The width and the height of the picture, where coordinates are fractions of it."""
_EXTENSION = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,4}$")
_NUMBERED = re.compile(r"(.*?)([0-9]+)([^0-9]*)", re.DOTALL)


@dataclass(frozen=True, eq=False)
class Keypoints:
    """The people of one video.

    Attributes:
        source: The file, and the video's name if the file holds several.
        layout: Layout of the joints.
        layout_source: How the layout is known, in words.
        frames: The people by frame index, in order. A frame that is missing shows nobody.
        size: (width, height) of the pictures in px; None if the file does not state it.
        fractions: Whether coordinates are not px, but parts of the picture's width and height, times ``FRACTIONS``.
    """

    source: str
    layout: Skeleton
    layout_source: str
    frames: Mapping[int, People]
    size: tuple[int, int] | None = None
    fractions: bool = False

    def __post_init__(self) -> None:
        if self.size is not None and min(self.size) <= 0:
            raise DataError(f"{self.source} states a picture size of {self.size[0]} × {self.size[1]} px. Export again.")
        for index, people in self.frames.items():
            if people.frame != index or people.points.shape[1] != len(self.layout):
                raise ShapeError(
                    f"Frame {index} of {self.source} is numbered {people.frame} and has {people.points.shape[1]} "
                    f"joints, expected {len(self.layout)}."
                )

    def at(self, index: int) -> People:
        """The people in the frame with this index."""
        return self.frames[index] if index in self.frames else People.nobody(index, len(self.layout))

    def scaled(self, x: float, y: float) -> "Keypoints":
        """The same keypoints with coordinates multiplied by ``x`` and ``y``: px of a picture of another size."""
        factor = np.array([x, y])
        frames = {
            index: replace(people, points=people.points * factor, boxes=people.boxes * np.tile(factor, 2))
            for index, people in self.frames.items()
        }
        return replace(self, frames=frames, size=None, fractions=False)

    def in_pixels(self, width: int, height: int) -> "Keypoints":
        """The same keypoints in px of a picture of this size, if they are fractions of it; otherwise as they are."""
        return self.scaled(width / FRACTIONS, height / FRACTIONS) if self.fractions else self

    def renumbered(self, first: int) -> "Keypoints":
        """The same keypoints with frames counted from 0.

        Args:
            first: The number that the file gives to the video's first frame.

        Raises:
            DataError: There are frames before ``first``.
        """
        if self.frames and min(self.frames) < first:
            raise DataError(
                f"{self.source} has a frame {min(self.frames)}, so its first frame is not {first}. Give that number."
            )
        return replace(self, frames={k - first: replace(p, frame=k - first) for k, p in self.frames.items()})


Videos: TypeAlias = Mapping[str, Callable[[], Keypoints]]
"""A function that reads each video, by the video's name."""


class FrameRef(NamedTuple):
    """The name of a video and the number of a frame in it."""

    video: str
    frame: int


def frame_ref(image: Any, where: str) -> FrameRef:
    """The frame that an image shows.

    Args:
        image: The frame's number, or a file name, whose last number is the frame's and whose rest is the video's name.
        where: The position in the file, for errors.

    Raises:
        DataError: There is no number.
    """
    if isinstance(image, float) and image.is_integer():
        image = int(image)
    if isinstance(image, int) and not isinstance(image, bool) and image >= 0:
        return FrameRef("", image)
    if isinstance(image, str) and (parts := _NUMBERED.fullmatch(_EXTENSION.sub("", image))):
        return FrameRef((parts[1] + parts[3]).strip("/\\_-. "), int(parts[2][-18:]))
    raise DataError(f"{where} is {image!r}. Expected a frame number, or an image name that contains one.")
