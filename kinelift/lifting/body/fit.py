"""The most probable poses of one body, given its 2D keypoints and the network's prediction."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from kinelift.lifting.anthropometry import SEGMENTS, prior
from kinelift.lifting.body.accelerations import MIN_INTERVAL, second_derivative_weights
from kinelift.lifting.body.fit_settings import FitSettings
from kinelift.lifting.body.planted import Planted
from kinelift.lifting.body.problem import Problem, State
from kinelift.lifting.body.solver import Body, LengthPrior
from kinelift.lifting.body.steady import Steady
from kinelift.lifting.body.structure import FEET, SEGMENT, TIPS, chains, keypoints_at_joints, keypoints_with_offsets
from kinelift.lifting.body.windowed_solver import solve_in_windows
from kinelift.lifting.root import MIN_DEPTH, estimate_root
from kinelift.lifting.synthesis.offsets import PUBLISHED
from kinelift.poses import COCO17, COCO23, H36M17, H36M21, Poses3D, Skeleton, Track2D, convert, missing_keypoints
from kinelift.poses.camera import Camera
from kinelift.poses.errors import SettingsError

FALLBACK_DEPTH = 4.0
"""Metres: assumed depth of a person with too few visible keypoints to estimate it."""


@dataclass(frozen=True, eq=False)
class Contacts:
    """The feet of one person on the floor, in the order of ``structure.FEET``.

    Attributes:
        weight: How certain each contact is, 0-1.
        height: Where the floor lets each joint be, at the least, in metres from the camera along ``up``; NaN if not
            known.
        up: The direction up in camera axes.
        flight: Whether the body is in the air in this frame, the one before and the next.
        stands: Whether the person stands.
    """

    weight: Float[np.ndarray, "T 4"]
    height: Float[np.ndarray, "T 4"]
    up: Float[np.ndarray, " 3"]
    flight: Bool[np.ndarray, " T"]
    stands: Bool[np.ndarray, " T"]


def can_fit(source: Skeleton, target: Skeleton) -> bool:
    """Whether keypoints of ``source`` and poses of ``target`` can be fitted to a body."""
    return target in (H36M17, H36M21) and not missing_keypoints(source, COCO17)


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
    settings = settings or FitSettings()
    mean, covariance = prior()
    valid = _checked(track, poses)
    if not valid.any():
        return replace(poses, points=np.full(poses.points.shape, np.nan), root=np.full((len(poses), 3), np.nan))
    predicted = directions(poses.points[valid])
    root = _initial_root(track, predicted, camera, valid, mean)
    located = np.isfinite(root).all(-1)
    root = np.where(located[:, None], root, [0.0, 0.0, FALLBACK_DEPTH])
    problem = _problem(
        track, predicted, camera.plane(track.points)[valid], root, located, valid, mean, settings, offsets
    )
    covariance = covariance + settings.placement**2 * np.eye(len(mean))
    length_prior = LengthPrior(mean, np.linalg.inv(covariance) * max(1.0, len(predicted) / settings.views))
    body = solve_in_windows(problem, Body((State(root, predicted.copy()),), mean), length_prior, settings)
    del problem, predicted  # of a track of an hour, 100 MB
    return _poses(poses, body, valid, located)


def plant(
    track: Track2D,
    poses: Poses3D,
    fitted: Poses3D,
    camera: Camera,
    contacts: Contacts,
    settings: FitSettings | None = None,
    offsets: Mapping[str, tuple[float, float, float]] = PUBLISHED,
) -> Poses3D:
    """Fit again, from ``fitted`` and with its bone lengths, with feet that rest on the floor.

    Args:
        track: As for ``fit``.
        poses: As for ``fit``.
        fitted: The result of ``fit``, which may have been scaled about the camera.
        camera: As for ``fit``.
        contacts: The feet on the floor.
        settings: As for ``fit``.
        offsets: As for ``fit``.

    Returns:
        As ``fit``, with ``contact``.
    """
    settings = settings or FitSettings()
    valid = _checked(track, poses) & np.isfinite(fitted.points).all((1, 2))
    if fitted.root is None or fitted.skeleton != H36M21 or not valid.any():
        return fitted
    located = np.isfinite(fitted.root[valid]).all(-1)
    root = np.where(located[:, None], fitted.root[valid], [0.0, 0.0, FALLBACK_DEPTH])
    predicted, log_lengths = directions(poses.points[valid]), np.log(_lengths(fitted.points[valid]))
    problem = _problem(
        track, predicted, camera.plane(track.points)[valid], root, located, valid, log_lengths, settings, offsets
    )
    steps = np.diff(np.flatnonzero(valid), append=len(valid) + 1)
    intervals = np.where(steps == 1, np.diff(track.times[valid], append=np.inf), np.inf).clip(min=MIN_INTERVAL)
    weight, flight = contacts.weight[valid] * located[:, None], contacts.flight[valid] & located
    planted = Planted(weight, intervals, contacts.height[valid], contacts.up, flight)
    steady = Steady.of(root[:, None] + fitted.points[valid], contacts.stands[valid] & located, intervals, settings)
    start = Body((State(root, directions(fitted.points[valid])),), log_lengths)
    body = solve_in_windows(replace(problem, planted=planted, steady=steady), start, None, settings)
    del problem, predicted  # of a track of an hour, 100 MB
    contact = np.zeros(poses.points.shape[:2], dtype=bool)
    contact[:, list(FEET)] = contacts.weight > 0.5
    return replace(_poses(poses, body, valid, located), contact=contact)


def _checked(track: Track2D, poses: Poses3D) -> Bool[np.ndarray, " T"]:
    """The frames with a prediction."""
    if not can_fit(track.skeleton, poses.skeleton):
        raise SettingsError(
            f"A fit takes {COCO17} or {COCO23} keypoints and {H36M17} or {H36M21} poses, not {track.skeleton} and "
            f"{poses.skeleton}. Switch it off (--fit off)."
        )
    return np.asarray(np.isfinite(poses.points).all((1, 2)))


def _initial_root(
    track: Track2D,
    predicted: Float[np.ndarray, "F 19 3"],
    camera: Camera,
    valid: Bool[np.ndarray, " T"],
    log_lengths: Float[np.ndarray, " 12"],
) -> Float[np.ndarray, "F 3"]:
    """The root in the ``valid`` frames, of the predicted pose with these lengths; NaN where it is not known."""
    body = convert(State(np.zeros((len(predicted), 3)), predicted).joints(np.exp(log_lengths)), H36M21, H36M17)
    keypoints = convert(camera.plane(track.points)[valid], track.skeleton, H36M17)
    return estimate_root(body, keypoints, track.times[valid])


def _problem(
    track: Track2D,
    predicted: Float[np.ndarray, "F 19 3"],
    keypoints: Float[np.ndarray, "F K 2"],
    root: Float[np.ndarray, "F 3"],
    located: Bool[np.ndarray, " F"],
    valid: Bool[np.ndarray, " T"],
    log_lengths: Float[np.ndarray, " 12"],
    settings: FitSettings,
    offsets: Mapping[str, tuple[float, float, float]],
) -> Problem:
    """The data of the ``valid`` frames. ``located`` says where the position is known."""
    table = (1 - settings.offsets) * keypoints_at_joints() + settings.offsets * keypoints_with_offsets(offsets)
    used = np.isfinite(table).all(1)
    keypoints = convert(keypoints, track.skeleton, COCO23)
    whole = track.converted(COCO23)
    visible = np.isfinite(keypoints).all(-1) & located[:, None]
    weight = visible * whole.scores[valid] * np.where(whole.filled[valid], settings.filled, 1.0)
    return Problem(
        keypoints=np.where(visible[..., None], keypoints, 0.0)[:, used],
        weight=weight[:, used],
        keypoint_chains=table[used] @ chains(),
        depth=root[:, 2].clip(min=MIN_DEPTH),
        network_directions=predicted,
        reference_lengths=np.exp(log_lengths),
        acceleration_weights=second_derivative_weights(track.times[valid]),
        fixed=np.zeros(len(predicted), dtype=bool),
    )


def _poses(poses: Poses3D, body: Body, valid: Bool[np.ndarray, " T"], located: Bool[np.ndarray, " F"]) -> Poses3D:
    state, joints = body.states[0], poses.points.shape[1]
    found = state.joints(np.exp(body.log_lengths))[:, :joints]
    places = np.where(located[:, None], state.root, np.nan)
    if valid.all():  # without a copy: a track may be long
        return replace(poses, points=found, root=places)
    points, root = np.full(poses.points.shape, np.nan), np.full((len(poses), 3), np.nan)
    points[valid], root[valid] = found, places
    return replace(poses, points=points, root=root)


def _lengths(points: Float[np.ndarray, "T 21 3"]) -> Float[np.ndarray, " 12"]:
    """The segment lengths of a fitted body."""
    bones = np.linalg.norm(points[0, _ENDS] - points[0, _STARTS], axis=-1)
    half = np.where([tip == "left_hip" for tip in TIPS], 0.5, 1.0)
    return np.array([(half * bones)[SEGMENT.index(k)] for k in range(len(SEGMENTS))])


_ENDS = [H36M21.index(tip) for tip in TIPS]
_STARTS = [H36M21.index("right_hip") if tip == "left_hip" else H36M21.parents[H36M21.index(tip)] for tip in TIPS]


def directions(points: Float[np.ndarray, "T J 3"]) -> Float[np.ndarray, "T 19 3"]:
    """Unit directions of the bones of a pose; straight down for bones of zero length and for feet that it lacks."""
    found = np.tile([0.0, 1.0, 0.0], (len(points), len(TIPS), 1))
    for k, (start, end) in enumerate(zip(_STARTS, _ENDS, strict=True)):  # one by one: a track may be long
        if end < points.shape[1]:
            bone = points[:, end].astype(np.float64) - points[:, start]
            norm = np.linalg.norm(bone, axis=-1, keepdims=True)
            np.divide(bone, norm, out=found[:, k], where=norm > 1e-9)
    return found
