"""From single observations to one track over consecutive frames, with short gaps filled."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float
from scipy.interpolate import PchipInterpolator

from kinelift.detectors.tracking.tracklet import Observation
from kinelift.poses import Skeleton, Track2D

_DISCOUNT = 0.5
"""The score of a filled joint, in parts of the worse of its two neighbours."""


def to_track(
    observations: Sequence[Observation], times: Float[np.ndarray, " T"], skeleton: Skeleton, size: tuple[int, int]
) -> Track2D:
    """Arrange the observations of one person as a track with gaps.

    Args:
        observations: In order of time.
        times: The time of every frame from the first observation to the last, s.
        skeleton: The joints.
        size: The (width, height) of the image in pixels.
    """
    start = observations[0].frame
    points = np.full((len(times), len(skeleton), 2), np.nan)
    scores = np.zeros(points.shape[:2])
    for observation in observations:
        points[observation.frame - start] = observation.points
        scores[observation.frame - start] = observation.scores
    return Track2D(points, scores, times, np.zeros(scores.shape, dtype=bool), start, size, skeleton)


def fill(track: Track2D, longest: float) -> Track2D:
    """Interpolate every joint's gaps of up to ``longest`` seconds, measured from observation to observation.

    The path through a gap is monotone (PCHIP: it never overshoots). A filled joint is marked in ``filled`` and scores
    half as much as the worse of its two neighbours. Longer gaps stay NaN with score 0.
    """
    points, scores, filled = track.points.copy(), track.scores.copy(), track.filled.copy()
    for joint in range(len(track.skeleton)):
        seen = np.isfinite(track.points[:, joint]).all(axis=-1)
        gap, before, after = _short_gaps(seen, track.times, longest)
        if gap.any():
            path = PchipInterpolator(track.times[seen], track.points[seen, joint])
            points[gap, joint] = path(track.times[gap])
            scores[gap, joint] = _DISCOUNT * np.minimum(track.scores[before, joint], track.scores[after, joint])
            filled[gap, joint] = True
    return Track2D(points, scores, track.times, filled, track.start, track.size, track.skeleton)


def _short_gaps(
    seen: Bool[np.ndarray, " T"], times: Float[np.ndarray, " T"], longest: float
) -> tuple[Bool[np.ndarray, " T"], np.ndarray, np.ndarray]:
    """Frames in short gaps, and for each of them the last frame seen before it and the first one after it."""
    frames = np.arange(len(seen))
    before = np.maximum.accumulate(np.where(seen, frames, -1))
    after = np.minimum.accumulate(np.where(seen, frames, len(seen))[::-1])[::-1]
    inside = ~seen & (before >= 0) & (after < len(seen))
    gap = np.zeros_like(seen)
    gap[inside] = times[after[inside]] - times[before[inside]] <= longest + 1e-9
    return gap, before[gap], after[gap]
