"""Bodies that the motion capture does not hold: other proportions, other combinations, other orientations."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from lifting.coordinates import turn
from lifting.synthesis import random
from lifting.synthesis.bank import FACE, JOINTS
from poses import H36M17

_NECK = H36M17.index("neck")
PARENTS = H36M17.parents + (_NECK,) * len(FACE)
"""Parent of each of the 22 joints; face points hang on the head bone's lower end."""

LOWER = tuple(j for j, name in enumerate(JOINTS) if name.split("_")[-1] in ("hip", "knee", "ankle"))
UPPER = tuple(j for j in range(len(JOINTS)) if j not in LOWER)


def _other(name: str) -> str:
    swap = {"left": "right", "right": "left"}
    side, _, rest = name.partition("_")
    return f"{swap[side]}_{rest}" if side in swap else name


MIRROR = tuple(JOINTS.index(_other(name)) for name in JOINTS)
_TWIN = tuple(min(j, MIRROR[j]) for j in range(len(JOINTS)))


@dataclass(frozen=True)
class BodySettings:
    """How far bodies are varied. Angles in degrees."""

    mix: float = 0.4
    """Share of samples whose upper body comes from another clip."""
    bones: float = 0.12
    """Uniform ± of every bone's length, the same on both sides."""
    size: float = 0.08
    """Uniform ± of the whole body's size."""
    tilt: float = 6.0
    """Standard deviation of the body's tilt."""
    tumble: float = 0.2
    """Share of samples turned to any orientation: people lie down and do handstands."""


def mixed(lower: Float[Tensor, "B R 22 3"], upper: Float[Tensor, "B R 22 3"]) -> Float[Tensor, "B R 22 3"]:
    """The legs of one clip under the trunk, arms and head of another, which turns with the hips of the first.

    Where hips are too steep for a heading (lying on a side), ``lower`` stays as it is.
    """
    left, right, hip = JOINTS.index("left_hip"), JOINTS.index("right_hip"), JOINTS.index("hip")
    axis = [motion[:, :, left] - motion[:, :, right] for motion in (lower, upper)]
    level = torch.stack([a[..., [0, 2]].norm(dim=-1) / a.norm(dim=-1).clamp_min(1e-6) for a in axis])
    usable = (level > 0.7).all(2).all(0)
    heading = [torch.atan2(-a[..., 2], a[..., 0]) for a in axis]
    turn = random.about("y", heading[0] - heading[1])
    trunk = (upper[:, :, UPPER] - upper[:, :, hip, None]) @ turn.transpose(-1, -2)
    out = lower.clone()
    out[:, :, UPPER] = lower[:, :, hip, None] + trunk
    return torch.where(usable[:, None, None, None], out, lower)


def reshaped(points: Float[Tensor, "B R 22 3"], factors: Float[Tensor, "B 22"]) -> Float[Tensor, "B R 22 3"]:
    """The same joint directions with every bone's length times its factor (that of the bone's lower end)."""
    parents = torch.tensor([max(p, 0) for p in PARENTS], device=points.device)
    bones = (points - points[:, :, parents]) * factors[:, None, :, None]
    bones[:, :, 0] = points[:, :, 0]
    return torch.einsum("jk,brkc->brjc", _ancestors().to(points), bones)


def _ancestors() -> Float[Tensor, "22 22"]:
    """Row j marks the bones between the root and joint j."""
    chain = torch.zeros(len(PARENTS), len(PARENTS))
    for j, parent in enumerate(PARENTS):
        if parent >= 0:
            chain[j] = chain[parent]
        chain[j, j] = 1
    return chain


def mirrored(points: Float[Tensor, "B R 22 3"]) -> Float[Tensor, "B R 22 3"]:
    """Left and right exchanged."""
    return points[:, :, MIRROR] * points.new_tensor([-1.0, 1.0, 1.0])


def varied(
    points: Float[Tensor, "B R 22 3"], settings: BodySettings, generator: Generator
) -> Float[Tensor, "B R 22 3"]:
    """Other proportions, a mirror for every second sample, another orientation; the hip of the middle frame at 0."""
    count = len(points)
    bones = random.uniform((count, len(JOINTS)), 1 - settings.bones, 1 + settings.bones, generator)[:, _TWIN]
    size = random.uniform((count, 1), 1 - settings.size, 1 + settings.size, generator)
    points = reshaped(points, bones * size)
    flip = random.chance((count, 1, 1, 1), 0.5, generator)
    points = torch.where(flip, mirrored(points), points)
    points = points - points[:, points.shape[1] // 2, None, :1]
    return turn(points, orientation(count, settings, generator))


def orientation(count: int, settings: BodySettings, generator: Generator) -> Float[Tensor, "B 3 3"]:
    """Any heading with a slight tilt; for a share of ``settings.tumble``, any orientation at all."""
    yaw = random.about("y", random.uniform((count,), 0, random.FULL_TURN, generator))
    lean = torch.deg2rad(settings.tilt * random.normal((2, count), generator))
    upright = random.about("x", lean[0]) @ random.about("z", lean[1]) @ yaw
    tumbled = random.chance((count, 1, 1), settings.tumble, generator)
    return torch.where(tumbled, random.rotation(count, generator), upright)
