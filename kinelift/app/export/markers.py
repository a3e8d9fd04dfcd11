"""Joints as markers, named as the HALPE_26 set of Pose2Sim names them."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float, Int

from kinelift.app.export.placing import Placed
from kinelift.app.export.timing import JITTER, Clock
from kinelift.poses.timeseries import hold

MARKERS: Mapping[str, str] = {
    "Hip": "hip",
    "RHip": "right_hip", "RKnee": "right_knee", "RAnkle": "right_ankle", "RBigToe": "right_toe", "RHeel": "right_heel",
    "LHip": "left_hip", "LKnee": "left_knee", "LAnkle": "left_ankle", "LBigToe": "left_toe", "LHeel": "left_heel",
    "Neck": "thorax", "Head": "head",
    "RShoulder": "right_shoulder", "RElbow": "right_elbow", "RWrist": "right_wrist",
    "LShoulder": "left_shoulder", "LElbow": "left_elbow", "LWrist": "left_wrist",
}  # fmt: skip
"""The joint of each marker. RSmallToe, LSmallToe and Nose of the set are not among the 3D joints. ``Neck`` is at the
base of the neck, as that of HALPE_26."""


def seen_markers(person: Placed) -> tuple[str, ...]:
    """The markers whose joint was seen in some frame."""
    joints = person.poses.skeleton.joints
    known = np.isfinite(person.points).all(-1).any(0)
    return tuple(marker for marker, joint in MARKERS.items() if joint in joints and known[joints.index(joint)])


def marker_places(person: Placed, names: tuple[str, ...], clock: Clock) -> Float[np.ndarray, "F M 3"]:
    """The places of markers in the frames of a clock, metres. Where one is unknown, its last known place is held.

    Between the video's frames, which only a resampled clock has, places are interpolated linearly.
    """
    columns = [person.poses.skeleton.index(MARKERS[name]) for name in names]
    points, times = person.points[:, columns], person.poses.times
    held = np.stack([hold(points[:, k]) for k in range(len(names))], axis=1)
    if not clock.resampled:
        return np.asarray(held[_rows(times, clock)])
    flat = held.reshape(len(held), -1).T
    return np.stack([np.interp(clock.times, times, line) for line in flat], axis=1).reshape(-1, len(names), 3)


def markers_known(person: Placed, names: tuple[str, ...], clock: Clock) -> Bool[np.ndarray, "F M"]:
    """Whether each marker has a place of its own, not a held one, in the frames of a clock."""
    columns = [person.poses.skeleton.index(MARKERS[name]) for name in names]
    times, slack = person.poses.times, JITTER / clock.rate
    inside = (clock.times >= times[0] - slack) & (clock.times <= times[-1] + slack)
    known = np.isfinite(person.points[:, columns]).all(-1)
    return np.asarray(known[_rows(times, clock)] & inside[:, None])


def marker_errors(person: Placed, names: tuple[str, ...], clock: Clock) -> Float[np.ndarray, "F M"]:
    """The expected error of each marker in the frames of a clock, metres; 0 where it was not computed."""
    if person.poses.error is None:
        return np.zeros((len(clock.times), len(names)))
    columns = [person.poses.skeleton.index(MARKERS[name]) for name in names]
    return np.asarray(np.nan_to_num(person.poses.error[:, columns])[_rows(person.poses.times, clock)])


def _rows(times: Float[np.ndarray, " T"], clock: Clock) -> Int[np.ndarray, " F"]:
    """For each frame of a clock, the last frame of a track that is not later."""
    return np.clip(np.searchsorted(times, clock.times + JITTER / clock.rate, side="right") - 1, 0, len(times) - 1)
