"""A constant frame rate for the formats that need one."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinelift.poses import VideoFacts
from kinelift.poses.errors import DataError
from kinelift.poses.timeseries import median_interval

JITTER = 0.1
"""Share of a frame by which times may differ from a constant rate, as containers round them."""

_MOST_PER_FRAME = 20
"""Frames at a constant rate per frame of the video that are still sensible."""


@dataclass(frozen=True, eq=False)
class Clock:
    """Frames at a constant rate.

    Attributes:
        rate: Hz.
        times: The moment in the video that each frame shows, s. Those of the video's frames, unless resampled.
        resampled: Whether the video's frame rate varies, so that frames lie between those of the video.
    """

    rate: float
    times: Float[np.ndarray, " F"]
    resampled: bool

    def span(self, first: float, last: float) -> "Clock":
        """The frames from one time to another, both included."""
        slack = JITTER / self.rate
        inside = (self.times >= first - slack) & (self.times <= last + slack)
        return Clock(self.rate, self.times[inside], self.resampled)


def clock_of(video: VideoFacts) -> Clock:
    """The video's own frames if their rate is constant; otherwise frames at its usual rate, from its first time on.

    Raises:
        DataError: The video pauses for so long that nearly all frames at a constant rate would be empty.
    """
    times, rate = video.times, video.frame_rate
    even = times[:1] + np.arange(len(times)) / rate
    if len(times) < 2 or np.abs(times - even).max() <= JITTER / rate:
        return Clock(rate, times, False)
    rate = 1 / median_interval(times)
    frames = int(np.floor((times[-1] - times[0]) * rate + 1e-6)) + 1
    if frames > _MOST_PER_FRAME * len(times):
        raise DataError(
            f"{video.name} pauses for so long that a constant frame rate would make {frames} frames of {len(times)}. "
            "Export to a format with exact times: glb, angles, csv, json or npz."
        )
    return Clock(rate, times[0] + np.arange(frames) / rate, True)
