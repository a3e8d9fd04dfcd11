"""Errors of predicted poses, in the unit of the input (metres).

All take predictions and truth of shape (…, T, J, 3), average over everything, and return one number.
"""

import numpy as np
from jaxtyping import Float

Poses = Float[np.ndarray, "*B T J 3"]


def mpjpe(predicted: Poses, truth: Poses) -> float:
    """Mean per-joint position error ("P1", Pavllo et al. 2019): mean distance between joints, as they are."""
    return float(_distances(predicted, truth).mean())


def p_mpjpe(predicted: Poses, truth: Poses) -> float:
    """Mean per-joint position error after similarity Procrustes alignment of every frame ("P2")."""
    return mpjpe(aligned(predicted, truth), truth)


def n_mpjpe(predicted: Poses, truth: Poses) -> float:
    """Mean per-joint position error after the best scale of every frame, ⟨t, p⟩ / ⟨p, p⟩ ("P3")."""
    dot = (predicted * truth).sum((-2, -1), keepdims=True)
    square = (predicted * predicted).sum((-2, -1), keepdims=True)
    return mpjpe(predicted * dot / np.maximum(square, np.finfo(float).tiny), truth)


def mpjve(predicted: Poses, truth: Poses) -> float:
    """Mean per-joint velocity error: ``mpjpe`` of first differences over time, per frame (Pavllo et al. 2019)."""
    return mpjpe(np.diff(predicted, axis=-3), np.diff(truth, axis=-3))


def mpjae(predicted: Poses, truth: Poses) -> float:
    """Mean per-joint acceleration error: ``mpjpe`` of second differences over time, per frame² (Gupta)."""
    return mpjpe(np.diff(predicted, n=2, axis=-3), np.diff(truth, n=2, axis=-3))


def pck(predicted: Poses, truth: Poses, threshold: float = 0.15) -> float:
    """Share of joints within ``threshold`` of the truth (MPI-INF-3DHP: 150 mm).

    All joints count, also a root that both have at the origin.
    """
    return float((_distances(predicted, truth) <= threshold).mean())


def auc(predicted: Poses, truth: Poses) -> float:
    """Mean of ``pck`` over 31 thresholds from 0 to 150 mm (MPI-INF-3DHP): the area under its curve."""
    return float((_distances(predicted, truth)[..., None] <= np.linspace(0, 0.15, 31)).mean())


def aligned(predicted: Poses, truth: Poses) -> Poses:
    """``predicted`` under the rotation, scale and translation of every frame that bring it closest to ``truth``.

    Orthogonal Procrustes without reflection (Kabsch; Umeyama 1991).
    """
    middle, goal = predicted.mean(-2, keepdims=True), truth.mean(-2, keepdims=True)
    p, t = predicted - middle, truth - goal
    u, s, vt = np.linalg.svd(np.swapaxes(p, -1, -2) @ t)
    flip = np.ones_like(s)
    flip[..., -1] = np.sign(np.linalg.det(u @ vt))
    rotation = (u * flip[..., None, :]) @ vt
    square = (p * p).sum((-2, -1))
    scale = (s * flip).sum(-1) / np.maximum(square, np.finfo(float).tiny)
    return scale[..., None, None] * (p @ rotation) + goal


def _distances(predicted: Poses, truth: Poses) -> Float[np.ndarray, "*B T J"]:
    return np.linalg.norm(predicted - truth, axis=-1)
