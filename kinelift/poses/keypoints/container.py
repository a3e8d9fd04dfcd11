"""Everybody in every frame of one video, as another program found them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from kinelift.poses.containers import People
from kinelift.poses.errors import DataError, ShapeError
from kinelift.poses.skeleton import Skeleton


@dataclass(frozen=True, eq=False)
class Keypoints:
    """The people of one video by index of its frames, in order. A frame that is not there shows nobody.

    ``layout``: the joints as the file has them; ``stated``: how it told them, in words. ``size``: width and height of
    the pictures in px, None where the file does not tell. ``source``: the file, and the video where it holds several.
    """

    source: str
    layout: Skeleton
    stated: str
    frames: Mapping[int, People]
    size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if self.size is not None and min(self.size) <= 0:
            raise DataError(f"{self.source} tells of pictures of {self.size[0]} × {self.size[1]} px. Export it anew.")
        for index, people in self.frames.items():
            if people.frame != index or people.points.shape[1] != len(self.layout):
                raise ShapeError(
                    f"Frame {index} of {self.source} is numbered {people.frame} and has {people.points.shape[1]} "
                    f"joints, expected {len(self.layout)}."
                )

    def at(self, index: int) -> People:
        """The people of a frame."""
        return self.frames[index] if index in self.frames else People.nobody(index, len(self.layout))

    def counted_from(self, first: int) -> "Keypoints":
        """The same where ``first`` is the number that the file gives to the video's first frame.

        Raises ``DataError`` if there are frames before it.
        """
        if self.frames and min(self.frames) < first:
            raise DataError(
                f"{self.source} has a frame {min(self.frames)}, so {first} is not the number of the first one."
            )
        return replace(self, frames={k - first: replace(p, frame=k - first) for k, p in self.frames.items()})
