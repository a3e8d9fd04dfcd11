"""Motions cut into windows of a fixed length in seconds, whatever the frame rate."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from kinelift.poses import timeseries


@dataclass(frozen=True)
class WindowPlan:
    """``seconds`` a window, sampled at ``rate`` Hz, one every ``stride`` seconds.

    ``seconds`` None makes one window of each labelled segment, whatever its length, as published protocols do; it is
    then sampled at ``samples`` moments. Gaps (NaN) of up to ``gap`` seconds are bridged by straight lines; longer ones
    stay NaN.
    """

    seconds: float | None = 1.0
    rate: float = 30.0
    stride: float = 0.25
    gap: float = 0.4
    samples: int = 64

    @property
    def frames(self) -> int:
        """Poses in a window, both ends included."""
        return self.samples if self.seconds is None else round(self.seconds * self.rate) + 1

    @property
    def step(self) -> int:
        """Frames between the starts of two windows."""
        return max(1, round(self.stride * self.rate))


def resample(
    points: Float[np.ndarray, "T J 3"], times: Float[np.ndarray, " T"], plan: WindowPlan
) -> Float[np.ndarray, "N J 3"]:
    """A motion at ``plan.rate`` from its first time on; ``times`` in seconds, increasing, at least one."""
    return timeseries.resample(points, times, plan.rate, plan.gap)


def starts(frames: int, plan: WindowPlan) -> Int[np.ndarray, " W"]:
    """First frame of each window of a motion of ``frames`` frames; a short motion has one, at 0."""
    return np.arange(0, max(frames - plan.frames, 0) + 1, plan.step)


def cut(points: Float[np.ndarray, "N J 3"], plan: WindowPlan) -> Float[np.ndarray, "W T J 3"]:
    """All windows of a resampled motion; one that is too short is first lengthened (``lengthen``)."""
    long = lengthen(points, plan.frames)
    return np.stack([long[start : start + plan.frames] for start in starts(len(points), plan)])


def lengthen(points: Float[np.ndarray, "N J 3"], frames: int) -> Float[np.ndarray, "M J 3"]:
    """At least ``frames`` frames: a shorter motion is played forwards and backwards in turn."""
    missing = max(frames - len(points), 0)
    return np.pad(points, ((0, missing), (0, 0), (0, 0)), mode="reflect")


def fold(places: Float[np.ndarray, "*B T"], last: float | Float[np.ndarray, "*B 1"]) -> Float[np.ndarray, "*B T"]:
    """Frame numbers beyond 0…``last`` reflected back into it, as often as needed: what ``lengthen`` plays."""
    safe = np.maximum(last, 1e-9)
    return np.where(np.asarray(last) > 0, last - np.abs(last - np.mod(places, 2 * safe)), 0.0)
