"""A whole clip of motion capture before one random camera: the track that detector and tracker would hand on."""

from math import ceil
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor

from kinelift.lifting.anthropometry import Population, draw
from kinelift.lifting.coordinates import turn
from kinelift.lifting.measuring.trials import PIECE
from kinelift.lifting.synthesis import random
from kinelift.lifting.synthesis.bank import COCO, MOCAP, TARGET
from kinelift.lifting.synthesis.body import embodied
from kinelift.lifting.synthesis.noise import NoiseSettings, corrupted, displaced
from kinelift.lifting.synthesis.view import View, ViewSettings, draw_view
from kinelift.poses import Track2D
from kinelift.poses.camera import Camera

TRIED = 32
"""Random cameras from which one is chosen."""
NEAREST = 0.5
"""Metres: no joint comes nearer to a camera."""
LONG_SIDE = 1280
"""Pixels."""

Motion = Float[Tensor, "T J 3"]


class Shot(NamedTuple):
    """The person as found, the true poses (relative to the root, metres, camera axes), and the camera."""

    track: Track2D
    truth: Float[np.ndarray, "T K 3"]
    camera: Camera


def film(points: Motion, times: Float[Tensor, " T"], noise: NoiseSettings | None, generator: Generator) -> Shot:
    """A clip (world metres, Y up, at ``times`` in seconds) before a camera that keeps all of the person in view.

    The track is one that the tracker has filled already: ``noise`` was measured behind it. Without noise every joint
    is seen exactly. The body is drawn, too.
    """
    points = embodied(points[None], draw(1, Population(), generator))[0]
    view, body = framed(points - points[:, :1].mean(0), ViewSettings(), generator)
    plane, seen = _found(body[:, COCO], view, times.to(points), noise, generator)
    focal = LONG_SIDE / 2 / view.half.max().item()
    width, height = (round(2 * focal * half) for half in view.half[0].tolist())
    camera = Camera.from_focal(focal, (width, height))
    pixels = plane.double().numpy() * focal + np.asarray(camera.centre)
    shown = np.where(seen.numpy()[..., None], pixels, np.nan)
    scores, filled = seen.double().numpy(), np.zeros(seen.shape, dtype=bool)
    track = Track2D(shown, scores, times.double().numpy(), filled, 0, (width, height))
    truth = body[:, TARGET] - body[:, MOCAP.root, None]
    return Shot(track, truth.double().numpy(), camera)


def framed(points: Motion, settings: ViewSettings, generator: Generator) -> tuple[View, Motion]:
    """A random camera that has all of a clip in its picture, and the clip in that camera's axes.

    It is the first that does among ``TRIED``; where none does, the one that has to step back least steps back. A clip
    is filmed from any side; its origin is what the cameras are drawn around.
    """
    heading = random.about("y", random.uniform((TRIED,), 0, random.FULL_TURN, generator))
    view = draw_view(TRIED, settings, generator)
    bodies = view.camera_frame(turn(points.expand(TRIED, -1, -1, -1), heading))
    farther = _farther(bodies, view)
    best = int(farther.argmin())
    place = view.place[best] * (1 + farther[best])
    chosen = View(view.rotation[best, None], place[None], view.half[best, None])
    return chosen, bodies[best] + place - view.place[best]


def _farther(bodies: Float[Tensor, "B T J 3"], view: View) -> Float[Tensor, " B"]:
    """The share of its distance that each camera has to step back for everything to be in its picture.

    Along the ray r of the origin a joint at x moves to x + s·r, and is inside where ±(x + s·r)ₓᵧ ≤ half · (x + s·r)_z.
    """
    ray, half = view.place, view.half
    sides = torch.tensor([1.0, -1.0], device=ray.device)[:, None]
    outside = sides * bodies[..., None, :2] - half[:, None, None, None] * bodies[..., None, 2:]
    gained = half[:, None] * ray[:, None, 2:] - sides * ray[:, None, :2]
    needed = (outside.amax((1, 2)) / gained).amax((1, 2))
    near = (NEAREST - bodies[..., 2].amin((1, 2))) / ray[:, 2]
    return needed.maximum(near).clamp_min(0)


def _found(
    joints: Float[Tensor, "T J 3"],
    view: View,
    times: Float[Tensor, " T"],
    noise: NoiseSettings | None,
    generator: Generator,
) -> tuple[Float[Tensor, "T J 2"], Bool[Tensor, "T J"]]:
    """Keypoints on the plane z = 1, and which are seen. Mistakes are drawn anew for every piece of about four seconds.

    That is the time over which they were measured.
    """
    if noise is None:
        return joints[..., :2] / joints[..., 2:], torch.ones(joints.shape[:2], dtype=torch.bool)
    flawed = random.chance((1,), 1 - noise.clean, generator)
    shown = displaced(joints[None], flawed, noise, generator)
    plane = shown[..., :2] / shown[..., 2:]
    pieces = max(1, ceil(float(times[-1] - times[0]) / PIECE))
    found = [
        corrupted(part, view.inside(part), flawed, at, noise, generator)
        for part, at in zip(plane.tensor_split(pieces, 1), times.tensor_split(pieces), strict=True)
    ]
    points, seen = (torch.cat(parts, 1)[0] for parts in zip(*found, strict=True))
    return points, seen
