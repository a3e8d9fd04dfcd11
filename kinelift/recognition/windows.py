"""Cut motions into windows of a fixed length in seconds, independent of the frame rate."""

from dataclasses import dataclass
from math import inf

import numpy as np
from jaxtyping import Float, Int

from kinelift.poses import timeseries
from kinelift.poses.errors import SettingsError

_MOST_FRAMES = 10_000
"""Most poses in a window."""


@dataclass(frozen=True)
class WindowPlan:
    """How a motion is cut into windows."""

    seconds: float | None = 1.0
    """Length of a window. None makes one window of each labelled segment, as published protocols do."""
    rate: float = 30.0
    """Frames per second of a window."""
    stride: float = 0.25
    """Seconds between the starts of two windows."""
    gap: float = 0.4
    """Gaps (NaN) of up to this many seconds are interpolated; longer ones stay NaN."""
    samples: int = 64
    """Poses in a window without a length in seconds."""

    def __post_init__(self) -> None:
        limits: dict[str, tuple[float, float]]
        limits = {
            "seconds": (0.1, 60),
            "rate": (1, 1000),
            "stride": (0.01, 60),
            "gap": (0, inf),
            "samples": (2, 10_000),
        }
        for name, (least, most) in limits.items():
            value = getattr(self, name)
            if not (value is None and name == "seconds") and not least <= value <= most:
                raise SettingsError(f"The {name} of windows is {value}; it must be from {least} to {most}.")
        if self.frames > _MOST_FRAMES:
            raise SettingsError(
                f"A window of {self.seconds} s at {self.rate} frames per second has {self.frames} poses; it may have "
                f"{_MOST_FRAMES}."
            )

    @property
    def frames(self) -> int:
        """Poses in a window, including both ends."""
        return self.samples if self.seconds is None else round(self.seconds * self.rate) + 1

    @property
    def step(self) -> int:
        """Frames between the starts of two windows."""
        return max(1, round(self.stride * self.rate))


def resample(
    points: Float[np.ndarray, "T J 3"], times: Float[np.ndarray, " T"], plan: WindowPlan
) -> Float[np.ndarray, "N J 3"]:
    """Resample a motion at ``plan.rate`` from its first frame on.

    Args:
        points: NaN = not seen.
        times: Seconds, increasing, at least one.
        plan: Sets the rate and the longest gap that is interpolated.
    """
    return timeseries.resample(points, times, plan.rate, plan.gap)


def starts(frames: int, plan: WindowPlan) -> Int[np.ndarray, " W"]:
    """First frame of each window of a motion. A motion shorter than a window has one, at 0."""
    return np.arange(0, max(frames - plan.frames, 0) + 1, plan.step)


def cut(points: Float[np.ndarray, "N J 3"], plan: WindowPlan) -> Float[np.ndarray, "W T J 3"]:
    """All windows of a resampled motion. A motion shorter than a window is extended first, see ``extend``."""
    extended = extend(points, plan.frames)
    return np.stack([extended[start : start + plan.frames] for start in starts(len(points), plan)])


def extend(points: Float[np.ndarray, "N J 3"], frames: int) -> Float[np.ndarray, "M J 3"]:
    """Extend a motion to at least ``frames`` frames by playing it backwards and forwards in turn."""
    missing = max(frames - len(points), 0)
    return np.pad(points, ((0, missing), (0, 0), (0, 0)), mode="reflect")


def reflect(positions: Float[np.ndarray, "*B T"], last: float | Float[np.ndarray, "*B 1"]) -> Float[np.ndarray, "*B T"]:
    """Reflect frame numbers beyond 0…``last`` back into that range, as often as necessary.

    ``extend`` plays these frames.
    """
    nonzero = np.maximum(last, 1e-9)
    return np.where(np.asarray(last) > 0, last - np.abs(last - np.mod(positions, 2 * nonzero)), 0.0)
