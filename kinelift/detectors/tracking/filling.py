"""From single observations to one track over consecutive frames, with short gaps filled."""

import numpy as np
from jaxtyping import Float

from kinelift.detectors.tracking.tracklet import History
from kinelift.poses import Skeleton, Track2D
from kinelift.poses.timeseries import fill_monotone

_DISCOUNT = 0.5
"""The score of a filled joint, in parts of the worse of its two neighbours."""


def to_track(history: History, times: Float[np.ndarray, " T"], skeleton: Skeleton, size: tuple[int, int]) -> Track2D:
    """Arrange the observations of one person as a track with gaps.

    Args:
        history: The observations.
        times: The time of every frame from the first observation to the last, s.
        skeleton: The joints.
        size: The (width, height) of the image in pixels.
    """
    start, rows = int(history.frames[0]), history.frames - history.frames[0]
    points = np.full((len(times), len(skeleton), 2), np.nan, np.float32)
    scores = np.zeros(points.shape[:2], np.float32)
    points[rows], scores[rows] = history.points, history.scores
    return Track2D(points, scores, times, np.zeros(scores.shape, dtype=bool), start, size, skeleton)


def fill(track: Track2D, longest: float) -> Track2D:
    """Interpolate every joint's gaps of up to ``longest`` seconds, measured from observation to observation.

    The path through a gap is monotone (PCHIP: it never overshoots). A filled joint is marked in ``filled`` and scores
    half as much as the worse of its two neighbours. Longer gaps stay NaN with score 0.
    """
    points, scores, filled = track.points.copy(), track.scores.copy(), track.filled.copy()
    for joint in range(len(track.skeleton)):
        points[:, joint], (gap, before, after) = fill_monotone(track.points[:, joint], track.times, longest)
        scores[gap, joint] = _DISCOUNT * np.minimum(track.scores[before, joint], track.scores[after, joint])
        filled[gap, joint] = True
    return Track2D(points, scores, track.times, filled, track.start, track.size, track.skeleton)
