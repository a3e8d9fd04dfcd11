"""Who is who in one frame: pairs of a person that is followed and a person that was found."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment

from kinelift.detectors.tracking.candidate import Candidate, Sighting
from kinelift.detectors.tracking.likeness import displacements, keypoint_similarity
from kinelift.detectors.tracking.settings import TrackerSettings

_REFUSED = 1e3
_LARGEST_CHANGE = 3.0


class Pair(NamedTuple):
    """``sighting`` is ``candidate``, seen ``off`` (2,) pixels from where their body was expected."""

    candidate: Candidate
    sighting: Sighting
    off: Float[np.ndarray, " 2"]


def pair(
    candidates: Sequence[Candidate],
    sightings: Sequence[Sighting],
    time: float,
    spread: Float[np.ndarray, " J"],
    settings: TrackerSettings,
) -> list[Pair]:
    """The cheapest one-to-one pairing (Hungarian method) among those that are possible.

    A pair costs one minus the keypoint similarity plus ``settings.nearness`` times the distance in body scales. It is
    refused where the distance is beyond the candidate's ``reach``, or where the body's size changed threefold.
    """
    if not candidates or not sightings:
        return []
    bodies, middles = _expected(candidates, time)
    size = np.array([c.scale for c in candidates])
    found = np.stack([s.points for s in sightings])
    off = displacements(bodies, middles, found, np.stack([s.centre for s in sightings]))
    distance = np.hypot(off[..., 0], off[..., 1]) / size[:, None]
    cost = 1 - keypoint_similarity(bodies, found, size, spread) + settings.nearness * distance
    reach = np.array([c.reach(time) for c in candidates])
    change = np.abs(np.log(np.array([s.scale for s in sightings])[None] / size[:, None]))
    possible = (distance <= reach[:, None]) & (change <= np.log(_LARGEST_CHANGE))
    best = np.stack(linear_sum_assignment(np.where(possible, cost, _REFUSED)), axis=1).tolist()
    return [Pair(candidates[m], sightings[n], off[m, n]) for m, n in best if possible[m, n]]


def _expected(
    candidates: Sequence[Candidate], time: float
) -> tuple[Float[np.ndarray, "M J 2"], Float[np.ndarray, "M 2"]]:
    travel = np.stack([c.travel(time) for c in candidates])
    bodies = np.stack([c.body for c in candidates]) + travel[:, None]
    return bodies, np.stack([c.centre for c in candidates]) + travel
