"""Everybody in one space with Y up, in metres: the recording's world, or without one the turned camera frame."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from kinelift.poses import Person, Poses3D, Recording, World
from kinelift.poses.errors import DataError
from kinelift.poses.kinematics import Motion, solve
from kinelift.poses.world import LEVEL

IN_WORLD = "world: x right of the camera, y up, z towards the camera, metres, floor at y = 0"
IN_CAMERA = (
    "camera: x right, y up, z towards the camera, metres. The recording has no world, so y is the camera's and may "
    "lean, and y = 0 is the lowest joint of anybody, not a floor"
)
AT_ORIGIN = ". Places are unknown: everybody's hip is above the origin"


@dataclass(frozen=True, eq=False)
class Placed:
    """One person in the space of a ``Scene``.

    Attributes:
        id: The person's number.
        start: Index in the video of the first frame.
        points: The joints, metres, Y up; NaN where unknown.
        origin: The place that the recorded points count from: the hip, or where it would be.
        poses: The recorded poses.
    """

    id: int
    start: int
    points: Float[np.ndarray, "T J 3"]
    origin: Float[np.ndarray, "T 3"]
    poses: Poses3D


@dataclass(frozen=True, eq=False)
class Scene:
    """Everybody with 3D poses, and what the coordinates mean, in words."""

    people: tuple[Placed, ...]
    coordinates: str


def posed(recording: Recording) -> tuple[Person, ...]:
    """Everybody who has a 3D pose, with a place if places are recorded, in some frame."""

    def known(poses: Poses3D) -> bool:
        places = poses.points if poses.root is None else poses.points + poses.root[:, None]
        return bool(np.isfinite(places).all(-1).any())

    return tuple(person for person in recording.people if person.poses is not None and known(person.poses))


def place(recording: Recording) -> Scene:
    """Everybody who has a 3D pose in some frame.

    Raises:
        DataError: Nobody has.
    """
    people = [(person, person.poses) for person in posed(recording) if person.poses is not None]
    if recording.people and all(person.poses is None for person in recording.people):
        raise DataError(
            f"The recording of {recording.video.name} has keypoints but no poses, as kinelift detect writes it. Lift "
            "them first: kinelift run VIDEO --keypoints RECORDING"
        )
    if not people:
        raise DataError(
            f"The recording of {recording.video.name} has no 3D poses to export. People must be seen to be lifted."
        )
    located = all(poses.root is not None for _, poses in people)
    world = recording.world if located else None
    placed = tuple(_placed(person, poses, world) for person, poses in people)
    if world is not None:
        return Scene(placed, IN_WORLD)
    lowest = min(float(np.min(one.points[np.isfinite(one.points[..., 1]), 1], initial=np.inf)) for one in placed)
    lift = np.array([0.0, -lowest if np.isfinite(lowest) else 0.0, 0.0])
    raised = tuple(replace(one, points=one.points + lift, origin=one.origin + lift) for one in placed)
    return Scene(raised, IN_CAMERA + ("" if located else AT_ORIGIN))


def motion_of(person: Placed) -> Motion:
    """A person's joint rotations over the track. A hip that was never seen is where the others count from.

    Raises:
        DataError: The layout of the joints has no rig.
    """
    points, hip = person.points.copy(), person.poses.skeleton.root
    unknown = np.isfinite(points).all(-1).any(1) & ~np.isfinite(points[:, hip]).all(-1)
    points[unknown, hip] = person.origin[unknown]
    return solve(points, person.poses.times, person.poses.skeleton)


def _placed(person: Person, poses: Poses3D, world: World | None) -> Placed:
    origin = np.zeros((len(poses), 3)) if poses.root is None else poses.root
    in_camera = poses.points + origin[:, None]
    if world is not None:
        points, origin = world.from_camera(in_camera), world.from_camera(origin)
    else:
        points, origin = in_camera @ LEVEL.T, origin @ LEVEL.T
    return Placed(person.id, person.track.start, points, origin, poses)
