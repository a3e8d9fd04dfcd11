"""The direction up from straight edges, many of which run along three axes at right angles: up, and two level ones.

Buildings, rooms and furniture are made that way (Coughlan & Yuille 1999, Manhattan world). Vertical edges alone tell
the pitch of a camera poorly; level ones tell it well.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinelift.lifting.world.up import CAMERA_UP
from kinelift.poses.edges import Edges
from kinelift.poses.vectors import unit

PEOPLE, NOBODY = np.radians(8.0), np.radians(12.0)
"""Standard deviation of the direction up from people, and of a camera's pitch and roll if there is nobody."""
VERTICAL, LEVEL = 0.15, 0.35
"""Shares of lines that are vertical, and that run along the two level axes. Assumed, not fitted: from a third to
1.3 times as much gives errors as small on the calibrated clips."""
SAME_LINE, SHORT = np.radians(0.7), 0.05
"""Angle between edges on one line, and the length of a line that counts half."""
REACH, RIGHT_ANGLE = np.radians(30.0), np.pi / 2
"""How far around the prior is searched; the axes repeat at every turn by the latter."""


@dataclass(frozen=True)
class _Search:
    """Half widths and steps of a search, and the standard deviation of a line's direction in it; radians."""

    reach: float
    step: float
    turn: float
    turn_step: float
    line: float


COARSE = _Search(REACH, np.radians(2.0), RIGHT_ANGLE / 2, np.radians(3.0), np.radians(2.0))
FINE = _Search(np.radians(3.0), np.radians(0.5), np.radians(4.0), np.radians(1.0), np.radians(1.0))


@dataclass(frozen=True, eq=False)
class _Lines:
    """Unit normals of the planes through the camera and each line, and how much each line counts (at most 1)."""

    normals: Float[np.ndarray, "L 3"]
    weights: Float[np.ndarray, " L"]


@dataclass(frozen=True, eq=False)
class _Prior:
    """A normal distribution around a direction up; ``right`` is at right angles to it."""

    up: Float[np.ndarray, " 3"]
    right: Float[np.ndarray, " 3"]
    spread: float

    @staticmethod
    def around(up: Float[np.ndarray, " 3"], spread: float) -> "_Prior":
        level = np.cross(up, [0.0, 0.0, 1.0])
        return _Prior(up, unit(level) if np.linalg.norm(level) > 1e-9 else np.array([1.0, 0.0, 0.0]), spread)

    def log(self, candidates: Float[np.ndarray, "C 3"]) -> Float[np.ndarray, " C"]:
        return np.asarray(-0.5 * (np.arccos((candidates @ self.up).clip(-1, 1)) / self.spread) ** 2)


def with_edges(up: Float[np.ndarray, " 3"] | None, edges: Edges) -> Float[np.ndarray, " 3"] | None:
    """The expected direction up if some edges are vertical, and some along two level axes at right angles.

    The other edges have any direction. Whether there are such axes at all is as probable as not beforehand; the result
    lies between ``up`` and the direction from edges, by how probable they are.

    Args:
        up: The estimate from people, camera axes; None without any.
        edges: Straight edges of the background.

    Returns:
        A unit vector; ``up`` without edges.
    """
    if not len(edges.normals):
        return up
    lines = _lines(edges)
    prior = _Prior.around(CAMERA_UP, NOBODY) if up is None else _Prior.around(up, PEOPLE)
    candidates, turns, log = _searched(prior.up, 0.0, lines, prior, COARSE)
    gain = _log_sum(log) - np.log(len(turns)) - _log_sum(prior.log(candidates))
    best, turn = np.unravel_index(log.argmax(), log.shape)
    near, _, finer = _searched(candidates[best], turns[turn], lines, prior, FINE)
    found = unit(np.exp(finer - finer.max()).sum(1) @ near)
    probability = np.exp(-np.logaddexp(0.0, -gain))
    return unit(probability * found + (1 - probability) * prior.up)


def _lines(edges: Edges) -> _Lines:
    """Edges on one line become one, the longest first."""
    order = np.argsort(-edges.lengths, kind="stable")
    normals, lengths = edges.normals[order], edges.lengths[order]
    merged, weights = [], []
    while len(normals):
        cosines = normals @ normals[0]
        same = np.abs(cosines) >= np.cos(SAME_LINE)
        same[0] = True
        merged.append(lengths[same] * np.sign(cosines[same]) @ normals[same])
        weights.append(lengths[same].sum() / (lengths[same].sum() + SHORT))
        normals, lengths = normals[~same], lengths[~same]
    return _Lines(unit(np.array(merged)), np.array(weights))


def _searched(
    centre: Float[np.ndarray, " 3"], turn: float, lines: _Lines, prior: _Prior, search: _Search
) -> tuple[Float[np.ndarray, "C 3"], Float[np.ndarray, " H"], Float[np.ndarray, "C H"]]:
    """Directions up around ``centre``, turns of the level axes around ``turn``, and the log of their probability."""
    across = unit(prior.right - (prior.right @ centre) * centre)
    tilts = np.tan(_steps(search.reach, search.step))
    x, y = np.meshgrid(tilts, tilts)
    candidates = unit(centre + x[..., None] * across + y[..., None] * np.cross(centre, across)).reshape(-1, 3)
    turns = turn + _steps(search.turn, search.turn_step)
    likely = _log_likelihood(candidates, turns, prior.right, lines, search.line)
    return candidates, turns, likely + prior.log(candidates)[:, None]


def _log_likelihood(
    candidates: Float[np.ndarray, "C 3"],
    turns: Float[np.ndarray, " H"],
    right: Float[np.ndarray, " 3"],
    lines: _Lines,
    spread: float,
) -> Float[np.ndarray, "C H"]:
    """Log likelihood of axes, against lines in any direction.

    The cosine between a line's normal and an axis is uniform for lines in any direction, and normal around 0 with
    ``spread`` for those along the axis.
    """
    peak = np.sqrt(2 / np.pi) / spread
    first = unit(right - (candidates @ right)[:, None] * candidates)
    one, other = first @ lines.normals.T, np.cross(candidates, first) @ lines.normals.T
    upright = 1 - VERTICAL - LEVEL + VERTICAL * peak * np.exp(-0.5 * (candidates @ lines.normals.T / spread) ** 2)
    log = np.empty((len(candidates), len(turns)))
    for k, (cosine, sine) in enumerate(zip(np.cos(turns), np.sin(turns), strict=True)):
        level = np.exp(-0.5 * ((cosine * one + sine * other) / spread) ** 2)
        level += np.exp(-0.5 * ((cosine * other - sine * one) / spread) ** 2)
        log[:, k] = np.log(upright + LEVEL / 2 * peak * level) @ lines.weights
    return log


def _steps(reach: float, step: float) -> Float[np.ndarray, " S"]:
    count = round(reach / step)
    return np.arange(-count, count + 1) * step


def _log_sum(log: Float[np.ndarray, "..."]) -> float:
    return float(np.logaddexp.reduce(log, axis=None))
