"""People of a recording in the world: what the program found, or today's substitutes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from kinelift.app.render.scene import build_scene
from kinelift.lifting.world.assumed import assumed_world
from kinelift.poses import Poses3D, Recording, Skeleton
from kinelift.poses.containers import Person
from kinelift.poses.world import World


@dataclass(frozen=True, eq=False)
class Actor:
    """One person in the world, by frame of their track.

    Attributes:
        joints: Metres, Y up, floor at 0; NaN where unknown.
        times: Seconds.
        start: Number of the first frame in the video.
        skeleton: The joints.
        contact: Whether a joint rests on the floor; None if not computed.
    """

    joints: Float[np.ndarray, "T J 3"]
    times: Float[np.ndarray, " T"]
    start: int
    skeleton: Skeleton
    contact: Bool[np.ndarray, "T J"] | None

    def part(self, foot: str, part: str) -> int:
        """The joint of a heel or toe; the ankle if the skeleton has no feet."""
        joint = f"{foot}_{part}"
        return self.skeleton.index(joint if joint in self.skeleton.joints else f"{foot}_ankle")

    def touching(self, foot: str, part: str) -> Bool[np.ndarray, " T"] | None:
        """Whether a heel or toe rests on the floor; None if not computed."""
        known = self.contact is not None and f"{foot}_{part}" in self.skeleton.joints
        return self.contact[:, self.part(foot, part)] if known and self.contact is not None else None

    def rows(self, first: int, last: int) -> slice:
        """The rows of the frames from ``first`` to ``last`` of the video."""
        return slice(max(first - self.start, 0), max(last + 1 - self.start, 0))


@dataclass(frozen=True, eq=False)
class Scene:
    """Everybody in the world.

    Attributes:
        up: The direction up in the camera frame.
        actors: One per person of the recording; None for those without poses.
        found: Whether the program computed the world; otherwise this is the scene that it draws.
    """

    up: Float[np.ndarray, " 3"]
    actors: Sequence[Actor | None]
    found: bool


def scene(recording: Recording) -> Scene:
    """The people of a recording in the world."""
    world = recording.world
    if world is not None:
        return Scene(world.up, [_placed(person, world) for person in recording.people], True)
    drawn = {actor.id: actor for actor in build_scene(recording)}
    lifted = [person.poses for person in recording.people if person.poses is not None]
    actors = [
        None if person.poses is None else _actor(person, person.poses, drawn[person.id].joints)
        for person in recording.people
    ]
    return Scene(assumed_world(lifted).up, actors, False)


def _placed(person: Person, world: World) -> Actor | None:
    poses = person.poses
    if poses is None or poses.root is None:
        return None
    return _actor(person, poses, world.from_camera(poses.points + poses.root[:, None]))


def _actor(person: Person, poses: Poses3D, joints: Float[np.ndarray, "T J 3"]) -> Actor:
    return Actor(joints, poses.times, person.track.start, poses.skeleton, poses.contact)
