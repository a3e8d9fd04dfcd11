"""How windows answer for a whole track: one window a frame, or few windows that answer many frames each."""

from collections.abc import Callable, Iterator
from math import ceil
from typing import TypeAlias

import numpy as np
from jaxtyping import Float, Int

from kinelift.poses.timeseries import interpolate

Ask: TypeAlias = Callable[[Float[np.ndarray, " B"]], Float[np.ndarray, "B S K 3"]]
"""Times (s) of the first frames to answer for → answers for S consecutive frames at the network's rate from there."""

_EXACT = 1e-6
"""Frames: a track whose length is a whole number of frames up to this ends with a frame."""


def each(ask: Ask, times: Float[np.ndarray, " T"], batch: int) -> Float[np.ndarray, "T K 3"]:
    """A window for every frame, ``batch`` at a time, of a network that answers one frame."""
    return np.concatenate([ask(part)[:, 0] for part in _parts(times, batch)])


def overlapping(
    ask: Ask, times: Float[np.ndarray, " T"], rate: float, outputs: int, step: int, batch: int
) -> Float[np.ndarray, "T K 3"]:
    """Windows that answer ``outputs`` frames at ``rate`` Hz each, ``step`` frames apart and the last one at the end.

    Answers for the same frame are averaged, and interpolated linearly between frames. A track shorter than a window
    gets one window, which begins with it. ``batch`` bounds the frames answered at a time.
    """
    where = (times - times[0]) * rate
    frames = max(ceil(where[-1] - _EXACT) + 1, outputs)
    total, count = None, np.zeros((frames, 1, 1))
    for starts in _parts(_starts(frames, outputs, min(step, outputs)), max(batch // outputs, 1)):
        answered = starts[:, None] + np.arange(outputs)
        answers = ask(times[0] + starts / rate)
        total = np.zeros((frames, *answers.shape[2:])) if total is None else total
        np.add.at(total, answered, answers)
        np.add.at(count, answered, 1)
    return interpolate(total / count, where.clip(max=frames - 1))


def _starts(frames: int, outputs: int, step: int) -> Int[np.ndarray, " N"]:
    """First answered frames: every ``step``-th and, so that no frame is left over, the last possible."""
    last = frames - outputs
    return np.unique(np.append(np.arange(0, last, step), last))


def _parts(array: np.ndarray, size: int) -> Iterator[np.ndarray]:
    return (array[start : start + size] for start in range(0, len(array), size))
