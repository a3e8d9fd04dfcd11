"""Runs windowed networks over whole tracks: one window per frame, or overlapping windows of many frames each."""

from collections.abc import Callable, Iterator
from math import ceil
from typing import TypeAlias

import numpy as np
from jaxtyping import Float, Int

from kinelift.poses.timeseries import interpolate

Predict: TypeAlias = Callable[[Float[np.ndarray, " B"]], Float[np.ndarray, "B S K 3"]]
"""Maps start times (s) to the predictions of the S frames that follow from each, at the network's rate."""

_FRAME_TOLERANCE = 1e-6
"""Frames: tolerance for a track that is a whole number of frames long."""


def one_window_per_frame(predict: Predict, times: Float[np.ndarray, " T"], batch: int) -> Float[np.ndarray, "T K 3"]:
    """Run a network that predicts a single frame on a window around every frame, ``batch`` windows at a time."""
    return np.concatenate([predict(part)[:, 0] for part in _batches(times, batch)])


def overlapping_windows(
    predict: Predict, times: Float[np.ndarray, " T"], rate: float, outputs: int, step: int, batch: int
) -> Float[np.ndarray, "T K 3"]:
    """Run a network that predicts many frames on overlapping windows; the last window ends with the track.

    Predictions of the same frame are averaged, and interpolated linearly to ``times``. A track shorter than a window
    gets one window, starting at its first frame.

    Args:
        predict: The network.
        times: Times to predict, seconds.
        rate: Frame rate of the network, Hz.
        outputs: Frames predicted per window.
        step: Frames between the starts of two windows.
        batch: Frames predicted at once; bounds the memory.

    Returns:
        The prediction at each of ``times``.
    """
    position = (times - times[0]) * rate
    frames = max(ceil(position[-1] - _FRAME_TOLERANCE) + 1, outputs)
    total, count = None, np.zeros((frames, 1, 1))
    for starts in _batches(_starts(frames, outputs, min(step, outputs)), max(batch // outputs, 1)):
        indices = starts[:, None] + np.arange(outputs)
        predictions = predict(times[0] + starts / rate)
        total = np.zeros((frames, *predictions.shape[2:])) if total is None else total
        np.add.at(total, indices, predictions)
        np.add.at(count, indices, 1)
    return interpolate(total / count, position.clip(max=frames - 1))


def _starts(frames: int, outputs: int, step: int) -> Int[np.ndarray, " N"]:
    """First frame of each window: every ``step``-th, and the last possible one so that every frame is covered."""
    last = frames - outputs
    return np.unique(np.append(np.arange(0, last, step), last))


def _batches(array: np.ndarray, size: int) -> Iterator[np.ndarray]:
    return (array[start : start + size] for start in range(0, len(array), size))
