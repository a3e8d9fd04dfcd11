"""Round the numbers of a recording to what is kept of them, far below what a camera shows.

Rounded numbers end in zero bits, which compress well, and stay plain float32 arrays that any program reads. Without
rounding, an hour of one person would take 97 MB on disk; with it, 38 MB. Poses are rounded finely enough for speeds: at
60 frames per second, 1/4096 m from one to the next would be 15 mm/s, more than feet at rest move.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped

from kinelift.poses.containers import Poses3D, Track2D

STEPS: Mapping[str, float] = {
    "track/points": 2**-4,
    "track/scores": 2**-12,
    "poses/points": 2**-15,
    "poses/root": 2**-15,
    "poses/error": 2**-12,
}
"""The steps to which numbers are rounded: pixels, scores, metres. The error is at most half of that."""


def rounded(values: Shaped[np.ndarray, "*S"], name: str) -> Shaped[np.ndarray, "*S"]:
    """An array as it is kept: float32 in the steps of its name in ``STEPS``. NaN stays; other arrays are unchanged.

    A score above 0 stays above 0, because a score of 0 means that a joint was not seen.
    """
    if name not in STEPS:
        return values
    kept: Float[np.ndarray, "*S"] = np.rint(values.astype(np.float32) / np.float32(STEPS[name]))
    if name == "track/scores":
        kept[(kept == 0) & (values > 0)] = 1
    kept *= np.float32(STEPS[name])
    return kept


def rounded_track(track: Track2D) -> Track2D:
    """A track with its numbers as they are kept."""
    points, scores = rounded(track.points, "track/points"), rounded(track.scores, "track/scores")
    return replace(track, points=points, scores=scores)


def rounded_poses(poses: Poses3D) -> Poses3D:
    """Poses with their numbers as they are kept."""
    names = ("points", "root", "error")
    fields: dict[str, Any] = {
        name: rounded(array, f"poses/{name}") for name in names if (array := getattr(poses, name)) is not None
    }
    return replace(poses, **fields)
