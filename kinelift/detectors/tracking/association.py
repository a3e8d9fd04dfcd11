"""Data association in one frame: which observation belongs to which tracklet."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment

from kinelift.detectors.tracking.similarity import displacements, object_keypoint_similarity
from kinelift.detectors.tracking.tracker_settings import TrackerSettings
from kinelift.detectors.tracking.tracklet import Observation, Tracklet

_GATED = 1e3
"""The cost of a pair outside the gate."""
_LARGEST_SIZE_RATIO = 3.0


class Match(NamedTuple):
    """``observation`` belongs to ``tracklet``, at ``displacement`` (2,) pixels from its predicted position."""

    tracklet: Tracklet
    observation: Observation
    displacement: Float[np.ndarray, " 2"]


def associate(
    tracklets: Sequence[Tracklet],
    observations: Sequence[Observation],
    time: float,
    joints: Sequence[int],
    sigmas: Float[np.ndarray, " J"],
    settings: TrackerSettings,
) -> list[Match]:
    """Find the one-to-one assignment of least cost inside the gates (Hungarian method).

    A pair costs 1 - OKS plus ``settings.distance_weight`` times the distance in body scales. It is outside the gate
    where the distance exceeds the tracklet's ``gate``, or where the body's size changed threefold.

    Args:
        tracklets: The people who are followed.
        observations: The people who were detected in this frame.
        time: The time of this frame, s.
        joints: The joints to compare.
        sigmas: The tolerance of each of them, see ``oks_sigmas``.
        settings: The tracker's settings.
    """
    if not tracklets or not observations:
        return []
    bodies, centres = _predicted(tracklets, time, joints)
    size = np.array([tracklet.scale for tracklet in tracklets])
    found = np.stack([one.points[joints] for one in observations])
    displacement = displacements(bodies, centres, found, np.stack([one.centre for one in observations]))
    distance = np.hypot(displacement[..., 0], displacement[..., 1]) / size[:, None]
    similarity = object_keypoint_similarity(bodies, found, size, sigmas)
    cost = 1 - similarity + settings.distance_weight * distance
    gate = np.array([tracklet.gate(time) for tracklet in tracklets])
    size_change = np.abs(np.log(np.array([one.scale for one in observations])[None] / size[:, None]))
    possible = (distance <= gate[:, None]) & (size_change <= np.log(_LARGEST_SIZE_RATIO))
    best = np.stack(linear_sum_assignment(np.where(possible, cost, _GATED)), axis=1).tolist()
    return [Match(tracklets[m], observations[n], displacement[m, n]) for m, n in best if possible[m, n]]


def _predicted(
    tracklets: Sequence[Tracklet], time: float, joints: Sequence[int]
) -> tuple[Float[np.ndarray, "M J 2"], Float[np.ndarray, "M 2"]]:
    """The ``joints`` and the centres of all tracklets at ``time``, px."""
    motion = np.stack([tracklet.predicted_motion(time) for tracklet in tracklets])
    bodies = np.stack([tracklet.body[joints] for tracklet in tracklets]) + motion[:, None]
    return bodies, np.stack([tracklet.centre for tracklet in tracklets]) + motion
