"""Augmentation of motion capture: limbs and upper bodies turned about the joint that carries them."""

from math import radians

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from kinelift.lifting.synthesis import random
from kinelift.lifting.synthesis.bank import MOCAP


def _below(joint: int) -> tuple[int, ...]:
    """All joints that ``joint`` carries."""
    found = {joint}
    for k, parent in enumerate(MOCAP.parents):  # a parent comes before its children
        if parent in found:
            found.add(k)
    return tuple(sorted(found - {joint}))


TURNED = {
    pivot: _below(MOCAP.index(pivot)) for pivot in ("spine", "left_shoulder", "right_shoulder", "left_hip", "right_hip")
}
"""Joints that turn about each pivot. The spine comes first, because it carries the shoulders."""


def swing_limbs(
    points: Float[Tensor, "B R J 3"], share: float, spread: float, generator: Generator
) -> Float[Tensor, "B R J 3"]:
    """Turn arms, legs and upper bodies, in some samples, so that postures occur which nobody recorded.

    A turn is constant over the window, so movement stays smooth; knees and elbows keep their angles.

    Args:
        points: Joints of ``MOCAP`` in metres, in any frame.
        share: Share of samples that are changed, for each of ``TURNED`` on its own.
        spread: Standard deviation of the turn about each of three axes, degrees.
        generator: Source of randomness.
    """
    for pivot, moved in TURNED.items():
        use = random.bernoulli((len(points), 1), share, generator)
        turn = random.small_rotations(torch.where(use, radians(spread), 0.0), generator)
        centre = points[:, :, MOCAP.index(pivot), None]
        turned = centre + (points[:, :, moved] - centre) @ turn[:, None].transpose(-1, -2)
        points = points.clone()
        points[:, :, moved] = turned
    return points
