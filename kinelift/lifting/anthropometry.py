"""Segment lengths between joint centres of men, women and children, from body surveys.

Adults: joint distribution of log lengths in ANSUR II (US Army 2012; public release), with landmark heights corrected to
joint centres (``anthropometry.json``). Children: approximate growth of sitting height, hip height and head by age.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import exp

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor

SEGMENTS = (
    "hip", "thigh", "shank", "spine", "thorax", "neck", "head", "shoulder", "upper_arm", "forearm", "heel", "toe",
)  # fmt: skip
"""Half the distance between the hips, thigh, shank, mid-hip to spine, spine to thorax (the base of the neck), thorax to
neck (the pivot of the head), neck to the top of the head, thorax to shoulder, upper arm, forearm, ankle to the rear end
of the heel, ankle to the tip of the big toe."""

SEGMENT_OF = {
    "left_hip": "hip", "left_knee": "thigh", "left_ankle": "shank", "spine": "spine", "thorax": "thorax",
    "neck": "neck", "head": "head", "left_shoulder": "shoulder", "left_elbow": "upper_arm", "left_wrist": "forearm",
    "right_hip": "hip", "right_knee": "thigh", "right_ankle": "shank", "right_shoulder": "shoulder",
    "right_elbow": "upper_arm", "right_wrist": "forearm",
    "left_heel": "heel", "left_toe": "toe", "right_heel": "heel", "right_toe": "toe",
}  # fmt: skip
"""The segment that ends at each joint of the h36m21 skeleton; left and right have equal lengths."""

HEEL, BALL = (0.0, -0.70, -0.20), (0.05, -0.85, 0.52)
BIG_TOE, SMALL_TOE = (0.05, -0.78, 0.70), (-0.17, -0.82, 0.60)
"""Keypoints of a foot and its ball (the joint of the big toe) from the ankle joint: inward and forward as a share of
the foot's length, up as a share of the ankle's height. Heel to ankle 0.22, heel to ball 0.74 of the length."""

LOWER_BACK = 0.48
"""Fraction of the trunk (mid-hip to thorax) below the spine joint."""
NECK_BASE = 0.042
"""Height of the thorax joint above the line between the shoulders, as a fraction of stature."""
FOREARM = 0.97
"""Correction factor for ANSUR's forearm, which is longer than in other surveys (de Leva 1996, Winter)."""
BELOW_EARS = 0.04
"""Depth of the neck joint below the ears, as a fraction of stature."""

_YEARS = torch.tensor([2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 15.0])
_GROWTH = torch.tensor(
    [  # stature (m); of stature: height of the hip joints, C7 to vertex; metres: ears to vertex
        (0.86, 0.440, 0.205, 0.116), (1.02, 0.465, 0.190, 0.120), (1.15, 0.480, 0.180, 0.122),
        (1.28, 0.490, 0.170, 0.124), (1.38, 0.505, 0.165, 0.126), (1.50, 0.515, 0.155, 0.128),
        (1.66, 0.520, 0.145, 0.130),
    ]
)  # fmt: skip
_CHILD = {"ankle_h": 0.04, "hip_w": 0.099, "sho_w": 0.198, "upper_arm": 0.162, "forearm": 0.157, "foot": 0.155}
"""Lengths as fractions of a child's stature, assumed to be the same as for adults."""


@dataclass(frozen=True)
class Population:
    """The distribution that bodies are drawn from."""

    children: float = 0.1
    """Fraction of children aged 3 to 15; the rest are half men, half women."""
    slack: float = 0.025
    """Extra standard deviation of each log length, to allow for the survey's limits and for joint placement."""


def draw(count: int, population: Population, generator: Generator) -> Float[Tensor, "B 12"]:
    """Draw the lengths (metres) of ``SEGMENTS`` for ``count`` people."""
    device = generator.device
    sexes = [_adults(count, sex, generator) for sex in ("women", "men")]
    pick = torch.rand((count, 1), generator=generator, device=device)
    adults = torch.where(pick < 0.5, sexes[0], sexes[1])
    young = torch.rand((count, 1), generator=generator, device=device) < population.children
    lengths = torch.where(young, _children(count, generator), adults)
    noise = torch.randn(lengths.shape, generator=generator, device=device)
    return lengths * (population.slack * noise).exp()


def child(years: Float[Tensor, " B"]) -> Float[Tensor, "B 12"]:
    """Lengths (metres) of average children aged 2 to 15."""
    ages, growth = _YEARS.to(years.device), _GROWTH.to(years.device)
    after = torch.searchsorted(ages, years.contiguous()).clamp(1, len(ages) - 1)
    share = ((years - ages[after - 1]) / (ages[after] - ages[after - 1]))[:, None]
    stature, hip, neck, ears = torch.lerp(growth[after - 1], growth[after], share).unbind(-1)
    parts = {name: part * stature for name, part in _CHILD.items()}
    leg, trunk = hip * stature - parts["ankle_h"], (1 - neck - hip) * stature
    parts |= {"thigh": 0.505 * leg, "shank": 0.495 * leg, "midhip_c7": trunk, "midhip_midsho": 0.815 * trunk}
    return _segments(parts | {"stature": stature, "c7_vertex": neck * stature, "tragion_top": ears})


def adult(sex: str) -> Float[Tensor, " 12"]:
    """Median lengths (metres) of ``"women"`` or ``"men"``."""
    names, mean, _ = _survey(sex)
    return _segments(dict(zip(names, mean.exp()[:, None], strict=True)))[0]


def typical() -> Float[Tensor, " 12"]:
    """Geometric mean of the median man's and woman's lengths (metres)."""
    return (adult("women") * adult("men")).sqrt()


def typical_foot() -> tuple[float, float]:
    """Length of a foot and height of its ankle (metres): geometric mean of the median man and woman."""
    medians = [dict(zip(names, mean.tolist(), strict=True)) for names, mean, _ in map(_survey, ("women", "men"))]
    length, height = (exp(sum(median[part] for median in medians) / 2) for part in ("foot", "ankle_h"))
    return length, height


@cache
def prior() -> tuple[Float[np.ndarray, " 12"], Float[np.ndarray, "12 12"]]:
    """Mean and covariance of adults' log lengths (metres) in the order of ``SEGMENTS``, men and women together."""
    people = draw(20_000, Population(children=0.0), Generator().manual_seed(0)).double().log().numpy()
    return people.mean(0), np.cov(people.T)


def _adults(count: int, sex: str, generator: Generator) -> Float[Tensor, "B 12"]:
    names, mean, root = _survey(sex)
    normal = torch.randn((count, len(mean)), generator=generator, device=generator.device)
    lengths = (mean.to(normal) + normal @ root.to(normal).T).exp()
    return _segments(dict(zip(names, lengths.unbind(-1), strict=True)))


def _children(count: int, generator: Generator) -> Float[Tensor, "B 12"]:
    years = 3 + 12 * torch.rand(count, generator=generator, device=generator.device)
    size, parts = (torch.randn((count, k), generator=generator, device=generator.device) for k in (1, len(SEGMENTS)))
    return child(years) * (0.04 * size + 0.03 * parts).exp()


def _segments(part: dict[str, Tensor]) -> Float[Tensor, "B 12"]:
    """Convert the survey's distances to ``SEGMENTS``."""
    stature, rise = part["stature"], NECK_BASE * part["stature"]
    trunk = part["midhip_midsho"] + rise
    above = part["midhip_c7"] + part["c7_vertex"] - trunk
    head = part["tragion_top"] + BELOW_EARS * stature
    shoulder = (part["sho_w"].square() / 4 + rise.square()).sqrt()
    return torch.stack(
        [part["hip_w"] / 2, part["thigh"], part["shank"], LOWER_BACK * trunk, (1 - LOWER_BACK) * trunk,
         (above - head).maximum(0.03 * stature), head, shoulder, part["upper_arm"], FOREARM * part["forearm"],
         _distance(HEEL, part), _distance(BIG_TOE, part)], -1,
    )  # fmt: skip


def _distance(keypoint: tuple[float, float, float], part: dict[str, Tensor]) -> Tensor:
    """The distance of a foot's keypoint from the ankle."""
    inward, up, forward = keypoint
    return ((inward**2 + forward**2) * part["foot"].square() + (up * part["ankle_h"]).square()).sqrt()


@cache
def _survey(sex: str) -> tuple[tuple[str, ...], Float[Tensor, " S"], Float[Tensor, "S S"]]:
    """Names, means of the log lengths, and the Cholesky factor of their covariance."""
    table = json.loads((files("kinelift.lifting") / "anthropometry.json").read_text(encoding="utf-8"))
    mean, covariance = (torch.tensor(table[sex][key], dtype=torch.float64) for key in ("mean", "covariance"))
    return tuple(table["segments"]), mean.float(), torch.linalg.cholesky(covariance).float()
