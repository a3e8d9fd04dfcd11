"""From single sightings to one track over consecutive frames, with short gaps filled."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from kinelift.detectors.tracking.candidate import Sighting
from kinelift.poses import Skeleton, Track2D
from kinelift.poses.timeseries import fill_monotone

_DISCOUNT = 0.5


def lay_out(
    sightings: Sequence[Sighting], times: Float[np.ndarray, " T"], skeleton: Skeleton, size: tuple[int, int]
) -> Track2D:
    """Sightings of one person as a track, unfilled; ``times`` in seconds from their first to their last frame."""
    start = sightings[0].frame
    points = np.full((len(times), len(skeleton), 2), np.nan)
    scores = np.zeros(points.shape[:2])
    for sighting in sightings:
        points[sighting.frame - start] = sighting.points
        scores[sighting.frame - start] = sighting.scores
    return Track2D(points, scores, times, np.zeros(scores.shape, dtype=bool), start, size, skeleton)


def fill(track: Track2D, longest: float) -> Track2D:
    """Interpolate every joint's gaps of up to ``longest`` seconds, measured from sighting to sighting.

    The path through a gap is monotone (PCHIP: it never swings beyond what was seen). A filled joint is marked in
    ``filled`` and scores half as much as the worse of its two neighbours. Longer gaps stay NaN with score 0.
    """
    points, scores, filled = track.points.copy(), track.scores.copy(), track.filled.copy()
    for joint in range(len(track.skeleton)):
        points[:, joint], (gap, before, after) = fill_monotone(track.points[:, joint], track.times, longest)
        scores[gap, joint] = _DISCOUNT * np.minimum(track.scores[before, joint], track.scores[after, joint])
        filled[gap, joint] = True
    return Track2D(points, scores, track.times, filled, track.start, track.size, track.skeleton)
