"""The direction up in the camera's axes, from all people of a clip."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from kinelift.poses import Poses3D
from kinelift.poses.edges import Edges

CAMERA_UP = np.array([0.0, -1.0, 0.0])
"""Up for a camera that is held level."""
ROLL, ROLLED, MOST_ROLL = np.radians(3.0), 0.2, np.radians(45.0)
"""Standard deviation of the roll of a camera that is held level, the share of cameras that are not, and their largest
roll: people pitch cameras, but rarely roll them."""
ESTIMATE = np.radians(3.0)
"""Standard deviation of the estimate from people, however long they are seen: its errors repeat."""
MAX_ITERATIONS, TOLERANCE = 50, 1e-6
PEOPLE, NOBODY = np.radians(8.0), np.radians(12.0)
"""Standard deviation of the direction up from people, and of a camera's pitch if there is nobody."""
EDGE, GAIN = np.radians(1.0), 10.0
"""Standard deviation of a vertical edge's direction, and how much more often edges are vertical than anything else."""
SAME_LINE, SHORT = np.radians(0.7), 0.05
"""Angle between edges on one line, and the length below which edges count less."""
NEAR, CHANCE = np.radians(4.0), 0.8
"""A direction farther from the estimate from people needs a gain in log probability that edges in random directions
rarely give: this much times the square root of the number of lines."""
REACH = 30.0
"""Degrees around the prior that are searched."""
MIN_STANDING_COSINE = np.cos(np.radians(35))
"""A person stands if trunk and legs are aligned within 35°."""
MAX_PITCH_COSINE = np.cos(np.radians(60))
"""From standing bodies alone, a camera pitched by more than 60° is not believed."""


def combine(directions: Sequence[Float[np.ndarray, "_ 3"]]) -> Float[np.ndarray, " 3"] | None:
    """The direction up from the estimates of every frame and person, and the prior that cameras are not rolled.

    The estimates are combined by their geometric median (Weiszfeld 1937). A person counts by the square root of the
    number of frames.

    Args:
        directions: Unit vectors of each person, camera axes; NaN where there is no estimate.

    Returns:
        A unit vector; None without any estimate.
    """
    valid = [rows[np.isfinite(rows).all(1)] for rows in directions]
    rows = np.concatenate([np.zeros((0, 3)), *valid])
    if not len(rows):
        return None
    weights = np.concatenate([np.full(len(one), max(len(one), 1) ** -0.5) for one in valid])
    up = _unit(weights @ rows)
    for _ in range(MAX_ITERATIONS):
        new = _unit(weights / np.linalg.norm(rows - up, axis=1).clip(min=1e-3) @ rows)
        change, up = np.linalg.norm(new - up), new
        if change < TOLERANCE:
            break
    return _without_roll(up)


def _without_roll(up: Float[np.ndarray, " 3"]) -> Float[np.ndarray, " 3"]:
    """The expected direction if the camera's roll is normal around 0 or, in a share ``ROLLED``, anything."""
    roll, along = np.arctan2(up[0], -up[1]), np.hypot(up[0], up[1])
    spread = np.hypot(ROLL, ESTIMATE)
    level = (1 - ROLLED) * np.exp(-0.5 * (roll / spread) ** 2) / (np.sqrt(2 * np.pi) * spread)
    roll *= 1 - level / (level + ROLLED / (2 * MOST_ROLL)) * (ESTIMATE / spread) ** 2
    return np.array([along * np.sin(roll), -along * np.cos(roll), up[2]])


def with_edges(up: Float[np.ndarray, " 3"] | None, edges: Edges) -> Float[np.ndarray, " 3"] | None:
    """The most probable direction up if some of the edges are vertical in the world.

    Each edge is vertical within ``EDGE`` or, more often, anything else; edges that lie on one line count together as
    one. The estimate from people is normal around the truth (``PEOPLE``).

    Args:
        up: The estimate from people, camera axes; None without any.
        edges: Straight edges of the background.

    Returns:
        A unit vector; ``up`` if edges do not agree on another one.
    """
    if not len(edges.normals):
        return up
    prior, spread = (CAMERA_UP, NOBODY) if up is None else (up, PEOPLE)
    weights = _line_weights(edges)
    across = _unit(np.cross(prior, [0.0, 0.0, 1.0]))
    steps = np.tan(np.radians(np.arange(-REACH, REACH + 0.5)))
    x, y = np.meshgrid(steps, steps)
    candidates = _unit(prior + x[..., None] * across + y[..., None] * np.cross(prior, across)).reshape(-1, 3)
    best = candidates[_log_probability(candidates, edges, weights, prior, spread).argmax()]
    for _ in range(MAX_ITERATIONS):
        vertical = GAIN * np.exp(-0.5 * (edges.normals @ best / EDGE) ** 2)
        weight = weights * vertical / (1 + vertical) / EDGE**2
        scatter = (edges.normals * weight[:, None]).T @ edges.normals
        scatter += (np.eye(3) - np.outer(prior, prior)) / spread**2
        new = np.linalg.eigh(scatter)[1][:, 0]
        new = new if new @ best > 0 else -new
        change, best = np.linalg.norm(new - best), new
        if change < TOLERANCE:
            break
    before, after = _log_probability(np.stack([prior, best]), edges, weights, prior, spread)
    by_chance = prior @ best < np.cos(NEAR) and after - before < CHANCE * np.sqrt(weights.sum())
    return up if by_chance else np.asarray(best)


def _line_weights(edges: Edges) -> Float[np.ndarray, " N"]:
    """Weights with which all edges on one line together count about 1, and short ones less."""
    apart = np.arccos(np.abs(edges.normals @ edges.normals.T).clip(0, 1))
    on_line = np.exp(-0.5 * (apart / SAME_LINE) ** 2) @ edges.lengths
    return np.asarray(edges.lengths / (on_line + SHORT))


def _log_probability(
    candidates: Float[np.ndarray, "C 3"],
    edges: Edges,
    weights: Float[np.ndarray, " N"],
    prior: Float[np.ndarray, " 3"],
    spread: float,
) -> Float[np.ndarray, " C"]:
    vertical = np.exp(-0.5 * (candidates @ edges.normals.T / EDGE) ** 2)
    away = np.arccos((candidates @ prior).clip(-1, 1))
    return np.asarray(np.log1p(GAIN * vertical) @ weights - 0.5 * (away / spread) ** 2)


def of_bodies(poses: Poses3D) -> Float[np.ndarray, "T 3"]:
    """The direction from the ankles to the thorax in frames in which the person stands; NaN in the others.

    For networks that do not estimate the direction up. They lean people towards a level camera.
    """
    index = poses.skeleton.index
    ankles = (poses.points[:, index("left_ankle")] + poses.points[:, index("right_ankle")]) / 2
    root, thorax = poses.points[:, poses.skeleton.root], poses.points[:, index("thorax")]
    standing = (_unit(root - ankles) * _unit(thorax - root)).sum(1) > MIN_STANDING_COSINE
    up = _unit(thorax - ankles)
    return np.where((standing & (up @ CAMERA_UP > MAX_PITCH_COSINE))[:, None], up, np.nan)


def world_rotation(up: Float[np.ndarray, " 3"]) -> Float[np.ndarray, "3 3"]:
    """The rotation from camera to world axes: ``up`` becomes +y, the camera's right stays level, z is backward."""
    level = np.cross([0.0, 0.0, 1.0], up)
    right = _unit(level) if np.linalg.norm(level) > 1e-9 else np.array([1.0, 0.0, 0.0])
    right = right if right[0] > 0 else -right
    return np.stack([right, up, np.cross(right, up)])


def _unit(vectors: Float[np.ndarray, "*N 3"]) -> Float[np.ndarray, "*N 3"]:
    unit: Float[np.ndarray, "*N 3"] = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return unit
