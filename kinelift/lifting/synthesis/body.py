"""Augmentation of motion capture: other body proportions, combinations of clips, postures and orientations."""

from dataclasses import dataclass, field
from math import radians

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor

from kinelift.lifting.anthropometry import SEGMENT_OF, SEGMENTS, Population, draw, typical
from kinelift.lifting.coordinates import turn
from kinelift.lifting.synthesis import random
from kinelift.lifting.synthesis.bank import MOCAP

LOWER = tuple(
    j for j, name in enumerate(MOCAP.joints) if name.split("_")[-1] in ("hip", "knee", "ankle", "heel", "toe")
)
UPPER = tuple(j for j in range(len(MOCAP)) if j not in LOWER)

LIMBS = {"leg": ("hip", "knee", "ankle"), "arm": ("shoulder", "elbow", "wrist")}
FOOT = ("heel", "big_toe", "small_toe")
MAX_SLIGHT_FLEXION = radians(45)
"""Radians. Limbs with more flexion are not changed."""
ADDED_FLEXION = radians(15), radians(120)
"""Radians. Range of the flexion that ``bend_knees`` adds."""
MAX_FLEXION = radians(145)
"""Radians. Limit of knee flexion."""


@dataclass(frozen=True)
class BodySettings:
    """Distribution of bodies, postures and orientations. Angles are in degrees."""

    population: Population = field(default_factory=Population)
    mix: float = 0.4
    """Share of samples whose upper body comes from another clip."""
    straight: float = 0.45
    """Share of samples in which slightly bent legs are (nearly) straightened. For arms the share is half of it."""
    crouched: float = 0.1
    """Share of samples in which both knees bend by 15° to 120° more, with the feet still below the hips."""
    still: float = 0.12
    """Share of samples in which the person does not move."""
    low: float = 0.15
    """Share of samples drawn from frames in which people sit, squat, kneel or lie."""
    tilt: float = 6.0
    """Standard deviation of the body's tilt."""
    tumble: float = 0.2
    """Share of samples with a uniformly random orientation: people lie down and do handstands."""


def replace_upper_body(lower: Float[Tensor, "B R J 3"], upper: Float[Tensor, "B R J 3"]) -> Float[Tensor, "B R J 3"]:
    """Combine the legs of one clip with the trunk, arms and head of another, turned to the heading of the first.

    Samples in which a hip axis is too steep to have a heading (lying on the side) are returned as in ``lower``.
    """
    left, right, hip = MOCAP.index("left_hip"), MOCAP.index("right_hip"), MOCAP.index("hip")
    axis = [motion[:, :, left] - motion[:, :, right] for motion in (lower, upper)]
    level = torch.stack([a[..., [0, 2]].norm(dim=-1) / a.norm(dim=-1).clamp_min(1e-6) for a in axis])
    usable = (level > 0.7).all(2).all(0)
    heading = [torch.atan2(-a[..., 2], a[..., 0]) for a in axis]
    rotation = random.rotation_about("y", heading[0] - heading[1])
    trunk = (upper[:, :, UPPER] - upper[:, :, hip, None]) @ rotation.transpose(-1, -2)
    out = lower.clone()
    out[:, :, UPPER] = lower[:, :, hip, None] + trunk
    return torch.where(usable[:, None, None, None], out, lower)


def scale_bones(points: Float[Tensor, "B R J 3"], factors: Float[Tensor, "B J"]) -> Float[Tensor, "B R J 3"]:
    """Multiply the length of every bone by the factor of its lower joint, and keep the bone's direction."""
    parents = torch.tensor([max(p, 0) for p in MOCAP.parents], device=points.device)
    bones = (points - points[:, :, parents]) * factors[:, None, :, None]
    bones[:, :, 0] = points[:, :, 0]
    return torch.einsum("jk,brkc->brjc", _ancestors().to(points), bones)


def _ancestors() -> Float[Tensor, "J J"]:
    """Build a matrix whose row j marks the bones between the root and joint j."""
    chain = torch.zeros(len(MOCAP), len(MOCAP))
    for j, parent in enumerate(MOCAP.parents):
        if parent >= 0:
            chain[j] = chain[parent]
        chain[j, j] = 1
    return chain


def mirror(points: Float[Tensor, "B R J 3"]) -> Float[Tensor, "B R J 3"]:
    """Exchange left and right."""
    return points[:, :, list(MOCAP.mirror)] * points.new_tensor([-1.0, 1.0, 1.0])


def straighten_limbs(
    points: Float[Tensor, "B R J 3"], settings: BodySettings, generator: Generator
) -> Float[Tensor, "B R J 3"]:
    """Straighten limbs to at most 15 % of their flexion, in some samples. The middle frame decides.

    The direction from the first joint to the last stays. People stand on straight legs, which motion capture rarely
    records as straight.
    """
    out = points.clone()
    for limb, share in (("leg", settings.straight), ("arm", settings.straight / 2)):
        selected = random.bernoulli((len(points), 1), share, generator)
        for side in ("left", "right"):
            chain = points[:, :, [MOCAP.index(f"{side}_{part}") for part in LIMBS[limb]]]
            factor = random.uniform((len(points), 1), 0.0, 0.15, generator)
            bend = flexion(chain)
            slight = (bend[:, points.shape[1] // 2] < MAX_SLIGHT_FLEXION)[:, None]
            reduced = bend * torch.where(bend < MAX_SLIGHT_FLEXION, factor, (bend - MAX_SLIGHT_FLEXION) / bend)
            new = torch.where(selected & slight, reduced, bend)
            out[:, :, [MOCAP.index(f"{side}_{part}") for part in LIMBS[limb][1:]]] = bend_limb(chain, new)
    return carry_feet(out, points)


def carry_feet(out: Float[Tensor, "B R J 3"], points: Float[Tensor, "B R J 3"]) -> Float[Tensor, "B R J 3"]:
    """Move the feet of ``out`` along with its ankles, which were where ``points`` has them. They do not turn."""
    for side in ("left", "right"):
        ankle = MOCAP.index(f"{side}_ankle")
        foot = [MOCAP.index(f"{side}_{part}") for part in FOOT]
        out[:, :, foot] = points[:, :, foot] + (out[:, :, ankle] - points[:, :, ankle])[:, :, None]
    return out


def bend_knees(
    points: Float[Tensor, "B R J 3"], settings: BodySettings, generator: Generator
) -> Float[Tensor, "B R J 3"]:
    """Bend the knees further, as in squats, in some samples with straight legs.

    The direction from hip to ankle stays. From the front this looks like short legs, so only the body's proportions
    distinguish the two.
    """
    out, count = points.clone(), len(points)
    selected = random.bernoulli((count, 1), settings.crouched, generator)
    added = random.uniform((count, 1), *ADDED_FLEXION, generator)
    hips = points[:, :, MOCAP.index("left_hip")] - points[:, :, MOCAP.index("right_hip")]
    for side in ("left", "right"):
        first, *rest = (MOCAP.index(f"{side}_{part}") for part in LIMBS["leg"])
        chain = points[:, :, [first, *rest]]
        forward = torch.linalg.cross(hips, points[:, :, first] - points[:, :, rest[1]])
        bend = flexion(chain)
        use = selected & (bend[:, points.shape[1] // 2] < MAX_SLIGHT_FLEXION)[:, None]
        knee = chain[:, :, 1] - chain[:, :, 0] + torch.nn.functional.normalize(forward, dim=-1)
        deeper = bend_limb(chain, (bend + added).clamp(max=MAX_FLEXION), knee)
        out[:, :, rest] = torch.where(use[..., None, None], deeper, out[:, :, rest])
    return carry_feet(out, points)


def flexion(chain: Float[Tensor, "B R 3 3"]) -> Float[Tensor, "B R"]:
    """Compute the angle between the two bones of a limb in radians; 0 is straight."""
    upper, lower = (torch.nn.functional.normalize(chain[:, :, k + 1] - chain[:, :, k], dim=-1) for k in (0, 1))
    return torch.atan2(torch.linalg.cross(upper, lower).norm(dim=-1), (upper * lower).sum(-1))


def bend_limb(
    chain: Float[Tensor, "B R 3 3"], bend: Float[Tensor, "B R"], towards: Float[Tensor, "B R 3"] | None = None
) -> Float[Tensor, "B R 2 3"]:
    """Place the middle and end joints of a limb with a given flexion; the direction to its end stays.

    Args:
        chain: The three joints of the limb.
        bend: Flexion in radians.
        towards: Direction in which the middle joint moves; by default the limb bends in its present plane.

    Returns:
        The middle and the end joint.
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


def freeze_motion(
    points: Float[Tensor, "B R J 3"], settings: BodySettings, generator: Generator
) -> Float[Tensor, "B R J 3"]:
    """Repeat the middle frame throughout the window, in some samples."""
    still = random.bernoulli((len(points), 1, 1, 1), settings.still, generator)
    return torch.where(still, points[:, points.shape[1] // 2, None], points)


def is_low_posture(points: Float[Tensor, "F J 3"]) -> Bool[Tensor, " F"]:
    """Tell in which frames people sit, squat, kneel or lie.

    The hips are less than 0.6 leg lengths above the lower ankle, or the trunk is more than 60° from vertical.

    Args:
        points: World metres, Y up.
    """
    at = {name: points[:, j] for j, name in enumerate(MOCAP.joints)}
    leg = (at["left_knee"] - at["left_hip"]).norm(dim=-1) + (at["left_ankle"] - at["left_knee"]).norm(dim=-1)
    rise = at["hip"][:, 1] - torch.minimum(at["left_ankle"][:, 1], at["right_ankle"][:, 1])
    trunk = torch.nn.functional.normalize(at["thorax"] - at["hip"], dim=-1)[:, 1]
    lowered: Tensor = (rise < 0.6 * leg) | (trunk < 0.5)
    return lowered


def apply_segment_lengths(points: Float[Tensor, "B R J 3"], lengths: Float[Tensor, "B 12"]) -> Float[Tensor, "B R J 3"]:
    """Transfer motion from the typical body of prepared files to bodies with these ``SEGMENTS`` (metres)."""
    factors = lengths / typical().to(lengths)
    names = [name.replace("big_toe", "toe").replace("small_toe", "toe") for name in MOCAP.joints]
    columns = [SEGMENTS.index(SEGMENT_OF.get(name, "head")) for name in names]
    return scale_bones(points, factors[:, columns])


def augment(points: Float[Tensor, "B R J 3"], settings: BodySettings, generator: Generator) -> Float[Tensor, "B R J 3"]:
    """Vary posture, movement, body, handedness and orientation at random.

    Returns:
        Poses with the hip of the middle frame at the origin.
    """
    count = len(points)
    points = bend_knees(straighten_limbs(points, settings, generator), settings, generator)
    points = freeze_motion(points, settings, generator)
    points = apply_segment_lengths(points, draw(count, settings.population, generator))
    flip = random.bernoulli((count, 1, 1, 1), 0.5, generator)
    points = torch.where(flip, mirror(points), points)
    points = points - points[:, points.shape[1] // 2, None, :1]
    return turn(points, random_orientation(count, settings, generator))


def random_orientation(count: int, settings: BodySettings, generator: Generator) -> Float[Tensor, "B 3 3"]:
    """Draw orientations: a random heading with a slight tilt, or, for ``settings.tumble``, any orientation."""
    yaw = random.rotation_about("y", random.uniform((count,), 0, random.FULL_TURN, generator))
    lean = torch.deg2rad(settings.tilt * random.normal((2, count), generator))
    upright = random.rotation_about("x", lean[0]) @ random.rotation_about("z", lean[1]) @ yaw
    tumbled = random.bernoulli((count, 1, 1), settings.tumble, generator)
    return torch.where(tumbled, random.uniform_rotations(count, generator), upright)
