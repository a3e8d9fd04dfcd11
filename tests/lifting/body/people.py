"""People for tests of the fit: bodies of known lengths that move before a camera, and networks' answers about them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinelift.lifting.anthropometry import adult
from kinelift.lifting.body.problem import State
from kinelift.lifting.body.structure import TIPS
from kinelift.poses import COCO17, H36M17, Poses3D, Track2D, convert
from kinelift.poses.camera import Camera

SIZE = (720, 1280)
CAMERA = Camera.from_field_of_view(55.0, SIZE)
DOWN, UP = (0.0, 1.0, 0.0), (0.0, -1.0, 0.0)
PLACE = (0.1, 0.1, 4.0)


@dataclass(frozen=True, eq=False)
class Scene:
    """A person before ``CAMERA``: the keypoints, and the true joints relative to the root."""

    track: Track2D
    truth: Poses3D


def standing(knee: float = 0.0, heading: float = 0.0, elbow: float = 0.0) -> Float[np.ndarray, "15 3"]:
    """Directions of somebody upright who faces the camera, then is turned to their left by ``heading`` degrees.

    Knees are bent so that thigh and shank lean alike; a negative flexion bends them forwards, as no knee can.
    """
    half, bend = np.radians(knee) / 2, np.radians(elbow)
    ways = dict.fromkeys(TIPS, UP) | {"left_hip": (1.0, 0.0, 0.0)}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        ways[f"{side}_shoulder"] = (0.94 * sign, 0.34, 0.0)
        ways[f"{side}_knee"] = (0.0, np.cos(half), -np.sin(half))
        ways[f"{side}_ankle"] = (0.0, np.cos(half), np.sin(half))
        ways[f"{side}_elbow"] = (0.17 * sign, 0.985, 0.0)
        ways[f"{side}_wrist"] = (0.17 * sign, 0.985 * np.cos(bend), -np.sin(bend))
    turn = np.radians(heading)
    about = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    directions = np.array([ways[tip] for tip in TIPS]) @ about.T
    return directions / np.linalg.norm(directions, axis=-1, keepdims=True)


def scene(
    directions: Float[np.ndarray, "T 15 3"],
    times: Float[np.ndarray, " T"],
    root: Float[np.ndarray, "T 3"] | None = None,
) -> Scene:
    """A median man with these directions at ``PLACE``, seen exactly."""
    place = np.broadcast_to(PLACE, (len(times), 3)) if root is None else root
    points = State(place, directions).joints(adult("men").double().numpy())
    pixels = convert(CAMERA.project(points + place[:, None]), H36M17, COCO17)
    shown = np.isfinite(pixels).all(-1)
    track = Track2D(pixels, shown.astype(float), times, np.zeros(shown.shape, bool), 0, SIZE)
    return Scene(track, Poses3D(points, times, place.copy()))


def still(frames: int = 12, knee: float = 0.0, heading: float = 0.0, elbow: float = 0.0) -> Scene:
    """Somebody who stands still."""
    return scene(np.tile(standing(knee, heading, elbow), (frames, 1, 1)), np.arange(frames) / 30)


def moving(times: Float[np.ndarray, " T"], seed: int = 0) -> Scene:
    """Somebody whose bones swing slowly, each on its own path, and who walks about."""
    random = np.random.default_rng(seed)
    phase, speed, size = random.uniform(0, 6, (1, 15, 3)), random.uniform(1, 3, (1, 15, 3)), 0.25
    directions = standing(25.0, 35.0, 40.0) + size * np.sin(speed * times[:, None, None] + phase)
    root = PLACE + 0.3 * np.sin(np.outer(times, [0.8, 0.5, 0.6]))
    return scene(directions / np.linalg.norm(directions, axis=-1, keepdims=True), times, root)


def answered(true: Scene, error: float, seed: int = 0) -> Poses3D:
    """What a network might answer: every joint off by ``error`` metres (normal), some of it for good."""
    random = np.random.default_rng(seed)
    shape = true.truth.points.shape
    off = random.normal(0, error / 2**0.5, (1, *shape[1:])) + random.normal(0, error / 2**0.5, shape)
    off[:, H36M17.root] = 0
    return Poses3D(true.truth.points + off, true.truth.times, true.truth.root)


def noisy(track: Track2D, pixels: float, seed: int = 0) -> Track2D:
    """Keypoints off by ``pixels`` (normal)."""
    random = np.random.default_rng(seed)
    points = track.points + random.normal(0, pixels, track.points.shape)
    return Track2D(points, track.scores, track.times, track.filled, track.start, track.size)


def flexion(poses: Poses3D, middle: str = "knee") -> Float[np.ndarray, "T 2"]:
    """Degrees by which the left and right knee or elbow are bent."""
    above, below = ("hip", "ankle") if middle == "knee" else ("shoulder", "wrist")
    bent = []
    for side in ("left", "right"):
        a, b, c = (poses.points[:, H36M17.index(f"{side}_{part}")] for part in (above, middle, below))
        cosine = ((b - a) * (c - b)).sum(-1) / np.linalg.norm(b - a, axis=-1) / np.linalg.norm(c - b, axis=-1)
        bent.append(np.degrees(np.arccos(cosine.clip(-1, 1))))
    return np.stack(bent, -1)


def lengths(poses: Poses3D) -> Float[np.ndarray, "T 16"]:
    """Metres of every bone."""
    ends = np.array(H36M17.bones)
    return np.asarray(np.linalg.norm(poses.points[:, ends[:, 1]] - poses.points[:, ends[:, 0]], axis=-1))
