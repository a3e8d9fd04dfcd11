"""Keypoints that another program found, in place of a detector."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction

from kinelift.detectors.keypoint_files.agreement import Passage, check_frames, check_rate, check_size
from kinelift.poses import Frame, People, Skeleton
from kinelift.poses.errors import DataError
from kinelift.poses.keypoints import Keypoints

_SAME_SHAPE = 0.05
"""How much the shape of the picture that keypoints were found in may differ from the video's."""
_INSTANT = Fraction(1, 1_000_000)
"""Seconds: the shortest time that the last frame of a video is shown."""


@dataclass(frozen=True, eq=False)
class KeypointFile:
    """Yields the people that ``keypoints`` holds for each frame; the image is not looked at.

    Args:
        keypoints: The people by frame.
        rate: The rate (frames per second) at which they were found; None = in every frame of the video. Each is shown
            in the frame nearest in time, and the frames in between show nobody.
        size: The (width, height) of the pictures that they were found in, px; None = that of the video.

    Attributes:
        remarks: What the user should know after a pass, one sentence each.
    """

    keypoints: Keypoints
    rate: Fraction | None = None
    size: tuple[int, int] | None = None
    remarks: list[str] = field(default_factory=list)

    @property
    def skeleton(self) -> Skeleton:
        """The joints as the file has them."""
        return self.keypoints.layout

    def detect(self, frames: Iterable[Frame]) -> Iterator[People]:
        """Yield the people in each frame.

        Raises:
            DataError: The keypoints belong to another video: their image size differs (at the first frame), they go on
                after its end or are far fewer, or they have nobody in any of its frames (at the end).
        """
        self.remarks.clear()
        passage, keypoints = Passage(), self.keypoints
        for frame, number in _numbered(frames, self.rate):
            if passage.first is None:
                height, width = frame.image.shape[:2]
                keypoints = self._scaled(width, height)
                self.remarks.extend(check_size(keypoints, width, height))
            people = keypoints.at(number) if number is not None else People.nobody(frame.index, len(self.skeleton))
            passage.add(frame.index, frame.time, len(people))
            yield people if people.frame == frame.index else replace(people, frame=frame.index)
        if passage.first == 0:  # otherwise it was part of a video
            rate = self.rate
            self.remarks.extend(
                check_frames(keypoints, passage) if rate is None else check_rate(keypoints, passage, rate)
            )

    def _scaled(self, width: int, height: int) -> Keypoints:
        """The keypoints in pixels of the video."""
        if self.keypoints.fractions:
            return self.keypoints.in_pixels(width, height)
        if self.size is None:
            return self.keypoints
        if abs(self.size[0] * height / (self.size[1] * width) - 1) > _SAME_SHAPE:
            raise DataError(
                f"--keypoint-size {self.size[0]}x{self.size[1]} has another shape than the video's {width} × {height} "
                f"px. Give the size of the pictures in which {self.keypoints.source} was found."
            )
        return self.keypoints.scaled(width / self.size[0], height / self.size[1])


def _numbered(frames: Iterable[Frame], rate: Fraction | None) -> Iterator[tuple[Frame, int | None]]:
    """Each frame with the number of its keypoints; None = another frame is nearer to theirs.

    Without a rate the number is the frame's index. With one, a frame is read ahead.
    """
    if rate is None:
        yield from ((frame, frame.index) for frame in frames)
        return
    held: Frame | None = None
    start = Fraction(0)
    for frame in frames:
        if held is not None:
            middle = (held.time + frame.time) / 2
            yield held, _nearest(held.time, start, middle, rate)
            start = middle
        held = frame
    if held is not None:
        yield held, _nearest(held.time, start, held.time + max(held.time - start, _INSTANT), rate)


def _nearest(time: Fraction, start: Fraction, stop: Fraction, rate: Fraction) -> int | None:
    """The keypoints from ``start`` until ``stop`` that are nearest to ``time``."""
    first, last = -(-start * rate // 1), -(-stop * rate // 1) - 1
    return int(min(max(round(time * rate), first), last)) if first <= last else None
