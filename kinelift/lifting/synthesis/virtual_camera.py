"""A clip of motion capture seen by one random camera, as the track that detector and tracker would produce."""

from math import ceil
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor

from kinelift.lifting.anthropometry import Population, draw
from kinelift.lifting.coordinates import turn
from kinelift.lifting.synthesis import random
from kinelift.lifting.synthesis.bank import BODY_JOINTS, COCO, KEYPOINTS, MOCAP
from kinelift.lifting.synthesis.body import apply_segment_lengths
from kinelift.lifting.synthesis.noise import NoiseSettings, apply_detector_offsets, corrupt
from kinelift.lifting.synthesis.trials import PIECE
from kinelift.lifting.synthesis.view import View, ViewSettings, draw_view
from kinelift.poses import Track2D
from kinelift.poses.camera import Camera

CANDIDATES = 32
"""Random cameras to choose from."""
MIN_DEPTH = 0.5
"""Metres. No joint is closer to a camera."""
LONG_SIDE = 1280
"""Pixels of the image's longer side."""

Points: TypeAlias = Float[Tensor, "T J 3"]


class ProjectedClip(NamedTuple):
    """The detected track, the true poses (metres relative to the root, camera axes), and the camera."""

    track: Track2D
    truth: Float[np.ndarray, "T K 3"]
    camera: Camera


def project_virtual_camera(
    points: Points, times: Float[Tensor, " T"], noise: NoiseSettings | None, generator: Generator
) -> ProjectedClip:
    """Show a clip, on a random body, to a random camera that keeps the person in view.

    Args:
        points: Joints in world metres, Y up.
        times: Times of the frames in seconds.
        noise: Detector errors, as measured after the tracker has filled gaps; None for exact keypoints.
        generator: Source of randomness.

    Returns:
        The track, with filled gaps marked as detected, and its ground truth.
    """
    points = apply_segment_lengths(points[None], draw(1, Population(), generator))[0]
    view, body = find_view(points - points[:, :1].mean(0), ViewSettings(), generator)
    plane, seen = _detect(body[:, COCO], view, times.to(points), noise, generator)
    focal = LONG_SIDE / 2 / view.half_size.max().item()
    width, height = (round(2 * focal * half) for half in view.half_size[0].tolist())
    camera = Camera.from_focal(focal, (width, height))
    pixels = plane.double().numpy() * focal + np.asarray(camera.centre)
    shown = np.where(seen.numpy()[..., None], pixels, np.nan)
    scores, filled = seen.double().numpy(), np.zeros(seen.shape, dtype=bool)
    track = Track2D(shown, scores, times.double().numpy(), filled, 0, (width, height), KEYPOINTS)
    truth = body[:, BODY_JOINTS] - body[:, MOCAP.root, None]
    return ProjectedClip(track, truth.double().numpy(), camera)


def find_view(points: Points, settings: ViewSettings, generator: Generator) -> tuple[View, Points]:
    """Find a random camera whose image contains all of a clip.

    Of ``CANDIDATES`` random cameras around the clip's origin, the one that needs to move back least is chosen and moved
    back as far as necessary.

    Returns:
        The camera, and the clip in its frame.
    """
    heading = random.rotation_about("y", random.uniform((CANDIDATES,), 0, random.FULL_TURN, generator))
    view = draw_view(CANDIDATES, settings, generator)
    bodies = view.to_camera(turn(points.expand(CANDIDATES, -1, -1, -1), heading))
    retreat = _required_retreat(bodies, view)
    best = int(retreat.argmin())
    translation = view.translation[best] * (1 + retreat[best])
    chosen = View(view.rotation[best, None], translation[None], view.half_size[best, None])
    return chosen, bodies[best] + translation - view.translation[best]


def _required_retreat(bodies: Float[Tensor, "B T J 3"], view: View) -> Float[Tensor, " B"]:
    """Compute how far, as a share of its distance, each camera must move back to have all joints in its image.

    Along the ray r of the origin a joint at x moves to x + s·r. It is inside if ±(x + s·r)ₓᵧ ≤ half · (x + s·r)_z.
    """
    ray, half = view.translation, view.half_size
    sides = torch.tensor([1.0, -1.0], device=ray.device)[:, None]
    outside = sides * bodies[..., None, :2] - half[:, None, None, None] * bodies[..., None, 2:]
    gain = half[:, None] * ray[:, None, 2:] - sides * ray[:, None, :2]
    needed = (outside.amax((1, 2)) / gain).amax((1, 2))
    near = (MIN_DEPTH - bodies[..., 2].amin((1, 2))) / ray[:, 2]
    return needed.maximum(near).clamp_min(0)


def _detect(
    joints: Float[Tensor, "T J 3"],
    view: View,
    times: Float[Tensor, " T"],
    noise: NoiseSettings | None,
    generator: Generator,
) -> tuple[Float[Tensor, "T J 2"], Bool[Tensor, "T J"]]:
    """Simulate the detector: keypoints on the plane z = 1, and which of them are visible.

    Errors are drawn for pieces of about four seconds, the duration over which they were measured.
    """
    if noise is None:
        return joints[..., :2] / joints[..., 2:], torch.ones(joints.shape[:2], dtype=torch.bool)
    flawed = random.bernoulli((1,), 1 - noise.clean, generator)
    shown = apply_detector_offsets(joints[None], flawed, noise, generator)
    plane = shown[..., :2] / shown[..., 2:]
    pieces = max(1, ceil(float(times[-1] - times[0]) / PIECE))
    detections = [
        corrupt(part, view.inside(part), flawed, at, noise, generator)
        for part, at in zip(plane.tensor_split(pieces, 1), times.tensor_split(pieces), strict=True)
    ]
    points, seen = (torch.cat(parts, 1)[0] for parts in zip(*detections, strict=True))
    return points, seen
