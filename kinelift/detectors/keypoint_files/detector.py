"""Keypoints that another program found, in place of a detector."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from kinelift.poses import Frame, People, Skeleton
from kinelift.poses.errors import DataError
from kinelift.poses.keypoints import Keypoints

OUTSIDE = 0.05
"""Above this share of joints far outside the image, the keypoints belong to another video."""
FAR = 0.1
"""How far outside, in parts of the image's width and height."""
SURPLUS = 0.01
"""How many more frames than the video a file may have, in parts of the video: programs count frames differently."""
_SURPLUS_FRAMES = 3
"""The same in frames, for short videos."""


@dataclass(frozen=True, eq=False)
class KeypointFile:
    """Yields the people that ``keypoints`` holds for each frame; the image is not looked at."""

    keypoints: Keypoints

    @property
    def skeleton(self) -> Skeleton:
        """The joints as the file has them."""
        return self.keypoints.layout

    def detect(self, frames: Iterable[Frame]) -> Iterator[People]:
        """Yield the people in each frame.

        Raises:
            DataError: The keypoints belong to another video: their image size differs (at the first frame), they go on
                after its end, or they have nobody in any of its frames (at the end).
        """
        start, last, step, people_seen = None, 0, 1, 0
        for frame in frames:
            if start is None:
                start = last = frame.index
                self._check_size(frame)
            people = self.keypoints.at(frame.index)
            last, step, people_seen = frame.index, max(step, frame.index - last), people_seen + len(people)
            yield people
        if start == 0:  # otherwise it was part of a video
            self._check_end(last + step, people_seen)

    def _check_size(self, frame: Frame) -> None:
        height, width = frame.image.shape[:2]
        size = self.keypoints.size
        if size is not None and size != (width, height):
            raise DataError(
                f"{self.keypoints.source} is for images of {size[0]} × {size[1]} px, and the video has "
                f"{width} × {height}. Give the keypoints of this video."
            )
        share = self._outside(width, height)
        if share > OUTSIDE:
            raise DataError(
                f"{self.keypoints.source}: {share:.0%} of the joints are far outside the video's {width} × {height} "
                f"px. Give the keypoints of this video, in its pixels."
            )

    def _outside(self, width: int, height: int) -> float:
        """The share of the file's joints that are far outside the image."""
        points = [people.points.reshape(-1, 2) for people in self.keypoints.frames.values() if len(people)]
        every = np.concatenate(points) if points else np.zeros((0, 2))
        every = every[np.isfinite(every).all(-1)] / [width, height]
        return float(((every < -FAR) | (every > 1 + FAR)).any(-1).mean()) if len(every) else 0.0

    def _check_end(self, stop: int, people_seen: int) -> None:
        known = self.keypoints.frames
        first, last = min(known, default=0), max(known, default=-1)
        if last >= stop and first == 1:
            raise DataError(
                f"{self.keypoints.source} numbers frames from 1 to {last}, and the video's are 0 to {stop - 1}. If "
                f"frame 1 is the video's first one, say so with --keypoint-first 1."
            )
        if last >= stop + max(SURPLUS * stop, _SURPLUS_FRAMES):
            raise DataError(
                f"{self.keypoints.source} goes on to frame {last}, and the video ends with frame {stop - 1}. Give the "
                f"keypoints of this video."
            )
        if not people_seen and any(len(people) for people in known.values()):
            raise DataError(
                f"{self.keypoints.source} shows nobody in the frames of this video, but people in others. Give the "
                f"keypoints of this video."
            )
