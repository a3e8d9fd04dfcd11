"""Where the 3D view's camera is in each frame: it follows the people who matter at that time, smoothly.

Those are the people who are large in the picture. The camera keeps a distance at which a figure fills half of the
panel, or less where several people stand apart. It is computed for the whole video before drawing, so that it moves
before people do. It jumps only where nobody stays whom it has shown, as after a cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from kinelift.app.render.scene import Actor
from kinelift.app.render.view_camera import FOCAL_LENGTH, ROTATION, ViewCamera
from kinelift.poses.timeseries import median_interval

FIGURE, LEAST_FIGURE = 0.56, 0.27
"""Share of the panel's height that a figure fills if it is alone, and at least if the camera shows several."""
PROMINENCE = 0.5
"""People matter whose size in the picture is at least this share of the largest person's."""
LOYALTY = 1.25
"""How many times larger someone must be than a person in view to take that person's place."""
MARGIN = 0.08
"""Share of the panel that stays free on each side of people."""
BREADTH = 0.7
"""Breadth of a figure that moves its arms, in body heights."""
SIZE_SPAN, SIZE_SIGMA = 2.0, 0.5
"""A person's size in the picture is the largest in this time (s), as bodies bend, then averaged with this deviation."""
MOVE_SIGMA = 0.6
"""Standard deviation (s) of the average over time of the camera's path."""
STATURE = 90
"""Percentile of a body's extent over time that is taken as its height: people crouch and bend."""
EMPTY = (np.array([0.0, 0.9, 0.0]), 3.6)
"""What is shown of a video without people: a target, and a body height (metres) that gives the distance."""


@dataclass(frozen=True, eq=False)
class _Figure:
    """A person's box over time, which does not change with the posture.

    Attributes:
        stature: Height of the body, metres.
        middle: Middle of the box in view axes, metres; NaN where there is no pose.
        prominence: Size in the picture, averaged over time, pixels.
        start: The video frame of the first row.
    """

    stature: float
    middle: Float[np.ndarray, "T 3"]
    prominence: Float[np.ndarray, " T"]
    start: int


@dataclass(frozen=True, eq=False)
class CameraPath:
    """The camera of every frame of a video.

    Attributes:
        targets: What the camera looks at, in the world, metres.
        distances: Distance to it, metres.
        size: Width and height of the panel in pixels.
    """

    targets: Float[np.ndarray, "F 3"]
    distances: Float[np.ndarray, " F"]
    size: tuple[int, int]

    def at(self, frame: int) -> ViewCamera:
        """The camera in a frame of the video."""
        index = min(frame, len(self.targets) - 1)
        return ViewCamera(self.size, self.targets[index], float(self.distances[index]))


def follow(actors: Sequence[Actor], times: Float[np.ndarray, " F"], size: tuple[int, int]) -> CameraPath:
    """The camera's path.

    Args:
        actors: Everybody.
        times: Times of the video's frames, s.
        size: Width and height of the panel in pixels.
    """
    interval = max(median_interval(times), 1e-3)
    figures = [figure for actor in actors if (figure := _figure(actor, interval)) is not None]
    wishes, shots = _wishes(figures, max(len(times), 1), size)
    for shot in range(shots[-1] + 1):
        rows = np.flatnonzero(shots == shot)
        wishes[rows] = _smoothed(wishes[rows], MOVE_SIGMA / interval)
    return CameraPath(wishes[:, :3] @ ROTATION, np.exp(wishes[:, 3]), size)


def _figure(actor: Actor, interval: float) -> _Figure | None:
    known = np.isfinite(actor.joints).all(axis=2)
    present = known.any(axis=1)
    if not present.any():
        return None
    low = np.where(known[..., None], actor.joints, np.inf).min(axis=1)[present]
    high = np.where(known[..., None], actor.joints, -np.inf).max(axis=1)[present]
    stature = max(float(np.percentile((high - low).max(axis=1), STATURE)), 0.3)
    middle = np.full((len(present), 3), np.nan)
    middle[present] = (low + high) / 2
    middle[present, 1] = low[:, 1] + stature / 2
    extent = _interpolated(np.where(present, actor.extent, np.nan)[:, None])
    largest = maximum_filter1d(extent[:, 0], round(SIZE_SPAN / interval) + 1, mode="nearest")
    prominence = gaussian_filter1d(largest, SIZE_SIGMA / interval, mode="nearest")
    return _Figure(stature, middle @ ROTATION.T, prominence, actor.start)


def _wishes(
    figures: Sequence[_Figure], frames: int, size: tuple[int, int]
) -> tuple[Float[np.ndarray, "F 4"], Int[np.ndarray, " F"]]:
    """Where the camera should look in each frame: target in view axes, and the logarithm of the distance.

    Returns:
        The wishes, NaN in frames without people, and for each frame the number of its shot.
    """
    present: list[list[int]] = [[] for _ in range(frames)]
    for k, figure in enumerate(figures):
        for t in np.flatnonzero(np.isfinite(figure.middle[:, 0])).tolist():
            if figure.start + t < frames:
                present[figure.start + t].append(k)
    wishes, shots = np.full((frames, 4), np.nan), np.zeros(frames, dtype=int)
    group: list[int] = []
    for frame, people in enumerate(present):
        shots[frame] = shots[frame - 1] if frame else 0
        if people:
            cut = bool(group) and not set(group) & set(people)
            shots[frame] += cut
            group = _group([(figures[k], k) for k in people], frame, group, size)
            wishes[frame] = _view([figures[k] for k in group], frame, size)
    if not figures:
        wishes[:] = [*(EMPTY[0] @ ROTATION.T), np.log(FOCAL_LENGTH * EMPTY[1])]
    return wishes, shots


def _group(
    people: Sequence[tuple[_Figure, int]], frame: int, before: Sequence[int], size: tuple[int, int]
) -> list[int]:
    """Who matters in a frame: the largest person, and others in order of size as long as figures stay readable."""

    def rank(entry: tuple[_Figure, int]) -> float:
        figure, k = entry
        return float(figure.prominence[frame - figure.start]) * (LOYALTY if k in before else 1.0)

    ranked = sorted(people, key=rank, reverse=True)
    group = [ranked[0]]
    for entry in ranked[1:]:
        if rank(entry) < PROMINENCE * rank(ranked[0]):
            break
        wider = [figure for figure, _ in [*group, entry]]
        limit = FOCAL_LENGTH * max(figure.stature for figure in wider) / LEAST_FIGURE
        if _distance(wider, frame, size) <= limit:
            group.append(entry)
    return [k for _, k in group]


def _view(group: Sequence[_Figure], frame: int, size: tuple[int, int]) -> Float[np.ndarray, " 4"]:
    low, high = _box(group, frame)
    return np.array([*((low + high) / 2), np.log(_distance(group, frame, size))])


def _distance(group: Sequence[_Figure], frame: int, size: tuple[int, int]) -> float:
    """The distance (metres) at which a figure fills ``FIGURE`` of the height, or a larger one that shows the group."""
    low, high = _box(group, frame)
    breadth, height, depth = high - low
    room = 1 - 2 * MARGIN
    fit = FOCAL_LENGTH * max(breadth * size[1] / size[0], height) / room + depth / 2
    return float(max(FOCAL_LENGTH * max(figure.stature for figure in group) / FIGURE, fit))


def _box(group: Sequence[_Figure], frame: int) -> tuple[Float[np.ndarray, " 3"], Float[np.ndarray, " 3"]]:
    """The lower and the upper corner in view axes of a box around a group."""
    middles = np.array([figure.middle[frame - figure.start] for figure in group])
    half = np.array([[BREADTH / 2, 0.5, 0.0]]) * np.array([[figure.stature] for figure in group])
    return (middles - half).min(axis=0), (middles + half).max(axis=0)


def _smoothed(wishes: Float[np.ndarray, "F 4"], sigma: float) -> Float[np.ndarray, "F 4"]:
    """The path without jumps. The camera moves back before it has to, and stays there a little longer."""
    known = _interpolated(wishes)
    distances = maximum_filter1d(known[:, 3], 2 * round(sigma) + 1, mode="nearest")
    smooth = gaussian_filter1d(distances, sigma, mode="nearest")
    if len(known) < 2:
        return known
    more = min(round(4 * sigma), len(known) - 1)  # a steady walk goes on beyond both ends
    targets = np.pad(known[:, :3], ((more, more), (0, 0)), mode="reflect", reflect_type="odd")
    targets = gaussian_filter1d(targets, sigma, axis=0, mode="nearest")[more : more + len(known)]
    return np.column_stack([targets, smooth])


def _interpolated(rows: Float[np.ndarray, "F C"]) -> Float[np.ndarray, "F C"]:
    """Rows that are NaN, interpolated; before the first and after the last known row, that one; 0 without any."""
    known: Bool[np.ndarray, " F"] = np.isfinite(rows).all(axis=1)
    if not known.any():
        return np.zeros_like(rows)
    at = np.flatnonzero(known)
    return np.stack([np.interp(np.arange(len(rows)), at, column[at]) for column in rows.T], axis=1)
