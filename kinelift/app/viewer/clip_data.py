"""What the viewer shows of a recording, as JSON values and packed arrays.

The world is that of the 3D panel: metres, y up, floor at 0. Joints are whole millimetres and angles tenths of a degree.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from jaxtyping import Float, Int8

import kinelift
from kinelift.app.render.scene import Actor, build_scene
from kinelift.app.render.style import RGB, SIDE_COLOURS, person_colour
from kinelift.app.viewer.angles import KINDS, joint_angles
from kinelift.app.viewer.packing import Packing, whole
from kinelift.poses import Action, Person, Recording

MAX_PACKED = 8_000_000
"""Length of the packed arrays, in characters: 40 minutes of one person. With three.js, the page stays below 10 MB."""
USUAL_FRAMES = 72_000
"""Poses that usually fill that. More are not even tried, because everything that is packed is in memory."""
ActionColour = Callable[[str], str]
"""The colour of an action by its label, as #rrggbb."""


@dataclass(frozen=True)
class ClipData:
    """A recording for a page.

    Args:
        header: JSON values; arrays are references into ``packed``.
        packed: The arrays; see ``Packing``.
    """

    header: Mapping[str, Any]
    packed: str


def clip_data(recording: Recording, colour_of: ActionColour) -> ClipData:
    """A recording for a page. Of a very long one, only every N-th frame is kept, and the header says so (``step``)."""
    step = ceil(sum(len(person.track) for person in recording.people) / USUAL_FRAMES) or 1
    while len((data := _every(step, recording, colour_of)).packed) > MAX_PACKED:
        step = max(step + 1, ceil(step * len(data.packed) / MAX_PACKED))
    return data


def _every(step: int, recording: Recording, colour_of: ActionColour) -> ClipData:
    packing, video = Packing(), recording.video
    actors = {actor.id: actor for actor in build_scene(recording)}
    labels = {action.label for person in recording.people for action in person.actions or ()}
    header = {
        "name": video.name,
        "size": [video.width, video.height],
        "step": step,
        "frames": len(video.times),
        "times": packing.add(video.times[::step].astype(np.float64)),
        "camera": _camera(recording),
        "sides": {side: _hex(colour) for side, colour in SIDE_COLOURS.items()},
        "angles": [{"name": kind.name, "about": kind.about} for kind in KINDS],
        "colours": {label: colour_of(label) for label in sorted(labels)},
        "people": [_person(person, actors.get(person.id), step, packing) for person in recording.people],
        "version": kinelift.__version__,
    }
    return ClipData(header, packing.text())


def _person(person: Person, actor: Actor | None, step: int, packing: Packing) -> dict[str, Any]:
    times, start = person.track.times, person.track.start
    return {
        "id": person.id,
        "colour": _hex(person_colour(person.id)),
        "first": ceil(start / step),
        "start": float(times[0]),
        "end": float(times[-1]),
        "actions": None if person.actions is None else [_action(action) for action in person.actions],
        "poses": None if actor is None else _poses(person, actor, -start % step, step, packing),
    }


def _poses(person: Person, actor: Actor, first: int, step: int, packing: Packing) -> dict[str, Any]:
    """The poses of every ``step``-th frame from row ``first`` on."""
    joints, states = actor.joints[first::step], _states(person, actor)[first::step]
    angles = list(joint_angles(joints, states, actor.skeleton))
    return {
        "joints": list(actor.skeleton.joints),
        "bones": [list(bone) for bone in actor.skeleton.bones],
        "sides": [actor.skeleton.side(joint) for joint in range(len(actor.skeleton))],
        "points": packing.add(whole(1000 * joints, "int32").transpose(1, 2, 0)),
        "states": packing.add(states.T),
        "angles": [
            {
                "name": angle.kind.name,
                "side": angle.side,
                "degrees": packing.add(whole(10 * angle.degrees, "int16")),
                "states": packing.add(angle.states),
            }
            for angle in angles
        ],
    }


def _states(person: Person, actor: Actor) -> Int8[np.ndarray, "T J"]:
    if person.poses is None or person.poses.seen is None:
        return np.full(actor.joints.shape[:2], -1, dtype=np.int8)
    return person.poses.seen


def _action(action: Action) -> dict[str, Any]:
    top = [[label, round(value, 3)] for label, value in action.top]
    return {
        "start": action.start,
        "end": action.end,
        "label": action.label,
        "probability": round(action.probability, 3),
        "top": top,
    }


def _camera(recording: Recording) -> dict[str, Any] | None:
    """Where the camera stands and looks; None if that is not known. ``fov`` is vertical, in degrees.

    A camera that turns has no one direction, so ``forward`` is None.
    """
    world, camera = recording.world, recording.camera
    if world is None or camera is None:
        return None
    forward: Sequence[float] | None = None if camera.rotations is not None else _rounded(world.rotation[:, 2])
    fov = 2 * np.degrees(np.arctan2(recording.video.height / 2, camera.focals[1]))
    return {"position": _rounded(world.position), "forward": forward, "fov": round(float(fov), 3)}


def _rounded(values: Float[np.ndarray, " N"]) -> list[float]:
    return [round(float(value), 6) for value in values]


def _hex(colour: RGB) -> str:
    return "#" + bytes(colour).hex()
