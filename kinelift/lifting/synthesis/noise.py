"""The mistakes of a 2D detector, drawn at random over a window of COCO-17 keypoints."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor

from kinelift.lifting.synthesis import random
from kinelift.lifting.synthesis.offsets import FIRST, OFFSETS, PARTS, SPREADS, moved, signed
from kinelift.poses import COCO17

_SPREAD = {
    "nose": 0.79, "eye": 0.75, "ear": 0.70, "shoulder": 1.27, "elbow": 1.37, "wrist": 1.37, "hip": 1.09, "knee": 1.25,
    "ankle": 1.28,
}  # fmt: skip
SPREAD = tuple(_SPREAD[name.split("_")[-1]] for name in COCO17.joints)
"""How far each keypoint strays, beside the others: the face least. As measured on ``full``, the mean of two benchmarks:
on real video by ``benchmarks.keypoints.keypoint_noise`` (three readings), against truth by
``benchmarks.keypoints.calibrated_noise``."""

FACE = tuple(j for j, name in enumerate(COCO17.joints) if name.split("_")[-1] in ("nose", "eye", "ear"))

THIGH = 0.427
"""Metres: the thigh of the body that ``OFFSETS`` are of (ANSUR II, at 1.75 m)."""
_HIP, _KNEE = COCO17.index("left_hip"), COCO17.index("left_knee")

LIMBS = tuple(
    tuple(COCO17.index(f"{side}_{part}") for part in parts)
    for parts in (("elbow", "wrist"), ("knee", "ankle"))
    for side in ("left", "right")
)
WHOLE = tuple(
    tuple(COCO17.index(f"{side}_{part}") for part in parts)
    for parts in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle"))
    for side in ("left", "right")
)
"""Arms with the shoulder, and legs with the hip."""
_GROUPS = tuple(
    tuple(j for j, name in enumerate(COCO17.joints) if name.split("_")[-1] in parts)
    for parts in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle"))
)
ARMS, LEGS = _GROUPS


@dataclass(frozen=True)
class NoiseSettings:
    """Sizes are shares of the person's size (root mean square distance of joints from their mean, about 0.45 m)."""

    clean: float = 0.25
    """Share of samples with nothing wrong."""
    level: tuple[float, float] = (0.008, 0.06)
    """Range of the sample's noise level, drawn evenly on a log scale."""
    jitter: float = 0.6
    """Share of the level that is new in every video frame; the rest of it drifts."""
    drift_seconds: float = 0.25
    """Time between independent values of the drift."""
    detectors: tuple[str, ...] = ("none", "full", "heavy")
    """Whose keypoints they are, alike often: keys of ``offsets.OFFSETS``."""
    placement: tuple[float, float] = (0.0, 1.3)
    """Range of how far keypoints lie from joint centres, for each part of the body, in multiples of ``OFFSETS``."""
    face: float = 0.012
    """Metres by which a detector is off in the face: standard deviation, constant in a sample. Others: ``SPREADS``."""
    swap: float = 0.06
    """Share of samples in which both arms, or both legs, change sides for a while."""
    drop: float = 0.05
    """Chance of each joint to be lost for a while."""
    drop_limb: float = 0.06
    """Chance of each limb's two outer joints to be lost for a while."""
    stray: float = 0.05
    """Chance of each joint to stray for a while, by about half the person's size."""
    drop_whole: float = 0.03
    """Chance of each whole arm, and of each whole leg, to be lost for a while."""
    drop_face: float = 0.1
    """Share of samples that lose the face for a while."""
    half: float = 0.05
    """Share of samples that never show the legs."""
    cover: float = 0.12
    """Share of samples in which something stands before a part of the person for a while: all on one side of a line."""
    frame_rate: tuple[float, float] = (24.0, 60.0)
    """Range of the videos' frame rates: jitter is drawn a video frame."""


_MEASURED = NoiseSettings(
    clean=0.0, detectors=("full",), placement=(0.5, 1.0), drop_whole=0.0, drop_face=0.0, half=0.0, cover=0.0
)  # fmt: skip
MEASURED = replace(
    _MEASURED, level=(0.025, 0.045), jitter=0.58, drift_seconds=0.16, swap=0.09, drop=0.05, drop_limb=0.04,
    drop_whole=0.01, stray=0.25,
)  # fmt: skip
"""What the program's detector (``--refine full``) does on real video.

``level`` (from the 10th to the 90th percentile of people and views), ``jitter`` and ``drift_seconds`` are measured
against what four calibrated cameras see together: ``python -m benchmarks.keypoints.calibrated_noise``. The chances are
the mean of that and of ``python -m benchmarks.keypoints.keypoint_noise``, on the sample clip; they make the same shares
of time bad in pieces of four seconds, though the real spells are shorter and more. It is three people in all, one of
them rendered and one half hidden for a third of the time. ``placement`` follows from widths: hips lie as far apart as
published offsets say, shoulders half of it (``python -m benchmarks.keypoints.keypoint_offsets``).
"""
MEASURED_HEAVY = replace(
    _MEASURED, detectors=("heavy",), level=(0.022, 0.042), jitter=0.58, drift_seconds=0.18, swap=0.03, drop=0.08,
    drop_limb=0.19, drop_whole=0.05, stray=0.12,
)  # fmt: skip
"""The same for ``--refine heavy``, which doubts limbs more often and errs less."""
MEASURED_NONE = replace(
    _MEASURED,
    detectors=("none",),
    level=(0.028, 0.049),
    jitter=0.57,
    drift_seconds=0.18,
    swap=0.08,
    drop=0.08,
    drop_limb=0.04,
    stray=0.24,
)
"""The same for ``--refine none``: MoveNet alone."""


def displaced(
    points: Float[Tensor, "B R J 3"], flawed: Bool[Tensor, " B"], settings: NoiseSettings, generator: Generator
) -> Float[Tensor, "B R J 3"]:
    """Joints (metres, camera axes) where a detector's annotators would put them, in the samples that are ``flawed``."""
    count = len(points)
    share = random.uniform((count, 1, len(PARTS), 1), *settings.placement, generator).repeat_interleave(2, 2)
    offsets = torch.stack([signed(OFFSETS[name]) for name in settings.detectors]).to(points)
    spreads = torch.tensor([[SPREADS[name][part] for part in PARTS] for name in settings.detectors]).to(points)
    whose = torch.randint(len(offsets), (count,), generator=generator, device=generator.device)
    spread = torch.cat([spreads.new_full((count, FIRST), settings.face), spreads[whose].repeat_interleave(2, 1)], 1)
    astray = spread[:, None, :, None] * random.normal((count, 1, len(COCO17), 3), generator)
    size = (points[:, :, _KNEE] - points[:, :, _HIP]).norm(dim=-1).mean(1)[:, None, None, None] / THIGH
    body = moved(points[:, :, FIRST:], size * (share * offsets[whose][:, None] + astray[:, :, FIRST:]))
    shown = torch.cat([points[:, :, :FIRST] + size * astray[:, :, :FIRST], body], 2)
    return torch.where(flawed[:, None, None, None], shown, points)


def corrupted(
    plane: Float[Tensor, "B R J 2"],
    inside: Bool[Tensor, "B R J"],
    flawed: Bool[Tensor, " B"],
    times: Float[Tensor, " R"],
    settings: NoiseSettings,
    generator: Generator,
) -> tuple[Float[Tensor, "B R J 2"], Bool[Tensor, "B R J"]]:
    """What a detector makes of true keypoints, and which of them it sees. ``times`` in seconds.

    Samples that are not ``flawed`` stay as they are, all joints seen, even beyond the picture's edge.
    """
    count = len(plane)
    bad = flawed[:, None, None]
    size = (plane - plane.mean(2, keepdim=True)).square().sum(-1).mean((1, 2)).sqrt()[:, None, None, None]
    moved = plane + size * _wandering(count, times, settings, generator)
    joints = len(COCO17)
    astray = random.spell(count, joints, times, 0.2, generator)
    astray = astray & random.chance((count, 1, joints), settings.stray, generator)
    moved = moved + size * 0.5 * random.normal((count, 1, joints, 2), generator) * astray[..., None]
    moved = _swapped(moved, times, settings, generator)
    lost = _lost(count, times, settings, generator) | _covered(plane, times, settings, generator)
    points = torch.where(bad[..., None], moved, plane)
    return points, torch.where(bad, inside & ~lost, True)


def _wandering(count: int, times: Tensor, settings: NoiseSettings, generator: Generator) -> Float[Tensor, "B R J 2"]:
    """Jitter and drift of every keypoint, in shares of the person's size."""
    low, high = (torch.tensor(bound).log().item() for bound in settings.level)
    level = random.uniform((count, 1, 1, 1), low, high, generator).exp()
    rate = float(random.uniform((1,), *settings.frame_rate, generator))
    jitter = _over(times, 1 / rate, (count, len(COCO17), 2), generator)
    drift = _over(times, settings.drift_seconds, (count, len(COCO17), 2), generator)
    spread = torch.tensor(SPREAD, device=level.device)[:, None]
    return level * spread * (settings.jitter * jitter + (1 - settings.jitter**2) ** 0.5 * drift)


def _over(times: Tensor, step: float, shape: tuple[int, ...], generator: Generator) -> Tensor:
    """(B, R, …) standard normal values every ``step`` seconds, linear in between, sampled at ``times``."""
    phase = float(random.uniform((1,), 0, 1, generator))
    place = (times - times[0]) / step + phase
    knots = random.normal((shape[0], int(place[-1]) + 2, *shape[1:]), generator)
    before = place.long()
    share = (place - before).reshape(1, -1, *(1,) * (len(shape) - 1))
    return torch.lerp(knots[:, before], knots[:, before + 1], share)


def _swapped(plane: Tensor, times: Tensor, settings: NoiseSettings, generator: Generator) -> Tensor:
    count = len(plane)
    for group in (ARMS, LEGS):
        when = random.spell(count, 1, times, 0.4, generator)
        when = when & random.chance((count, 1, 1), settings.swap, generator)
        twins = [COCO17.mirror[j] for j in group]
        plane = plane.index_copy(
            2,
            torch.tensor(group, device=plane.device),
            torch.where(when[..., None], plane[:, :, twins], plane[:, :, group]),
        )
    return plane


def _lost(count: int, times: Tensor, settings: NoiseSettings, generator: Generator) -> Bool[Tensor, "B R J"]:
    joints = len(COCO17)
    lost = random.spell(count, joints, times, 0.5, generator)
    lost = lost & random.chance((count, 1, joints), settings.drop, generator)
    for limb in LIMBS:
        hidden = random.spell(count, 1, times, 0.8, generator)
        lost[:, :, limb] |= hidden & random.chance((count, 1, 1), settings.drop_limb, generator)
    for group, share in (*((limb, settings.drop_whole) for limb in WHOLE), (FACE, settings.drop_face)):
        hidden = random.spell(count, 1, times, 0.8, generator)
        lost[:, :, group] |= hidden & random.chance((count, 1, 1), share, generator)
    legs = [j for j in LEGS if not COCO17.joints[j].endswith("hip")]
    lost[:, :, legs] |= random.chance((count, 1, 1), settings.half, generator)
    return lost


def _covered(
    plane: Float[Tensor, "B R J 2"], times: Tensor, settings: NoiseSettings, generator: Generator
) -> Bool[Tensor, "B R J"]:
    """Joints beyond a line that does not move and hides up to half of them, for a while."""
    count = len(plane)
    angle = random.uniform((count, 1, 1), 0, random.FULL_TURN, generator)
    along = plane[..., 0] * angle.cos() + plane[..., 1] * angle.sin()
    order = along.mean(1).sort(-1, descending=True).values
    edge = order.gather(1, (random.uniform((count, 1), 0.1, 0.5, generator) * order.shape[1]).long())
    when = random.spell(count, 1, times, 2.0, generator) & random.chance((count, 1, 1), settings.cover, generator)
    return (along > edge[..., None]) & when
