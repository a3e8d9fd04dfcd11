"""The most probable poses of one body, given its 2D keypoints and the network's prediction."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float

from kinelift.lifting.anthropometry import prior
from kinelift.lifting.body.accelerations import second_derivative_weights
from kinelift.lifting.body.fit_settings import FitSettings
from kinelift.lifting.body.problem import Problem, State
from kinelift.lifting.body.solver import Body, LengthPrior
from kinelift.lifting.body.structure import TIPS, chains, keypoints_at_joints, keypoints_with_offsets
from kinelift.lifting.body.windowed_solver import solve_in_windows
from kinelift.lifting.root import MIN_DEPTH, estimate_root
from kinelift.lifting.synthesis.offsets import PUBLISHED
from kinelift.poses import COCO17, H36M17, Poses3D, Skeleton, Track2D, convert
from kinelift.poses.camera import Camera
from kinelift.poses.errors import SettingsError

FALLBACK_DEPTH = 4.0
"""Metres: assumed depth of a person with too few visible keypoints to estimate it."""


def can_fit(source: Skeleton, target: Skeleton) -> bool:
    """Whether keypoints of ``source`` and poses of ``target`` can be fitted to a body."""
    return source == COCO17 and target == H36M17


def fit(
    track: Track2D,
    poses: Poses3D,
    camera: Camera,
    settings: FitSettings | None = None,
    offsets: Mapping[str, tuple[float, float, float]] = PUBLISHED,
) -> Poses3D:
    """Fit poses to one body of constant lengths: the maximum a posteriori estimate, by Gauss-Newton.

    The terms of the energy are those of ``FitSettings``.

    Args:
        track: Keypoints of one person, pixels.
        poses: The network's prediction for ``track``. Frames that are NaN stay NaN.
        camera: The camera of ``track``.
        settings: Weights of the terms, and the share of ``offsets`` to correct for.
        offsets: Displacement of the detector's keypoints from joint centres (``lifting.synthesis.offsets``).

    Returns:
        ``points`` in metres relative to the root; ``root`` in the frame of ``camera``, NaN where it is unknown.

    Raises:
        SettingsError: The skeletons cannot be fitted (``can_fit``).
    """
    if not can_fit(track.skeleton, poses.skeleton):
        raise SettingsError(
            f"A fit takes {COCO17} keypoints and {H36M17} poses, not {track.skeleton} and {poses.skeleton}. "
            f"Switch it off (--fit off)."
        )
    settings = settings or FitSettings()
    table = (1 - settings.offsets) * keypoints_at_joints() + settings.offsets * keypoints_with_offsets(offsets)
    valid = np.isfinite(poses.points).all((1, 2))
    points, root = np.full(poses.points.shape, np.nan), np.full((len(poses), 3), np.nan)
    if valid.any():
        body, located = _solve(track, poses, camera, valid, table, settings)
        state = body.states[0]
        points[valid] = state.joints(np.exp(body.log_lengths))
        root[valid] = np.where(located[:, None], state.root, np.nan)
    return replace(poses, points=points, root=root)


def _solve(
    track: Track2D,
    poses: Poses3D,
    camera: Camera,
    valid: Bool[np.ndarray, " T"],
    table: Float[np.ndarray, "K J"],
    settings: FitSettings,
) -> tuple[Body, Bool[np.ndarray, " F"]]:
    """The body in the ``valid`` frames, and whether its position is known in each."""
    mean, covariance = prior()
    keypoints, times = camera.plane(track.points)[valid], track.times[valid]
    predicted = directions(poses.points[valid])
    initial = State(np.zeros((len(predicted), 3)), predicted).joints(np.exp(mean))
    root = estimate_root(initial, convert(keypoints, COCO17, H36M17), times)
    located = np.isfinite(root).all(-1)
    root = np.where(located[:, None], root, [0.0, 0.0, FALLBACK_DEPTH])
    used = np.isfinite(table).all(1)
    visible = np.isfinite(keypoints).all(-1) & located[:, None]
    weight = visible * track.scores[valid] * np.where(track.filled[valid], settings.filled, 1.0)
    problem = Problem(
        keypoints=np.where(visible[..., None], keypoints, 0.0)[:, used],
        weight=weight[:, used],
        keypoint_chains=table[used] @ chains(),
        depth=root[:, 2].clip(min=MIN_DEPTH),
        network_directions=predicted,
        reference_lengths=np.exp(mean),
        acceleration_weights=second_derivative_weights(times),
        fixed=np.zeros(len(predicted), dtype=bool),
    )
    covariance = covariance + settings.placement**2 * np.eye(len(mean))
    length_prior = LengthPrior(mean, np.linalg.inv(covariance) * max(1.0, len(predicted) / settings.views))
    return solve_in_windows(problem, Body((State(root, predicted),), mean), length_prior, settings), located


def directions(points: Float[np.ndarray, "T J 3"]) -> Float[np.ndarray, "T 15 3"]:
    """Unit directions of the bones of a pose; straight down for bones of zero length."""
    ends = [H36M17.index(tip) for tip in TIPS]
    starts = [H36M17.index("right_hip") if tip == "left_hip" else H36M17.parents[H36M17.index(tip)] for tip in TIPS]
    bones = points[:, ends] - points[:, starts]
    norms = np.linalg.norm(bones, axis=-1, keepdims=True)
    return np.where(norms > 1e-9, bones / norms.clip(min=1e-9), [0.0, 1.0, 0.0])
