"""The most probable poses of one body, given its keypoints and what a network answers."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float

from kinelift.lifting.anthropometry import prior
from kinelift.lifting.body.accelerations import second
from kinelift.lifting.body.fit_settings import FitSettings
from kinelift.lifting.body.problem import Problem, State
from kinelift.lifting.body.solver import Body, Lengths
from kinelift.lifting.body.structure import TIPS, centres, chains, keypoints
from kinelift.lifting.body.windowed_solver import solved
from kinelift.lifting.root import NEAREST, place
from kinelift.lifting.synthesis.offsets import PUBLISHED
from kinelift.poses import COCO17, H36M17, Poses3D, Skeleton, Track2D, convert
from kinelift.poses.camera import Camera
from kinelift.poses.errors import SettingsError

FAR = 4.0
"""Metres: where somebody is put of whom too little was seen to tell."""


def fits(source: Skeleton, target: Skeleton) -> bool:
    """Whether a fit knows keypoints of ``source`` and poses of ``target``."""
    return source == COCO17 and target == H36M17


def fit(
    track: Track2D,
    poses: Poses3D,
    camera: Camera,
    settings: FitSettings | None = None,
    places: Mapping[str, tuple[float, float, float]] = PUBLISHED,
) -> Poses3D:
    """The poses of one body, with constant lengths, that agree best with keypoints, network and human measures.

    ``poses`` are a network's answer for ``track`` before ``camera``; frames that are NaN there stay NaN. ``points`` of
    the result are metres relative to the root; ``root`` lies in the frame of ``camera``, NaN where it was never seen.
    ``places`` says where the detector puts keypoints beside joint centres (``lifting.synthesis.offsets``), and
    ``settings.offsets`` how far that is believed. Raises ``SettingsError`` for skeletons that ``fits`` denies.

    Maximum a posteriori by Gauss-Newton; the terms are those of ``FitSettings``.
    """
    if not fits(track.skeleton, poses.skeleton):
        raise SettingsError(
            f"A fit takes {COCO17} keypoints and {H36M17} poses; these are {track.skeleton} and {poses.skeleton}. "
            f"Leave it out for them (--fit off)."
        )
    settings = settings or FitSettings()
    table = (1 - settings.offsets) * centres() + settings.offsets * keypoints(places)
    known = np.isfinite(poses.points).all((1, 2))
    points, root = np.full(poses.points.shape, np.nan), np.full((len(poses), 3), np.nan)
    if known.any():
        body, shown = _solved(track, poses, camera, known, table, settings)
        state = body.states[0]
        points[known] = state.joints(np.exp(body.logs))
        root[known] = np.where(shown[:, None], state.root, np.nan)
    return replace(poses, points=points, root=root)


def _solved(
    track: Track2D,
    poses: Poses3D,
    camera: Camera,
    known: Bool[np.ndarray, " T"],
    table: Float[np.ndarray, "K J"],
    settings: FitSettings,
) -> tuple[Body, Bool[np.ndarray, " F"]]:
    """The body in the frames that are ``known``, and whether the root's place is."""
    mean, covariance = prior()
    plane, times = camera.plane(track.points)[known], track.times[known]
    told = directions(poses.points[known])
    first = State(np.zeros((len(told), 3)), told).joints(np.exp(mean))
    root = place(first, convert(plane, COCO17, H36M17), times)
    shown = np.isfinite(root).all(-1)
    root = np.where(shown[:, None], root, [0.0, 0.0, FAR])
    used = np.isfinite(table).all(1)
    seen = np.isfinite(plane).all(-1) & shown[:, None]
    weight = seen * track.scores[known] * np.where(track.filled[known], settings.filled, 1.0)
    problem = Problem(
        np.where(seen[..., None], plane, 0.0)[:, used],
        weight[:, used],
        table[used] @ chains(),
        root[:, 2].clip(min=NEAREST),
        told,
        np.exp(mean),
        second(times),
        np.zeros(len(told), dtype=bool),
    )
    covariance = covariance + settings.placement**2 * np.eye(len(mean))
    heavy = Lengths(mean, np.linalg.inv(covariance) * max(1.0, len(told) / settings.views))
    return solved(problem, Body((State(root, told),), mean), heavy, settings), shown


def directions(points: Float[np.ndarray, "T J 3"]) -> Float[np.ndarray, "T 15 3"]:
    """Unit directions of the bones of a pose; straight down for a bone of no length."""
    ends = [H36M17.index(tip) for tip in TIPS]
    starts = [H36M17.index("right_hip") if tip == "left_hip" else H36M17.parents[H36M17.index(tip)] for tip in TIPS]
    bones = points[:, ends] - points[:, starts]
    norms = np.linalg.norm(bones, axis=-1, keepdims=True)
    return np.where(norms > 1e-9, bones / norms.clip(min=1e-9), [0.0, 1.0, 0.0])
