"""Checks whether keypoints and a video belong together: size, extent, number of frames and rate."""

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from jaxtyping import Float

from kinelift.poses.errors import DataError
from kinelift.poses.keypoints import Keypoints

OUTSIDE = 0.05
"""Above this share of joints far outside the image, the keypoints belong to another video."""
FAR = 0.1
"""How far outside, in parts of the image's width and height."""
CORNER = 0.65
"""If all joints are within this part of the width and of the height, they may be those of a smaller image."""
_ALMOST_ALL = 0.995
SURPLUS = 0.01
"""How many more frames than the video a file may have, in parts of the video: programs count frames differently."""
_SURPLUS_FRAMES = 3
"""The same in frames, for short videos."""
FEWER = 0.9
"""A file that ends before this part of the video, and three frames more, has fewer frames than the video."""
_RATES = (1, 2, 3, 5, 6, 8, 10, 12, 12.5, 15, 20, 23.976, 24, 25, 29.97, 30, 48, 50, 59.94, 60)
_RATE_TOLERANCE = 0.03
_SAME_SHAPE = 0.02


@dataclass(eq=False)
class Passage:
    """What one pass over a video met.

    Attributes:
        first: The index of the first frame; None before it.
        last: The index of the last frame.
        step: The largest step between the indices of two frames.
        people: How many people the keypoints had in these frames.
        start: The time of the first frame, s.
        end: The time of the last frame, s.
    """

    first: int | None = None
    last: int = field(default=0)
    step: int = field(default=1)
    people: int = field(default=0)
    start: Fraction = field(default=Fraction(0))
    end: Fraction = field(default=Fraction(0))

    def add(self, index: int, time: Fraction, people: int) -> None:
        """Take the next frame."""
        if self.first is None:
            self.first, self.last, self.start = index, index, time
        self.step, self.last, self.end = max(self.step, index - self.last), index, time
        self.people += people

    @property
    def stop(self) -> int:
        """The index after the last frame."""
        return self.last + self.step

    @property
    def rate(self) -> float | None:
        """Mean frames per second; None for a single frame."""
        assert self.first is not None
        return float((self.last - self.first) / (self.end - self.start)) if self.end > self.start else None


def check_size(keypoints: Keypoints, width: int, height: int) -> tuple[str, ...]:
    """Compare keypoints with the size of the image, px.

    Returns:
        Notes: that they may be those of a smaller image.

    Raises:
        DataError: They are those of an image of another size.
    """
    if keypoints.size is not None and keypoints.size != (width, height):
        raise DataError(
            f"{keypoints.source} is for images of {keypoints.size[0]} × {keypoints.size[1]} px, and the video has "
            f"{width} × {height}. {_size_remedy(keypoints.size, width, height)}"
        )
    points = _seen_points(keypoints) / [width, height]
    share = float(((points < -FAR) | (points > 1 + FAR)).any(-1).mean()) if len(points) else 0.0
    if share > OUTSIDE:
        raise DataError(
            f"{keypoints.source}: {share:.0%} of the joints are far outside the video's {width} × {height} px. Give "
            f"the keypoints of this video. If they were found in a larger copy of it, give its size with "
            f"--keypoint-size WxH."
        )
    extent = np.quantile(points, _ALMOST_ALL, axis=0) if len(points) and keypoints.size is None else np.ones(2)
    if (extent >= CORNER).any():
        return ()
    return (
        f"{keypoints.source}: all joints are in the upper left {extent[0]:.0%} × {extent[1]:.0%} of the picture. If "
        f"they were found in a smaller copy of the video, give its size with --keypoint-size WxH.",
    )


def check_frames(keypoints: Keypoints, passage: Passage) -> tuple[str, ...]:
    """Compare keypoints with the frames of a whole video, where each has its own keypoints.

    Returns:
        Notes: that the keypoints end before the video.

    Raises:
        DataError: The keypoints are numbered from 1, go on after the video's end, or show nobody in any of its frames;
            or the file lists every frame, and they are far fewer than the video's.
    """
    known, stop = keypoints.frames, passage.stop
    first, last = min(known, default=0), max(known, default=-1)
    if last >= stop and first == 1:
        raise DataError(
            f"{keypoints.source} numbers frames from 1 to {last}, and the video's are 0 to {stop - 1}. If frame 1 is "
            f"the video's first one, say so with --keypoint-first 1."
        )
    if last >= stop + max(SURPLUS * stop, _SURPLUS_FRAMES):
        raise DataError(
            f"{keypoints.source} goes on to frame {last}, and the video ends with frame {stop - 1}. "
            f"{_rate_remedy(last + 1, passage)} With --max-duration, give the keypoints of that part only."
        )
    if not passage.people and any(len(people) for people in known.values()):
        raise DataError(
            f"{keypoints.source} shows nobody in the frames of this video, but people in others. Give the keypoints of "
            f"this video."
        )
    return _check_fewer(keypoints, passage)


def check_rate(keypoints: Keypoints, passage: Passage, rate: Fraction) -> tuple[str, ...]:
    """Compare keypoints found at another rate with the duration of a whole video.

    Returns:
        Notes: that they are too many or too few.
    """
    expected = float((passage.end - passage.start) * rate) + 1
    count = max(keypoints.frames, default=-1) + 1
    if FEWER * expected - _SURPLUS_FRAMES <= count <= expected / FEWER + _SURPLUS_FRAMES:
        return ()
    return (
        f"{keypoints.source} ends with frame {count - 1}, but {float(rate):g} frames per second make {expected:.0f} "
        f"frames of this video. Check --keypoint-fps.",
    )


def _check_fewer(keypoints: Keypoints, passage: Passage) -> tuple[str, ...]:
    known, stop = keypoints.frames, passage.stop
    count = max(known, default=-1) + 1
    if not known or count >= FEWER * stop - _SURPLUS_FRAMES:
        return ()
    problem = f"{keypoints.source} ends with frame {count - 1}, and the video with frame {stop - 1}. "
    if len(known) == count and any(not len(people) for people in known.values()):
        raise DataError(problem + _rate_remedy(count, passage))
    return (problem + _rate_remedy(count, passage),)


def _rate_remedy(count: int, passage: Passage) -> str:
    """What to do if a file has ``count`` frames for a video with another number."""
    remedy = "If they were found at another frame rate, give it with --keypoint-fps"
    if passage.rate is None:
        return f"{remedy} RATE."
    found = passage.rate * count / passage.stop
    nearest = min(_RATES, key=lambda rate: abs(rate / found - 1))
    rate = nearest if abs(nearest / found - 1) <= _RATE_TOLERANCE else None
    return f"{remedy} {rate:g}." if rate else f"{remedy}; otherwise give the keypoints of the whole video."


def _size_remedy(size: tuple[int, int], width: int, height: int) -> str:
    if abs(size[0] * height / (size[1] * width) - 1) <= _SAME_SHAPE:
        return f"If they were found in a smaller or larger copy of it, say so with --keypoint-size {size[0]}x{size[1]}."
    return "Give the keypoints of this video."


def _seen_points(keypoints: Keypoints) -> Float[np.ndarray, "P 2"]:
    """All joints that were seen, px."""
    points = [people.points.reshape(-1, 2) for people in keypoints.frames.values() if len(people)]
    every = np.concatenate(points) if points else np.zeros((0, 2))
    seen: Float[np.ndarray, "P 2"] = every[np.isfinite(every).all(-1)]
    return seen
