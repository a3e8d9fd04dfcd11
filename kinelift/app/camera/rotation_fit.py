"""The rotation between two sets of rays, in spite of outliers."""

import numpy as np
from jaxtyping import Bool, Float

HYPOTHESES = 80
"""Pairs of rays tried. With a third of them right, all fail once in 10,000 times."""
ENOUGH = 0.7
"""Share of the rays that must agree with a guess for it to be taken without trying pairs."""
REFINEMENTS = 3
ZOOM_ADVANTAGE = 1.5
MIN_ZOOM = 0.005


def fit_rotation(
    target: Float[np.ndarray, "N 3"],
    source: Float[np.ndarray, "N 3"],
    tolerance: float,
    guess: Float[np.ndarray, "3 3"],
    generator: np.random.Generator,
) -> tuple[Float[np.ndarray, "3 3"], Bool[np.ndarray, " N"]]:
    """Fit R with ``target`` = R · ``source`` to as many rays as possible (RANSAC, then least squares over the inliers).

    Args:
        target: Unit vectors.
        source: Unit vectors.
        tolerance: Largest distance (rad) of an inlier.
        guess: A rotation to try first.
        generator: Draws the pairs of rays to try.

    Returns:
        The rotation, and which rays agree with it.
    """
    rotation, inliers = guess, agreeing(target, source, guess, tolerance)
    if inliers.sum() < ENOUGH * len(target):
        candidates = _from_pairs(target, source, generator)
        counts = (((source @ candidates.transpose(0, 2, 1) - target) ** 2).sum(-1) < tolerance**2).sum(1)
        if len(counts) and counts.max() > inliers.sum():
            rotation = candidates[counts.argmax()]
            inliers = agreeing(target, source, rotation, tolerance)
    for _ in range(REFINEMENTS):
        if inliers.sum() < 2:
            break
        rotation = align(target[inliers], source[inliers])
        inliers = agreeing(target, source, rotation, tolerance)
    return rotation, inliers


def agreeing(
    target: Float[np.ndarray, "N 3"],
    source: Float[np.ndarray, "N 3"],
    rotation: Float[np.ndarray, "3 3"],
    tolerance: float,
) -> Bool[np.ndarray, " N"]:
    """Which rays ``rotation`` maps onto each other, up to ``tolerance`` (rad)."""
    inliers: Bool[np.ndarray, " N"] = ((source @ rotation.T - target) ** 2).sum(-1) < tolerance**2
    return inliers


def align(target: Float[np.ndarray, "N 3"], source: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, "3 3"]:
    """The rotation with the least squared distance between ``target`` and R · ``source`` (Kabsch 1976)."""
    u, _, vt = np.linalg.svd(target.T @ source)
    rotation: Float[np.ndarray, "3 3"] = u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt
    return rotation


def angle(rotation: Float[np.ndarray, "*N 3 3"]) -> Float[np.ndarray, "*N"]:
    """The angle of a rotation (rad)."""
    trace = np.trace(rotation, axis1=-2, axis2=-1)
    return np.asarray(np.arccos(((trace - 1) / 2).clip(-1, 1)))


def zoomed(target: Float[np.ndarray, "N 3"], source: Float[np.ndarray, "N 3"], tolerance: float) -> bool:
    """Whether ``source`` is spread out or drawn together against ``target``, which no rotation does.

    The distances between two rays then agree, up to ``tolerance`` (rad), if they are scaled, and far less if not.
    """
    if len(target) < 2:
        return False
    before, after = (np.linalg.norm(rays - np.roll(rays, len(rays) // 2, axis=0), axis=1) for rays in (target, source))
    scale = float(np.median(after / before.clip(min=1e-12)))
    rigid, scaled = (np.mean(np.abs(after - factor * before) < tolerance) for factor in (1.0, scale))
    return bool(scaled > ZOOM_ADVANTAGE * rigid and abs(scale - 1) > MIN_ZOOM)


def _from_pairs(
    target: Float[np.ndarray, "N 3"], source: Float[np.ndarray, "N 3"], generator: np.random.Generator
) -> Float[np.ndarray, "H 3 3"]:
    """The rotations that map random pairs of rays (TRIAD, Black 1964)."""
    if len(target) < 2:
        return np.zeros((0, 3, 3))
    first = generator.integers(len(target), size=HYPOTHESES)
    second = (first + generator.integers(1, len(target), size=HYPOTHESES)) % len(target)
    frames = [_axes(rays[first], rays[second]) for rays in (target, source)]
    return np.asarray(frames[0].transpose(0, 2, 1) @ frames[1])


def _axes(first: Float[np.ndarray, "H 3"], second: Float[np.ndarray, "H 3"]) -> Float[np.ndarray, "H 3 3"]:
    """Orthonormal axes, as rows, from pairs of unit vectors."""
    across = np.cross(first, second)
    across /= np.linalg.norm(across, axis=1, keepdims=True).clip(min=1e-12)
    return np.stack([first, across, np.cross(first, across)], 1)
