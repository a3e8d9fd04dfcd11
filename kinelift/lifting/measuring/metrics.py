"""Errors of predicted poses, in the unit of the input (metres).

Predictions and truth have the shape (…, T, J, 3). Every metric averages over all frames and joints.
"""

import numpy as np
from jaxtyping import Float

Poses = Float[np.ndarray, "*B T J 3"]


def mpjpe(predicted: Poses, truth: Poses) -> float:
    """Mean per-joint position error without alignment ("P1", Pavllo et al. 2019)."""
    return float(_distances(predicted, truth).mean())


def p_mpjpe(predicted: Poses, truth: Poses) -> float:
    """Mean per-joint position error after similarity (Procrustes) alignment of each frame ("P2")."""
    return mpjpe(aligned(predicted, truth), truth)


def n_mpjpe(predicted: Poses, truth: Poses) -> float:
    """Mean per-joint position error after scaling each frame by ⟨t, p⟩ / ⟨p, p⟩ ("P3")."""
    dot = (predicted * truth).sum((-2, -1), keepdims=True)
    square = (predicted * predicted).sum((-2, -1), keepdims=True)
    return mpjpe(predicted * dot / np.maximum(square, np.finfo(float).tiny), truth)


def mpjve(predicted: Poses, truth: Poses) -> float:
    """Mean per-joint velocity error, per frame: ``mpjpe`` of first differences over time (Pavllo et al. 2019)."""
    return mpjpe(np.diff(predicted, axis=-3), np.diff(truth, axis=-3))


def mpjae(predicted: Poses, truth: Poses) -> float:
    """Mean per-joint acceleration error, per frame²: ``mpjpe`` of second differences over time (Gupta)."""
    return mpjpe(np.diff(predicted, n=2, axis=-3), np.diff(truth, n=2, axis=-3))


def pck(predicted: Poses, truth: Poses, threshold: float = 0.15) -> float:
    """Share of joints within ``threshold`` of the truth (MPI-INF-3DHP: 150 mm).

    All joints count, including a root at the origin in both.
    """
    return float((_distances(predicted, truth) <= threshold).mean())


def auc(predicted: Poses, truth: Poses) -> float:
    """Mean of ``pck`` over 31 thresholds from 0 to 150 mm (MPI-INF-3DHP): the area under its curve."""
    return float((_distances(predicted, truth)[..., None] <= np.linspace(0, 0.15, 31)).mean())


def aligned(predicted: Poses, truth: Poses) -> Poses:
    """Align each frame of ``predicted`` to ``truth`` by rotation, scale and translation.

    Orthogonal Procrustes without reflection (Kabsch; Umeyama 1991).
    """
    centroid, target = predicted.mean(-2, keepdims=True), truth.mean(-2, keepdims=True)
    p, t = predicted - centroid, truth - target
    u, s, vt = np.linalg.svd(np.swapaxes(p, -1, -2) @ t)
    sign = np.ones_like(s)
    sign[..., -1] = np.sign(np.linalg.det(u @ vt))
    rotation = (u * sign[..., None, :]) @ vt
    square = (p * p).sum((-2, -1))
    scale = (s * sign).sum(-1) / np.maximum(square, np.finfo(float).tiny)
    return np.asarray(scale[..., None, None] * (p @ rotation) + target)


def _distances(predicted: Poses, truth: Poses) -> Float[np.ndarray, "*B T J"]:
    return np.asarray(np.linalg.norm(predicted - truth, axis=-1))
