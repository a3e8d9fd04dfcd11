"""Simulated errors of a 2D detector, for windows of COCO keypoints with feet."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor

from kinelift.lifting.synthesis import random
from kinelift.lifting.synthesis.offsets import FIRST_BODY_KEYPOINT, OFFSETS, PARTS, SPREADS, add_offsets, both_sides
from kinelift.poses import COCO17, COCO23

_SPREAD = {
    "nose": 0.79, "eye": 0.75, "ear": 0.70, "shoulder": 1.27, "elbow": 1.37, "wrist": 1.37, "hip": 1.09, "knee": 1.25,
    "ankle": 1.28, "heel": 1.28, "toe": 1.4,
}  # fmt: skip
SPREAD = tuple(_SPREAD[name.split("_")[-1]] for name in COCO23.joints)
"""Error of each keypoint relative to the others. The mean of two measurements of ``full``: on real video by
``benchmarks.keypoints.keypoint_noise`` (three readings), against ground truth by
``benchmarks.keypoints.calibrated_noise``."""

FACE = tuple(j for j, name in enumerate(COCO23.joints) if name.split("_")[-1] in ("nose", "eye", "ear"))

THIGH = 0.427
"""Metres. Thigh length of the body that ``OFFSETS`` refer to (ANSUR II, at 1.75 m)."""
_HIP, _KNEE = COCO23.index("left_hip"), COCO23.index("left_knee")

_FOOT = ("big_toe", "small_toe", "heel")
LIMBS = tuple(
    tuple(COCO23.index(f"{side}_{part}") for part in parts)
    for parts in (("elbow", "wrist"), ("knee", "ankle", *_FOOT))
    for side in ("left", "right")
)
COMPLETE_LIMBS = tuple(
    tuple(COCO23.index(f"{side}_{part}") for part in parts)
    for parts in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle", *_FOOT))
    for side in ("left", "right")
)
"""Arms including the shoulder, and legs including the hip."""
_BODY, FEET = slice(len(COCO17)), slice(len(COCO17), None)
SMALL_TOES = tuple(COCO23.index(f"{side}_small_toe") for side in ("left", "right"))
_GROUPS = tuple(
    tuple(j for j, name in enumerate(COCO23.joints) if name.split("_")[-1] in parts)
    for parts in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle", "heel", "toe"))
)
ARMS, LEGS = _GROUPS


@dataclass(frozen=True)
class NoiseSettings:
    """Detector errors. Sizes are relative to the RMS distance of joints from their mean, about 0.45 m."""

    clean: float = 0.25
    """Share of samples without errors."""
    level: tuple[float, float] = (0.008, 0.06)
    """Range of the sample's noise level, drawn uniformly on a log scale."""
    jitter: float = 0.6
    """Share of the level that is independent in every video frame; the rest drifts."""
    drift_seconds: float = 0.25
    """Time between independent values of the drift."""
    detectors: tuple[str, ...] = ("none", "full", "heavy")
    """Detectors to simulate, with equal probability: keys of ``offsets.OFFSETS``."""
    placement: tuple[float, float] = (0.0, 1.3)
    """Range of the distance of keypoints from joint centres, per body part, in multiples of ``OFFSETS``."""
    face: float = 0.012
    """Standard deviation, in metres, of a sample's constant offset of face keypoints. For others see ``SPREADS``."""
    foot: float = 0.015
    """The same for heels and toes."""
    no_feet: float = 0.35
    """Share of samples, with errors or not, of a detector without feet."""
    no_small_toes: float = 0.6
    """Share of samples, with errors or not, of a detector without small toes."""
    swap: float = 0.06
    """Share of samples in which the arms, or the legs, are swapped for a while."""
    drop: float = 0.05
    """Probability that a joint is missing for a while."""
    drop_limb: float = 0.06
    """Probability that a limb's two outer joints are missing for a while."""
    stray: float = 0.05
    """Probability that a joint is misplaced for a while, by about half the person's size."""
    drop_whole: float = 0.03
    """Probability that an arm with its shoulder, or a leg with its hip, is missing for a while."""
    drop_face: float = 0.1
    """Share of samples whose face is missing for a while."""
    half: float = 0.05
    """Share of samples in which the legs are never visible."""
    cover: float = 0.12
    """Share of samples in which an object hides all joints on one side of a line for a while."""
    frame_rate: tuple[float, float] = (24.0, 60.0)
    """Range of the videos' frame rates. Jitter is independent in each video frame."""


_MEASURED = NoiseSettings(
    clean=0.0, detectors=("full",), placement=(0.5, 1.0), drop_whole=0.0, drop_face=0.0, half=0.0, cover=0.0,
    no_feet=0.0, no_small_toes=1.0,
)  # fmt: skip
MEASURED = replace(
    _MEASURED, level=(0.025, 0.045), jitter=0.58, drift_seconds=0.16, swap=0.09, drop=0.05, drop_limb=0.04,
    drop_whole=0.01, stray=0.25,
)  # fmt: skip
"""Errors of the program's detector (``--refine full``) on real video.

``level`` (10th to 90th percentile of people and views), ``jitter`` and ``drift_seconds`` were measured against
triangulations from four calibrated cameras (``python -m benchmarks.keypoints.calibrated_noise``). The probabilities
are the mean of that and of ``python -m benchmarks.keypoints.keypoint_noise`` on the sample clip. They reproduce the
share of time with errors in pieces of four seconds; real errors are shorter and more frequent. The data show only
three people, one of them rendered and one half hidden for a third of the time. ``placement`` follows from body widths:
hips are as far apart as published offsets predict, shoulders half as much (``python -m
benchmarks.keypoints.keypoint_offsets``).
"""
MEASURED_HEAVY = replace(
    _MEASURED, detectors=("heavy",), level=(0.022, 0.042), jitter=0.58, drift_seconds=0.18, swap=0.03, drop=0.08,
    drop_limb=0.19, drop_whole=0.05, stray=0.12,
)  # fmt: skip
"""The same for ``--refine heavy``, which omits limbs more often and is more accurate."""
MEASURED_NONE = replace(
    _MEASURED,
    detectors=("none",),
    no_feet=1.0,
    level=(0.028, 0.049),
    jitter=0.57,
    drift_seconds=0.18,
    swap=0.08,
    drop=0.08,
    drop_limb=0.04,
    stray=0.24,
)
"""The same for ``--refine none``, which is MoveNet alone."""


def apply_detector_offsets(
    points: Float[Tensor, "B R J 3"], flawed: Bool[Tensor, " B"], settings: NoiseSettings, generator: Generator
) -> Float[Tensor, "B R J 3"]:
    """Move joints from their centres to where a detector puts them, by offsets that are constant in a sample.

    Args:
        points: Joint centres of coco23 in metres, camera axes.
        flawed: Samples to change.
        settings: The detectors and the size of the offsets.
        generator: Source of randomness.
    """
    count = len(points)
    share = random.uniform((count, 1, len(PARTS), 1), *settings.placement, generator).repeat_interleave(2, 2)
    offsets = torch.stack([both_sides(OFFSETS[name]) for name in settings.detectors]).to(points)
    spreads = torch.tensor([[SPREADS[name][part] for part in PARTS] for name in settings.detectors]).to(points)
    detector = torch.randint(len(offsets), (count,), generator=generator, device=generator.device)
    face, feet = (
        spreads.new_full((count, joints), size)
        for joints, size in ((FIRST_BODY_KEYPOINT, settings.face), (len(COCO23) - len(COCO17), settings.foot))
    )
    spread = torch.cat([face, spreads[detector].repeat_interleave(2, 1), feet], 1)
    astray = spread[:, None, :, None] * random.normal((count, 1, len(COCO23), 3), generator)
    size = (points[:, :, _KNEE] - points[:, :, _HIP]).norm(dim=-1).mean(1)[:, None, None, None] / THIGH
    body = slice(FIRST_BODY_KEYPOINT, len(COCO17))
    shown = points + size * astray
    moved = size * (share * offsets[detector][:, None] + astray[:, :, body])
    shown[:, :, body] = add_offsets(points[:, :, body], moved)
    return torch.where(flawed[:, None, None, None], shown, points)


def corrupt(
    plane: Float[Tensor, "B R J 2"],
    inside: Bool[Tensor, "B R J"],
    flawed: Bool[Tensor, " B"],
    times: Float[Tensor, " R"],
    settings: NoiseSettings,
    generator: Generator,
) -> tuple[Float[Tensor, "B R J 2"], Bool[Tensor, "B R J"]]:
    """Add a detector's errors to true keypoints.

    Args:
        plane: Keypoints on the plane z = 1.
        inside: Keypoints that lie in the image.
        flawed: Samples to change. In the others all keypoints stay exact and visible, even outside the image.
        times: Times of the frames in seconds.
        settings: Size and probability of the errors.
        generator: Source of randomness.

    Returns:
        The keypoints, and which of them are detected.
    """
    count = len(plane)
    bad = flawed[:, None, None]
    body = plane[:, :, _BODY]
    size = (body - body.mean(2, keepdim=True)).square().sum(-1).mean((1, 2)).sqrt()[:, None, None, None]
    moved = plane + size * _jitter_and_drift(count, times, settings, generator)
    joints = len(COCO23)
    astray = random.interval(count, joints, times, 0.2, generator)
    astray = astray & random.bernoulli((count, 1, joints), settings.stray, generator)
    moved = moved + size * 0.5 * random.normal((count, 1, joints, 2), generator) * astray[..., None]
    moved = _swap_sides(moved, times, settings, generator)
    missing = _missing(count, times, settings, generator) | _occluded(plane, times, settings, generator)
    points = torch.where(bad[..., None], moved, plane)
    return points, torch.where(bad, inside & ~missing, True) & ~_never_detected(count, settings, generator)


def _never_detected(count: int, settings: NoiseSettings, generator: Generator) -> Bool[Tensor, "B 1 J"]:
    """Draw detectors without feet, or without small toes."""
    never = torch.zeros((count, 1, len(COCO23)), dtype=torch.bool, device=generator.device)
    never[:, :, SMALL_TOES] = random.bernoulli((count, 1, 1), settings.no_small_toes, generator)
    never[:, :, FEET] |= random.bernoulli((count, 1, 1), settings.no_feet, generator)
    return never


def _jitter_and_drift(
    count: int, times: Tensor, settings: NoiseSettings, generator: Generator
) -> Float[Tensor, "B R J 2"]:
    """Draw jitter and drift of every keypoint, as shares of the person's size."""
    low, high = (torch.tensor(bound).log().item() for bound in settings.level)
    level = random.uniform((count, 1, 1, 1), low, high, generator).exp()
    rate = float(random.uniform((1,), *settings.frame_rate, generator))
    jitter = interpolated_noise(times, 1 / rate, (count, len(COCO23), 2), generator)
    drift = interpolated_noise(times, settings.drift_seconds, (count, len(COCO23), 2), generator)
    spread = torch.tensor(SPREAD, device=level.device)[:, None]
    drift_share = float((1 - settings.jitter**2) ** 0.5)
    return level * spread * (settings.jitter * jitter + drift_share * drift)


def interpolated_noise(times: Tensor, step: float, shape: tuple[int, ...], generator: Generator) -> Tensor:
    """Draw standard normal values every ``step`` seconds, and interpolate them at ``times``: (B, R, …)."""
    phase = float(random.uniform((1,), 0, 1, generator))
    position = (times - times[0]) / step + phase
    knots = random.normal((shape[0], int(position[-1]) + 2, *shape[1:]), generator)
    before = position.long()
    share = (position - before).reshape(1, -1, *(1,) * (len(shape) - 1))
    return torch.lerp(knots[:, before], knots[:, before + 1], share)


def _swap_sides(plane: Tensor, times: Tensor, settings: NoiseSettings, generator: Generator) -> Tensor:
    """Swap left and right arms, or legs, for a while."""
    count = len(plane)
    for group in (ARMS, LEGS):
        when = random.interval(count, 1, times, 0.4, generator)
        when = when & random.bernoulli((count, 1, 1), settings.swap, generator)
        opposite = [COCO23.mirror[j] for j in group]
        plane = plane.index_copy(
            2,
            torch.tensor(group, device=plane.device),
            torch.where(when[..., None], plane[:, :, opposite], plane[:, :, group]),
        )
    return plane


def _missing(count: int, times: Tensor, settings: NoiseSettings, generator: Generator) -> Bool[Tensor, "B R J"]:
    """Draw which keypoints are missing: single joints, limbs, the face, or the legs."""
    joints = len(COCO23)
    missing = random.interval(count, joints, times, 0.5, generator)
    missing = missing & random.bernoulli((count, 1, joints), settings.drop, generator)
    for limb in LIMBS:
        hidden = random.interval(count, 1, times, 0.8, generator)
        missing[:, :, limb] |= hidden & random.bernoulli((count, 1, 1), settings.drop_limb, generator)
    for group, share in (*((limb, settings.drop_whole) for limb in COMPLETE_LIMBS), (FACE, settings.drop_face)):
        hidden = random.interval(count, 1, times, 0.8, generator)
        missing[:, :, group] |= hidden & random.bernoulli((count, 1, 1), share, generator)
    legs = [j for j in LEGS if not COCO23.joints[j].endswith("hip")]
    missing[:, :, legs] |= random.bernoulli((count, 1, 1), settings.half, generator)
    return missing


def _occluded(
    plane: Float[Tensor, "B R J 2"], times: Tensor, settings: NoiseSettings, generator: Generator
) -> Bool[Tensor, "B R J"]:
    """Draw a fixed line beyond which joints are hidden for a while; it hides up to half of them."""
    count = len(plane)
    angle = random.uniform((count, 1, 1), 0, random.FULL_TURN, generator)
    along = plane[..., 0] * angle.cos() + plane[..., 1] * angle.sin()
    order = along.mean(1).sort(-1, descending=True).values
    edge = order.gather(1, (random.uniform((count, 1), 0.1, 0.5, generator) * order.shape[1]).long())
    when = random.interval(count, 1, times, 2.0, generator) & random.bernoulli((count, 1, 1), settings.cover, generator)
    return (along > edge[..., None]) & when
