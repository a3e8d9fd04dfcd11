"""Synthetic people for tests of the fit: moving bodies of known lengths, and noisy predictions of their poses."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from kinelift.lifting.anthropometry import adult
from kinelift.lifting.body.problem import State
from kinelift.lifting.body.structure import FEET, SOLES, TIPS
from kinelift.poses import COCO23, H36M21, Poses3D, Track2D, convert
from kinelift.poses.camera import Camera

SIZE = (720, 1280)
CAMERA = Camera.from_field_of_view(55.0, SIZE)
UP = (0.0, -1.0, 0.0)
ROOT = (0.1, 0.1, 4.0)


@dataclass(frozen=True, eq=False)
class Scene:
    """A person in front of ``CAMERA``: keypoints, and ground truth relative to the root."""

    track: Track2D
    truth: Poses3D


def standing(knee: float = 0.0, heading: float = 0.0, elbow: float = 0.0) -> Float[np.ndarray, "19 3"]:
    """Bone directions of a person who stands facing the camera, turned to their left by ``heading`` degrees.

    Thigh and shank lean by the same angle. Negative flexion is hyperextension.
    """
    half, bend = np.radians(knee) / 2, np.radians(elbow)
    by_tip = dict.fromkeys(TIPS, UP) | {"left_hip": (1.0, 0.0, 0.0)}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        by_tip[f"{side}_shoulder"] = (0.94 * sign, 0.34, 0.0)
        by_tip[f"{side}_knee"] = (0.0, np.cos(half), -np.sin(half))
        by_tip[f"{side}_ankle"] = (0.0, np.cos(half), np.sin(half))
        by_tip[f"{side}_heel"], by_tip[f"{side}_toe"] = (0.0, 0.667, 0.745), (0.0, 0.271, -0.963)
        by_tip[f"{side}_elbow"] = (0.17 * sign, 0.985, 0.0)
        by_tip[f"{side}_wrist"] = (0.17 * sign, 0.985 * np.cos(bend), -np.sin(bend))
    turn = np.radians(heading)
    rotation = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    directions = np.array([by_tip[tip] for tip in TIPS]) @ rotation.T
    return directions / np.linalg.norm(directions, axis=-1, keepdims=True)


def scene(
    directions: Float[np.ndarray, "T 19 3"],
    times: Float[np.ndarray, " T"],
    root: Float[np.ndarray, "T 3"] | None = None,
) -> Scene:
    """A median man with these directions at ``ROOT``, with exact keypoints."""
    position = np.broadcast_to(ROOT, (len(times), 3)) if root is None else root
    points = State(position, directions).joints(adult("men").double().numpy())
    pixels = convert(CAMERA.project(points + position[:, None]), H36M21, COCO23)
    visible = np.isfinite(pixels).all(-1)
    track = Track2D(pixels, visible.astype(float), times, np.zeros(visible.shape, bool), 0, SIZE, COCO23)
    return Scene(track, Poses3D(points, times, position.copy(), H36M21))


def still(frames: int = 12, knee: float = 0.0, heading: float = 0.0, elbow: float = 0.0) -> Scene:
    """A person who stands still."""
    return scene(np.tile(standing(knee, heading, elbow), (frames, 1, 1)), np.arange(frames) / 30)


def moving(times: Float[np.ndarray, " T"], seed: int = 0) -> Scene:
    """A person who walks about, with every bone swinging slowly on its own path. Feet are rigid."""
    random = np.random.default_rng(seed)
    phase, speed, size = random.uniform(0, 6, (1, 19, 3)), random.uniform(1, 3, (1, 19, 3)), 0.25
    directions = standing(25.0, 35.0, 40.0) + size * np.sin(speed * times[:, None, None] + phase)
    for heel, toe in SOLES:
        turn = Rotation.from_rotvec(size * np.sin(speed[0, heel] * times[:, None] + phase[0, heel]))
        for part in (heel, toe):
            directions[:, part] = turn.apply(standing(heading=35.0)[part])
    root = ROOT + 0.3 * np.sin(np.outer(times, [0.8, 0.5, 0.6]))
    return scene(directions / np.linalg.norm(directions, axis=-1, keepdims=True), times, root)


def prediction(true: Scene, error: float, seed: int = 0) -> Poses3D:
    """A simulated prediction: ``error`` metres of normal noise, half of its variance constant over time."""
    random = np.random.default_rng(seed)
    shape = true.truth.points.shape
    noise = random.normal(0, error / 2**0.5, (1, *shape[1:])) + random.normal(0, error / 2**0.5, shape)
    noise[:, H36M21.root] = 0
    for foot in FEET:
        noise[:, foot] = noise[:, H36M21.parents[foot]] + noise[:, foot] / 3
    return Poses3D(true.truth.points + noise, true.truth.times, true.truth.root, H36M21)


def noisy(track: Track2D, pixels: float, seed: int = 0) -> Track2D:
    """Keypoints with normal noise of ``pixels``."""
    random = np.random.default_rng(seed)
    points = track.points + random.normal(0, pixels, track.points.shape)
    return replace(track, points=points)


def flexion(poses: Poses3D, middle: str = "knee") -> Float[np.ndarray, "T 2"]:
    """Flexion of the left and right knee or elbow, degrees."""
    above, below = ("hip", "ankle") if middle == "knee" else ("shoulder", "wrist")
    angles = []
    for side in ("left", "right"):
        a, b, c = (poses.points[:, H36M21.index(f"{side}_{part}")] for part in (above, middle, below))
        cosine = ((b - a) * (c - b)).sum(-1) / np.linalg.norm(b - a, axis=-1) / np.linalg.norm(c - b, axis=-1)
        angles.append(np.degrees(np.arccos(cosine.clip(-1, 1))))
    return np.stack(angles, -1)


def lengths(poses: Poses3D) -> Float[np.ndarray, "T 20"]:
    """Length of every bone, metres."""
    ends = np.array(H36M21.bones)
    return np.asarray(np.linalg.norm(poses.points[:, ends[:, 1]] - poses.points[:, ends[:, 0]], axis=-1))
