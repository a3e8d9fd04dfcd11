"""How far an upper arm or a thigh has turned about its own axis, over time.

Two points give a bone's direction, not its twist. The twist of an upper arm or a thigh follows from the bone below it,
because elbows and knees are hinges: the elbow's crook and the kneecap lie in the plane of the two bones. Where the limb
is almost straight, this plane is uncertain. So the twist is the most probable one, given

- the hinge, with a standard deviation that grows as the sine of its flexion falls,
- for a thigh, the foot, which points where the kneecap does, within some 20°,
- a weak preference for the smallest rotation from rest,
- and a random walk over time in which the bone turns about its axis no more than necessary.

A twist is a unit complex number, and the energy is quadratic in them: one Hermitian tridiagonal system. Limits: without
the constraint |z| = 1 this is an approximation, exact where the data agree.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex, Float
from scipy.linalg import solveh_banded

from kinelift.poses.kinematics.frames import across, smallest, unit

HINGE = 0.3
"""Radians: standard deviation of the twist that a hinge flexed by 90° shows in ``_FRAME`` seconds."""
TRUNK = 0.2
"""Radians: the same for the line of the shoulders or hips, perpendicular to the trunk."""
FOOT = 0.6
"""Radians: the same for a foot perpendicular to the thigh."""
PREFERENCE = 1.0
"""Radians: the same for the smallest rotation from rest."""
WALK = 3.0
"""Radians per square root of a second: how fast a twist may drift."""
_FRAME = 1 / 30


@dataclass(frozen=True, eq=False)
class Clue:
    """A direction near which the pole of a bone lies: the elbow's crook or the kneecap.

    Attributes:
        direction: Its part perpendicular to the bone, whose length is the weight; NaN where unknown.
        deviation: Radians: the standard deviation of a clue of length 1.
    """

    direction: Float[np.ndarray, "T 3"]
    deviation: float


def poles(
    bone: Float[np.ndarray, "T 3"],
    rest: tuple[Float[np.ndarray, " 3"], Float[np.ndarray, " 3"]],
    clues: tuple[Clue, ...],
    times: Float[np.ndarray, " T"],
) -> Float[np.ndarray, "T 3"]:
    """The direction perpendicular to a bone that shows its twist.

    Args:
        bone: Unit directions of the bone in the axes of the part that carries it, all known.
        rest: The bone's direction and its pole at rest.
        clues: What shows the pole, in the same axes.
        times: Seconds, increasing.
    """
    turned = smallest(np.broadcast_to(rest[0], bone.shape), bone)
    first = turned.apply(rest[1])
    second = np.cross(bone, first)
    interval = np.clip(np.diff(times, append=times[-1] + _FRAME), 1e-4, 1.0)
    share = interval / _FRAME
    weight = share * (1 + bone @ rest[0]) / 2 / PREFERENCE**2
    pulled = weight.astype(complex)
    for clue in clues:
        seen = np.nan_to_num(across(clue.direction, bone))
        phasor = (seen * first).sum(-1) + 1j * (seen * second).sum(-1)
        pulled += share * np.abs(phasor) * phasor / clue.deviation**2
        weight = weight + share * np.abs(phasor) ** 2 / clue.deviation**2
    steps = 1 / (WALK**2 * interval[:-1])
    z = _most_probable(weight, pulled, steps, _turns(bone, first, second))
    return unit(z.real[:, None] * first + z.imag[:, None] * second)


def _turns(
    bone: Float[np.ndarray, "T 3"], first: Float[np.ndarray, "T 3"], second: Float[np.ndarray, "T 3"]
) -> Complex[np.ndarray, " T-1"]:
    """How the axes ``first``, ``second`` of a frame see those of the frame before, moved without twist."""
    moved = smallest(bone[:-1], bone[1:]).apply(first[:-1])
    phasor = (moved * first[1:]).sum(-1) + 1j * (moved * second[1:]).sum(-1)
    return np.asarray(phasor / np.abs(phasor))


def _most_probable(
    weight: Float[np.ndarray, " T"],
    pulled: Complex[np.ndarray, " T"],
    steps: Float[np.ndarray, " T-1"],
    turns: Complex[np.ndarray, " T-1"],
) -> Complex[np.ndarray, " T"]:
    """Minimise Σ weight |z|² − 2 Re(z̄ pulled) + Σ steps |z₊ − turns z|², and scale to length 1."""
    diagonal = weight + 1e-9
    diagonal[:-1] += steps
    diagonal[1:] += steps
    below = np.append(-steps * turns, 0)
    if len(diagonal) == 1:
        return np.asarray(np.exp(1j * np.angle(pulled)))
    z = solveh_banded(np.stack([diagonal.astype(complex), below]), pulled, lower=True)
    length = np.abs(z)
    return np.where(length > 1e-9, z / np.maximum(length, 1e-9), 1.0)
