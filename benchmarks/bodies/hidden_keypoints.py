"""Tracks with hidden keypoints: as where a person is cut off by the picture, or behind something for a moment."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Bool

from kinelift.detectors.tracking import TrackerSettings
from kinelift.detectors.tracking.filling import fill
from kinelift.poses import Track2D

CUT_OFF: Sequence[Sequence[str]] = [
    ("ankle",), ("knee", "ankle"), ("hip", "knee", "ankle"), ("wrist",), ("elbow", "wrist"),
    ("left_shoulder", "left_elbow", "left_wrist"), ("right_elbow", "right_wrist"),
    ("right_hip", "right_knee", "right_ankle"), ("left_knee", "left_ankle"),
]  # fmt: skip
"""Joints that are hidden all the time."""
COVERED: Sequence[Sequence[str]] = [
    ("elbow", "wrist"), ("knee", "ankle"), ("right_shoulder", "right_elbow", "right_wrist"),
    ("left_hip", "left_knee", "left_ankle"),
]  # fmt: skip
"""Joints that are hidden for the middle three fifths of the clip: too long to be interpolated."""
FLICKERING: Sequence[Sequence[str]] = [("elbow", "wrist", "knee", "ankle"), ("shoulder", "hip")]
"""Joints that are hidden for three short moments, over which they are interpolated."""
MOMENTS = ((0.15, 0.1), (0.5, 0.2), (1.0, 0.33))
"""Start and length of the moments, s."""


def hidden(track: Track2D) -> Iterator[Track2D]:
    """The track with each set of joints hidden. A name without a side stands for both sides."""
    elapsed = track.times - track.times[0]
    for joints in CUT_OFF:
        yield without(track, joints, np.ones(len(track), dtype=bool))
    for joints in COVERED:
        yield without(track, joints, np.abs(elapsed / elapsed[-1] - 0.5) <= 0.3)
    short = np.any([(elapsed >= start) & (elapsed < start + length) for start, length in MOMENTS], axis=0)
    for joints in FLICKERING:
        yield fill(without(track, joints, short), TrackerSettings().longest_gap)


def without(track: Track2D, joints: Sequence[str], when: Bool[np.ndarray, " T"]) -> Track2D:
    """The track without some joints in some frames."""
    names = [name for name in track.skeleton.joints if name in joints or name.partition("_")[2] in joints]
    gone = np.zeros(track.scores.shape, dtype=bool)
    gone[:, [track.skeleton.index(name) for name in names]] = when[:, None]
    points, scores = np.where(gone[..., None], np.nan, track.points), np.where(gone, 0.0, track.scores)
    return replace(track, points=points, scores=scores, filled=track.filled & ~gone)
