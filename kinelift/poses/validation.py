"""Validate the values of a recording before they are drawn, exported or used for training."""

from itertools import pairwise
from math import isfinite

import numpy as np
from jaxtyping import Shaped

from kinelift.poses.camera import are_rotations
from kinelift.poses.containers import Action, ActionWindows, JointState, Person, Poses3D, Recording, Track2D, VideoFacts
from kinelift.poses.errors import DataError
from kinelift.poses.world import World

MAX_SIDE = 65_536
"""Limit of a picture's width and height in px, above that of any codec."""
MAX_SECONDS = 1e6
"""Limit of a video's duration: eleven days."""
MAX_COORDINATE = 1e9
"""Limit of the distance from the origin, in px or m. Larger values are damage."""
_ROUNDING = 1e-6
"""Tolerance of times, s, and of probabilities."""


def validate(recording: Recording) -> None:
    """Check the values of ``recording``; the containers have already checked its shapes.

    Checks sizes, times and their order, whether the video, its tracks and their poses agree, the ranges of coordinates,
    scores, probabilities and errors, and the world's rotation.

    Raises:
        DataError: A value is invalid. Names the person and the field.
    """
    _check_video(recording.video)
    if recording.world is not None:
        _check_world(recording.world)
    rotations = None if recording.camera is None else recording.camera.rotations
    if rotations is not None and not (len(rotations) == len(recording.video.times) and are_rotations(rotations)):
        _refuse("camera_rotations", "is not one rotation for every frame of the video")
    ids = [person.id for person in recording.people]
    if repeated := sorted({number for number in ids if ids.count(number) > 1}):
        _refuse("people", f"has id {repeated[0]} more than once")
    for person in recording.people:
        _check_person(person, recording.video)


def _check_video(video: VideoFacts) -> None:
    for side, pixels in (("width", video.width), ("height", video.height)):
        if not 1 <= pixels <= MAX_SIDE:
            _refuse(f"video.{side}", f"is {pixels}, expected 1 to {MAX_SIDE} pixels")
    if not (np.isfinite(video.times).all() and (video.times >= 0).all() and (video.times <= MAX_SECONDS).all()):
        _refuse("times", f"has a time that is not within 0 to {MAX_SECONDS:.0f} s")
    if not (np.diff(video.times) > 0).all():
        _refuse("times", "does not increase from frame to frame")


def _check_world(world: World) -> None:
    rotation = world.rotation
    if (
        not (np.abs(rotation) <= 2).all()
        or not (np.abs(rotation @ rotation.T - np.eye(3)) < 1e-3).all()
        or np.linalg.det(rotation) < 0
    ):
        _refuse("world/rotation", "is not a rotation")
    if not (np.abs(world.position) <= MAX_COORDINATE).all():
        _refuse("world/position", f"is not within {MAX_COORDINATE:.0f} of the origin")


def _check_person(person: Person, video: VideoFacts) -> None:
    name = f"person{person.id}"
    if not 0 <= person.id < 2**31:
        _refuse(name, "has an id that is not within 0 to 2147483647")
    _check_track(person.track, video, f"{name}/track")
    if person.poses is not None:
        _check_poses(person.poses, person.track, f"{name}/poses")
    _check_actions(person.actions or (), name)
    if person.windows is not None:
        _check_windows(person.windows, f"{name}/windows")


def _check_track(track: Track2D, video: VideoFacts, name: str) -> None:
    if not len(track):
        _refuse(f"{name}/points", "has no frames")
    if not (track.start >= 0 and track.stop <= len(video.times)):
        _refuse(
            f"{name}/start",
            f"is {track.start}: its {len(track)} frames are not all within the video's {len(video.times)}",
        )
    if track.size != (video.width, video.height):
        _refuse(f"{name}/size", f"is {track.size}, but the video's is {(video.width, video.height)}")
    _check_times(track.times, video.times[track.start : track.stop], f"{name}/times", "its frames in the video")
    _check_coordinates(track.points, f"{name}/points")
    if not ((track.scores >= 0) & (track.scores <= 1 + _ROUNDING)).all():
        _refuse(f"{name}/scores", "has a score that is not within 0 to 1")


def _check_poses(poses: Poses3D, track: Track2D, name: str) -> None:
    if len(poses) != len(track):
        _refuse(f"{name}/points", f"has {len(poses)} frames, but the track has {len(track)}")
    _check_times(poses.times, track.times, f"{name}/times", "the track")
    _check_coordinates(poses.points, f"{name}/points")
    if poses.root is not None:
        _check_coordinates(poses.root, f"{name}/root")
    if poses.seen is not None and not np.isin(poses.seen, list(JointState)).all():
        _refuse(f"{name}/seen", f"has a state that is not one of {', '.join(map(str, map(int, JointState)))}")
    if (
        poses.error is not None
        and not ((poses.error >= 0) & (poses.error <= MAX_COORDINATE) | np.isnan(poses.error)).all()
    ):
        _refuse(f"{name}/error", f"has an error that is not within 0 to {MAX_COORDINATE:.0f} m")


def _check_actions(actions: tuple[Action, ...], name: str) -> None:
    for k, action in enumerate(actions):
        field = f"{name}/actions[{k}]"
        if not 0 <= action.start <= action.end <= 2 * MAX_SECONDS:
            _refuse(field, f"is from {action.start} to {action.end} s")
        if not (isfinite(action.probability) and -_ROUNDING <= action.probability <= 1 + _ROUNDING):
            _refuse(f"{field}.probability", f"is {action.probability}, expected 0 to 1")
        _check_top([probability for _, probability in action.top], f"{field}.top")
    for k, (earlier, later) in enumerate(pairwise(actions), 1):
        if later.start < earlier.end - _ROUNDING:
            _refuse(f"{name}/actions[{k}]", "begins before the previous action ends")


def _check_windows(windows: ActionWindows, name: str) -> None:
    if not ((windows.times >= 0) & (windows.times <= 2 * MAX_SECONDS)).all() or not (np.diff(windows.times) > 0).all():
        _refuse(f"{name}/times", "does not increase from window to window")
    if not ((windows.probabilities >= -_ROUNDING) & (windows.probabilities <= 1 + _ROUNDING)).all():
        _refuse(f"{name}/probabilities", "has a probability that is not within 0 to 1")


def _check_top(probabilities: list[float], name: str) -> None:
    for k, probability in enumerate(probabilities):
        if not (isfinite(probability) and -_ROUNDING <= probability <= 1 + _ROUNDING):
            _refuse(f"{name}[{k}]", f"has probability {probability}, expected 0 to 1")
    if any(later > earlier for earlier, later in pairwise(probabilities)):
        _refuse(name, "is not in descending order of probability")


def _check_times(times: Shaped[np.ndarray, " T"], expected: Shaped[np.ndarray, " T"], name: str, owner: str) -> None:
    if not (np.abs(times - expected) <= _ROUNDING).all():
        _refuse(name, f"are not those of {owner}")


def _check_coordinates(points: Shaped[np.ndarray, "..."], name: str) -> None:
    """NaN is allowed: it marks joints not seen or not computed."""
    if (np.abs(points) > MAX_COORDINATE).any():
        _refuse(name, f"has a coordinate that is more than {MAX_COORDINATE:.0f} away")


def _refuse(field: str, problem: str) -> None:
    raise DataError(f"{field} {problem}.")
