"""Lifts everybody of a clip, finds up and the floor, and lets feet rest on it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float

from kinelift.lifting.anthropometry import BIG_TOE, HEEL, typical_foot
from kinelift.lifting.body import Contacts, FitMode, FitSettings, PoseLifter, can_fit, fit, plant
from kinelift.lifting.body.structure import FEET
from kinelift.lifting.world import up as up_direction
from kinelift.lifting.world.assumed import world_around
from kinelift.lifting.world.contacts import resting, spans
from kinelift.lifting.world.floor import Standing, corrected_up, sizes
from kinelift.lifting.world.manhattan import with_edges
from kinelift.lifting.world.support import flights, stands
from kinelift.poses import H36M21, Poses3D, Track2D, World
from kinelift.poses.camera import Camera
from kinelift.poses.edges import Edges
from kinelift.terminal.progress import Progress, no_progress

MERGE = 0.12
"""Metres: levels of different people that are closer are the same."""
STATURE = 1.7
"""Metres: height of a person of whom nothing is known."""
OVER_ANKLES = 0.96
"""Share of a person's height above the ankles."""
DRAFT = FitSettings(steps=5, refinements=0)
"""For the first of two fits, which finds lengths and contacts."""
_UPRIGHT = (("left_ankle", "left_knee", "left_hip"), ("hip", "spine", "thorax", "neck", "head"))


@dataclass(frozen=True)
class WorldSettings:
    """What is known about the world, and whether feet are held to the floor."""

    up: tuple[float, float, float] | None = None
    """The direction up in camera axes (x right, y down, z forward); None to estimate it."""
    camera_height: float | None = None
    """Metres from the camera down to the floor; None to estimate it."""
    height: float | None = None
    """Height of one person in metres, which fixes the sizes of all; None to take average bodies."""
    contacts: bool = True
    """Whether planted feet stay where they are."""


def lift_together(
    tracks: Sequence[Track2D],
    lifter: PoseLifter,
    camera: Camera,
    mode: FitMode = "body",
    settings: WorldSettings | None = None,
    progress: Progress = no_progress,
    edges: Edges | None = None,
    measured: int = 0,
) -> tuple[tuple[Poses3D, ...], World | None]:
    """Lift all people of a clip and fit them to bodies that stand in one world.

    Args:
        tracks: Keypoints of each person, pixels.
        lifter: The lifter.
        camera: The camera of all tracks.
        mode: Whether to fit poses to bodies. Without, feet are not held to the floor either.
        settings: What is known about the world.
        progress: Shows progress over people.
        edges: Straight edges of the background, some of which are vertical or level.
        measured: Index of the person whose height ``settings`` may have.

    Returns:
        Poses (metres, camera axes) and the place of the camera; None if nothing shows which way is up.
    """
    settings = settings or WorldSettings()
    up = _given(settings) if settings.up else estimate_up(tracks, lifter, camera, edges)
    lifted: list[Poses3D] = []
    fitted: list[Poses3D] = []
    draft = DRAFT if settings.contacts else None
    views = [camera.during(track.start, track.stop) for track in tracks]
    for track, view in progress(list(zip(tracks, views, strict=True)), "lifting to 3D", len(tracks)):
        poses = _compact(lifter.lift(track, view, up))
        use_fit = mode == "body" and can_fit(track.skeleton, poses.skeleton)
        fitted.append(_compact(fit(track, poses, view, draft)) if use_fit else poses)
        lifted.append(poses)
    if up is None:
        up = up_direction.combine([up_direction.of_bodies(poses) for poses in fitted])
    if up is None or mode == "off" or any(poses.skeleton != H36M21 for poses in fitted):
        return _without_contacts(fitted, up, settings, measured)
    up, standing = _placed(fitted, up, settings, measured)
    if settings.contacts:
        for k, one in enumerate(standing):
            contacts = _contacts(one, fitted[k], up)
            fitted[k] = _compact(plant(tracks[k], lifted[k], fitted[k], views[k], contacts))
    levels = [one.main for one in standing if one.main is not None]
    return tuple(fitted), world_around(up, fitted, min(levels) if levels else None)


def _placed(
    people: list[Poses3D], up: Float[np.ndarray, " 3"], settings: WorldSettings, measured: int
) -> tuple[Float[np.ndarray, " 3"], list[Standing]]:
    """Correct up by the feet, and scale the poses in ``people`` so that those on one floor agree about it.

    Returns:
        Up in camera axes, and where each person stands.
    """
    standing = [_standing(poses, up) for poses in people]
    if settings.up is None:
        up = _corrected(people, standing, up)
        standing = [_standing(poses, up) for poses in people]
    known = (measured, settings.height / stature(people[measured])) if settings.height and people else None
    factors = sizes([one.main for one in standing], settings.camera_height, known)
    for k, factor in enumerate(factors):  # each replaces the one before: the poses of everybody take most of the memory
        people[k] = _scaled(people[k], factor)
    return up, _on_common_floor([_standing(poses, up) for poses in people])


def _without_contacts(
    people: Sequence[Poses3D], up: Float[np.ndarray, " 3"] | None, settings: WorldSettings, measured: int
) -> tuple[tuple[Poses3D, ...], World | None]:
    """People whose feet are not known, of the sizes that the user gave, over a floor at their lowest joints."""
    factor = 1.0
    if settings.height and people:
        factor = settings.height / stature(people[measured])
    elif settings.camera_height and up is not None:
        assumed = float(world_around(up, people).position[1])
        factor = settings.camera_height / assumed if assumed > 0 else 1.0
    scaled = tuple(_scaled(poses, factor) for poses in people)
    return scaled, None if up is None else world_around(up, scaled)


def stature(poses: Poses3D) -> float:
    """A person's height in metres, from the bone lengths of fitted poses."""
    whole = poses.points[np.isfinite(poses.points).all((1, 2))]
    if not len(whole):
        return STATURE
    parts = [whole[0, [poses.skeleton.index(name) for name in chain]] for chain in _UPRIGHT]
    return float(sum(np.linalg.norm(np.diff(part, axis=0), axis=1).sum() for part in parts)) / OVER_ANKLES


def estimate_up(
    tracks: Sequence[Track2D], lifter: PoseLifter, camera: Camera, edges: Edges | None = None
) -> Float[np.ndarray, " 3"] | None:
    """The direction up in camera axes from all people and edges; None if neither tells it."""
    estimates = [lifter.estimate_up(track, camera.during(track.start, track.stop)) for track in tracks]
    up = up_direction.combine([one for one in estimates if one is not None])
    return up if edges is None else with_edges(up, edges)


def _given(settings: WorldSettings) -> Float[np.ndarray, " 3"]:
    up = np.asarray(settings.up, dtype=float)
    return np.asarray(up / np.linalg.norm(up))


def _feet(poses: Poses3D) -> Float[np.ndarray, "T 4 3"]:
    """Heels and toes in the camera frame."""
    assert poses.root is not None
    return np.asarray(poses.points[:, list(FEET)] + poses.root[:, None])


def _standing(poses: Poses3D, up: Float[np.ndarray, " 3"]) -> Standing:
    assert poses.root is not None
    feet = _feet(poses)
    return Standing.of(spans(resting(feet, poses.root, poses.times, up), feet @ up - _over_floor()))


def _over_floor() -> Float[np.ndarray, " 4"]:
    """Height over the floor of the joints of a foot that rests on it, in metres."""
    _, ankle = typical_foot()
    return ankle * (1 + np.array([HEEL[1], BIG_TOE[1]] * 2))


def _corrected(
    people: Sequence[Poses3D], standing: Sequence[Standing], up: Float[np.ndarray, " 3"]
) -> Float[np.ndarray, " 3"]:
    """The direction up for which the contacts of each person's main level are level."""
    places: list[np.ndarray] = []
    weights: list[float] = []
    owners: list[int] = []
    for poses, one in zip(people, standing, strict=True):
        feet = _feet(poses) - (_over_floor()[:, None] * up)[None]
        main = [span for span, level in zip(one.spans, one.levels, strict=True) if level == one.main]
        places += [np.median(feet[span.start : span.stop, span.joint], axis=0) for span in main]
        weights += [float(span.stop - span.start) ** 0.5 for span in main]
        owners += [owners[-1] + 1 if owners else 0] * len(main)
    return corrected_up(np.array(places).reshape(-1, 3), np.array(owners, dtype=int), np.array(weights), up)


def _compact(poses: Poses3D) -> Poses3D:
    """Poses in float32, in which those of everybody wait for the others."""
    root = None if poses.root is None else poses.root.astype(np.float32)
    return replace(poses, points=poses.points.astype(np.float32), root=root)


def _scaled(poses: Poses3D, factor: float) -> Poses3D:
    root = None if poses.root is None else factor * poses.root
    return replace(poses, points=factor * poses.points, root=root)


def _on_common_floor(standing: Sequence[Standing]) -> list[Standing]:
    """Levels of different people that are within a few centimetres become one."""
    levels = sorted({level for one in standing for level in one.levels})
    merged: dict[float, float] = {}
    group: list[float] = []
    for k, level in enumerate(levels):
        group.append(level)
        if k + 1 == len(levels) or levels[k + 1] - level > MERGE:
            merged |= dict.fromkeys(group, float(np.mean(group)))
            group = []
    return [Standing(one.spans, tuple(merged[level] for level in one.levels)) for one in standing]


def _contacts(standing: Standing, poses: Poses3D, up: Float[np.ndarray, " 3"]) -> Contacts:
    assert poses.root is not None
    weight, rise = np.zeros((len(poses), len(FEET))), _over_floor()
    level = np.full(weight.shape, np.nan)
    for span, floor in zip(standing.spans, standing.levels, strict=True):
        part = slice(span.start, span.stop), span.joint
        weight[part], level[part] = 1.0, floor
    level = np.where(np.isnan(level), _floor_below(level)[:, None], level)
    flight = flights(np.asarray(weight.any(1)), poses.root @ up, poses.times)
    return Contacts(weight, level + rise, up, flight, stands(weight > 0, poses.times))


def _floor_below(level: Float[np.ndarray, "T 4"]) -> Float[np.ndarray, " T"]:
    """The lower one of the levels of the last and of the next contact; NaN without any."""
    lowest: Float[np.ndarray, " T"] = np.fmin.reduce(level, axis=1)
    touched = np.flatnonzero(np.isfinite(lowest))
    if not len(touched):
        return lowest
    after = np.searchsorted(touched, np.arange(len(lowest))).clip(max=len(touched) - 1)
    before = (np.searchsorted(touched, np.arange(len(lowest)), side="right") - 1).clip(min=0)
    return np.asarray(np.minimum(lowest[touched[after]], lowest[touched[before]]))


@dataclass(frozen=True, eq=False)
class WorldLifter:
    """A lifter for one person at a time that does all that ``lift_together`` does."""

    lifter: PoseLifter
    mode: FitMode = "body"
    settings: WorldSettings = field(default_factory=WorldSettings)
    edges: Edges | None = None

    def lift(self, track: Track2D, camera: Camera, up: Float[np.ndarray, " 3"] | None = None) -> Poses3D:
        """Poses in the frame of ``camera``, metres. ``up`` is estimated if it is not known."""
        x, y, z = (0.0, 0.0, 0.0) if up is None else map(float, up)
        settings = self.settings if up is None else replace(self.settings, up=(x, y, z))
        (poses,), _ = lift_together([track], self.lifter, camera, self.mode, settings, edges=self.edges)
        return poses

    def estimate_up(self, track: Track2D, camera: Camera) -> Float[np.ndarray, "T 3"] | None:
        """As the lifter estimates it."""
        return self.lifter.estimate_up(track, camera)
