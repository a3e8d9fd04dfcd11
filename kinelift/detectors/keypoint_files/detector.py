"""Another program's keypoints in the place of a detector."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from kinelift.poses import Frame, People, Skeleton
from kinelift.poses.errors import DataError
from kinelift.poses.keypoints import Keypoints

OUTSIDE = 0.05
"""Share of joints far outside the picture above which they are of another video."""
FAR = 0.1
"""What is far outside, in parts of the picture's width and height."""
SURPLUS = 0.01
"""Share of the video's frames by which a file may have more: programs do not count all videos alike."""
_MISCOUNT = 3
"""Frames more that are too many in a short video."""


@dataclass(frozen=True, eq=False)
class KeypointFile:
    """Shows in each frame the people that ``keypoints`` has there; does not look at the picture."""

    keypoints: Keypoints

    @property
    def skeleton(self) -> Skeleton:
        """The joints as the file has them."""
        return self.keypoints.layout

    def detect(self, frames: Iterable[Frame]) -> Iterator[People]:
        """The people in each frame.

        Raises ``DataError`` if the keypoints are clearly of another video: at the first frame because of the picture's
        size, at the end of a video because they go on, or because nobody was in any of its frames.
        """
        start, last, step, shown = None, 0, 1, 0
        for frame in frames:
            if start is None:
                start = last = frame.index
                self._check_size(frame)
            people = self.keypoints.at(frame.index)
            last, step, shown = frame.index, max(step, frame.index - last), shown + len(people)
            yield people
        if start == 0:  # else it was a part of a video
            self._check_end(last + step, shown)

    def _check_size(self, frame: Frame) -> None:
        height, width = frame.image.shape[:2]
        size = self.keypoints.size
        if size is not None and size != (width, height):
            raise DataError(
                f"{self.keypoints.source} tells of pictures of {size[0]} × {size[1]} px, and the video has "
                f"{width} × {height}. Give the keypoints of this video."
            )
        share = self._outside(width, height)
        if share > OUTSIDE:
            raise DataError(
                f"{self.keypoints.source}: {share:.0%} of the joints are far outside of the video's {width} × {height} "
                f"px. Give the keypoints of this video, in its pixels."
            )

    def _outside(self, width: int, height: int) -> float:
        """The share of all seen joints of the file that are far outside."""
        points = [people.points.reshape(-1, 2) for people in self.keypoints.frames.values() if len(people)]
        every = np.concatenate(points) if points else np.zeros((0, 2))
        every = every[np.isfinite(every).all(-1)] / [width, height]
        return float(((every < -FAR) | (every > 1 + FAR)).any(-1).mean()) if len(every) else 0.0

    def _check_end(self, stop: int, shown: int) -> None:
        known = self.keypoints.frames
        first, last = min(known, default=0), max(known, default=-1)
        if last >= stop and first == 1:
            raise DataError(
                f"{self.keypoints.source} numbers frames from 1 to {last}, and the video's are 0 to {stop - 1}. If "
                f"frame 1 is the video's first one, say so with --keypoint-first 1."
            )
        if last >= stop + max(SURPLUS * stop, _MISCOUNT):
            raise DataError(
                f"{self.keypoints.source} goes on to frame {last}, and the video ends with frame {stop - 1}. Give the "
                f"keypoints of this video."
            )
        if not shown and any(len(people) for people in known.values()):
            raise DataError(
                f"{self.keypoints.source} shows nobody in the frames of this video, but people in others. Give the "
                f"keypoints of this video."
            )
