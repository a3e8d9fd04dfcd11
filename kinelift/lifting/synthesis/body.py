"""Bodies that the motion capture does not hold: other proportions, other combinations, other orientations."""

from dataclasses import dataclass, field
from math import radians

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor

from kinelift.lifting.anthropometry import SEGMENT_OF, SEGMENTS, Population, draw, typical
from kinelift.lifting.coordinates import turn
from kinelift.lifting.synthesis import random
from kinelift.lifting.synthesis.bank import MOCAP

LOWER = tuple(j for j, name in enumerate(MOCAP.joints) if name.split("_")[-1] in ("hip", "knee", "ankle"))
UPPER = tuple(j for j in range(len(MOCAP)) if j not in LOWER)


LIMBS = {"leg": ("hip", "knee", "ankle"), "arm": ("shoulder", "elbow", "wrist")}
SLIGHT = radians(45)
"""Limbs that bend more are left as they are."""
DEEPER = radians(15), radians(120)
"""How much further the knees of the ``crouched`` bend."""
DEEPEST = radians(145)


@dataclass(frozen=True)
class BodySettings:
    """Whose bodies they are, and how far postures are varied. Angles in degrees."""

    population: Population = field(default_factory=Population)
    mix: float = 0.4
    """Share of samples whose upper body comes from another clip."""
    straight: float = 0.45
    """Share of samples in which legs that bend little are made straight, or nearly so; half as many for arms."""
    crouched: float = 0.1
    """Share of samples in which both knees bend by 15° to 120° more, the feet where they were below the hips."""
    still: float = 0.12
    """Share of samples in which the person does not move."""
    low: float = 0.15
    """Share of samples taken from where people sit, squat, kneel or lie."""
    tilt: float = 6.0
    """Standard deviation of the body's tilt."""
    tumble: float = 0.2
    """Share of samples turned to any orientation: people lie down and do handstands."""


def mixed(lower: Float[Tensor, "B R J 3"], upper: Float[Tensor, "B R J 3"]) -> Float[Tensor, "B R J 3"]:
    """The legs of one clip under the trunk, arms and head of another, which turns with the hips of the first.

    Where hips are too steep for a heading (lying on a side), ``lower`` stays as it is.
    """
    left, right, hip = MOCAP.index("left_hip"), MOCAP.index("right_hip"), MOCAP.index("hip")
    axis = [motion[:, :, left] - motion[:, :, right] for motion in (lower, upper)]
    level = torch.stack([a[..., [0, 2]].norm(dim=-1) / a.norm(dim=-1).clamp_min(1e-6) for a in axis])
    usable = (level > 0.7).all(2).all(0)
    heading = [torch.atan2(-a[..., 2], a[..., 0]) for a in axis]
    turn = random.about("y", heading[0] - heading[1])
    trunk = (upper[:, :, UPPER] - upper[:, :, hip, None]) @ turn.transpose(-1, -2)
    out = lower.clone()
    out[:, :, UPPER] = lower[:, :, hip, None] + trunk
    return torch.where(usable[:, None, None, None], out, lower)


def reshaped(points: Float[Tensor, "B R J 3"], factors: Float[Tensor, "B J"]) -> Float[Tensor, "B R J 3"]:
    """The same joint directions with every bone's length times its factor (that of the bone's lower end)."""
    parents = torch.tensor([max(p, 0) for p in MOCAP.parents], device=points.device)
    bones = (points - points[:, :, parents]) * factors[:, None, :, None]
    bones[:, :, 0] = points[:, :, 0]
    return torch.einsum("jk,brkc->brjc", _ancestors().to(points), bones)


def _ancestors() -> Float[Tensor, "J J"]:
    """Row j marks the bones between the root and joint j."""
    chain = torch.zeros(len(MOCAP), len(MOCAP))
    for j, parent in enumerate(MOCAP.parents):
        if parent >= 0:
            chain[j] = chain[parent]
        chain[j, j] = 1
    return chain


def mirrored(points: Float[Tensor, "B R J 3"]) -> Float[Tensor, "B R J 3"]:
    """Left and right exchanged."""
    return points[:, :, list(MOCAP.mirror)] * points.new_tensor([-1.0, 1.0, 1.0])


def straightened(
    points: Float[Tensor, "B R J 3"], settings: BodySettings, generator: Generator
) -> Float[Tensor, "B R J 3"]:
    """Limbs straight, or bent by up to 15 % of what they were, in some samples; the middle frame decides.

    Their ends stay in the same direction. Nobody's standing leg is bent, and motion capture seldom says so.
    """
    out = points.clone()
    for limb, share in (("leg", settings.straight), ("arm", settings.straight / 2)):
        chosen = random.chance((len(points), 1), share, generator)
        for side in ("left", "right"):
            chain = points[:, :, [MOCAP.index(f"{side}_{part}") for part in LIMBS[limb]]]
            keep = random.uniform((len(points), 1), 0.0, 0.15, generator)
            bend = flexion(chain)
            little = (bend[:, points.shape[1] // 2] < SLIGHT)[:, None]
            new = torch.where(chosen & little, bend * torch.where(bend < SLIGHT, keep, (bend - SLIGHT) / bend), bend)
            out[:, :, [MOCAP.index(f"{side}_{part}") for part in LIMBS[limb][1:]]] = rebent(chain, new)
    return out


def crouched(
    points: Float[Tensor, "B R J 3"], settings: BodySettings, generator: Generator
) -> Float[Tensor, "B R J 3"]:
    """Knees bent further in some samples of people on straight legs, as in squats; hips and feet keep their directions.

    From the front that looks like short legs, and only proportions tell.
    """
    out, count = points.clone(), len(points)
    chosen = random.chance((count, 1), settings.crouched, generator)
    more = random.uniform((count, 1), *DEEPER, generator)
    hips = points[:, :, MOCAP.index("left_hip")] - points[:, :, MOCAP.index("right_hip")]
    for side in ("left", "right"):
        first, *rest = (MOCAP.index(f"{side}_{part}") for part in LIMBS["leg"])
        chain = points[:, :, [first, *rest]]
        forward = torch.linalg.cross(hips, points[:, :, first] - points[:, :, rest[1]])
        bend = flexion(chain)
        use = chosen & (bend[:, points.shape[1] // 2] < SLIGHT)[:, None]
        knee = chain[:, :, 1] - chain[:, :, 0] + torch.nn.functional.normalize(forward, dim=-1)
        deeper = rebent(chain, (bend + more).clamp(max=DEEPEST), knee)
        out[:, :, rest] = torch.where(use[..., None, None], deeper, out[:, :, rest])
    return out


def flexion(chain: Float[Tensor, "B R 3 3"]) -> Float[Tensor, "B R"]:
    """Radians between the two bones of a limb; 0 is straight."""
    upper, lower = (torch.nn.functional.normalize(chain[:, :, k + 1] - chain[:, :, k], dim=-1) for k in (0, 1))
    return torch.atan2(torch.linalg.cross(upper, lower).norm(dim=-1), (upper * lower).sum(-1))


def rebent(
    chain: Float[Tensor, "B R 3 3"], bend: Float[Tensor, "B R"], towards: Float[Tensor, "B R 3"] | None = None
) -> Float[Tensor, "B R 2 3"]:
    """Middle and end of a limb that bends by ``bend`` (radians), its end in the same direction.

    It bends in its own plane, or, if given, ``towards`` a direction.
    """
    first, middle, last = chain.unbind(2)
    upper, lower = (middle - first).norm(dim=-1), (last - middle).norm(dim=-1)
    reach = (upper.square() + lower.square() + 2 * upper * lower * bend.cos()).sqrt().clamp_min(1e-4)
    along = torch.nn.functional.normalize(last - first, dim=-1)
    knee = middle - first if towards is None else towards
    aside = torch.nn.functional.normalize(knee - (knee * along).sum(-1, keepdim=True) * along, dim=-1)
    cosine = ((upper.square() + reach.square() - lower.square()) / (2 * upper * reach)).clamp(-1, 1)
    sine = (1 - cosine.square()).clamp_min(0).sqrt()
    knee = upper[..., None] * (cosine[..., None] * along + sine[..., None] * aside)
    return torch.stack([first + knee, first + reach[..., None] * along], 2)


def stilled(points: Float[Tensor, "B R J 3"], settings: BodySettings, generator: Generator) -> Float[Tensor, "B R J 3"]:
    """The middle frame throughout, in some samples."""
    still = random.chance((len(points), 1, 1, 1), settings.still, generator)
    return torch.where(still, points[:, points.shape[1] // 2, None], points)


def low(points: Float[Tensor, "F J 3"]) -> Bool[Tensor, " F"]:
    """Whether people (world metres, Y up) sit, squat, kneel or lie: hips near the height of a foot, or the trunk flat.

    Near: less than 0.6 of a leg. Flat: more than 60° off the vertical.
    """
    at = {name: points[:, j] for j, name in enumerate(MOCAP.joints)}
    leg = (at["left_knee"] - at["left_hip"]).norm(dim=-1) + (at["left_ankle"] - at["left_knee"]).norm(dim=-1)
    rise = at["hip"][:, 1] - torch.minimum(at["left_ankle"][:, 1], at["right_ankle"][:, 1])
    trunk = torch.nn.functional.normalize(at["thorax"] - at["hip"], dim=-1)[:, 1]
    return (rise < 0.6 * leg) | (trunk < 0.5)


def embodied(points: Float[Tensor, "B R J 3"], lengths: Float[Tensor, "B 10"]) -> Float[Tensor, "B R J 3"]:
    """Motion of the typical body, as prepared files have it, on bodies of these ``SEGMENTS`` (metres)."""
    factors = lengths / typical().to(lengths)
    columns = [SEGMENTS.index(SEGMENT_OF.get(name, "head")) for name in MOCAP.joints]
    return reshaped(points, factors[:, columns])


def varied(points: Float[Tensor, "B R J 3"], settings: BodySettings, generator: Generator) -> Float[Tensor, "B R J 3"]:
    """Somebody else's body, straighter or still in some samples, a mirror for every second, turned another way.

    The hip of the middle frame is at 0.
    """
    count = len(points)
    points = crouched(straightened(points, settings, generator), settings, generator)
    points = stilled(points, settings, generator)
    points = embodied(points, draw(count, settings.population, generator))
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
