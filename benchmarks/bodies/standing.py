"""Standing bodies for the benchmarks: joint positions from segment lengths.

The rest frame has Y up, the person facing +Z with their left at +X, the floor at 0, and the hip above the origin.
"""

from collections.abc import Mapping
from math import atan2, cos, radians, sin, sqrt

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator

from kinelift.lifting.anthropometry import (
    BIG_TOE,
    HEEL,
    NECK_BASE,
    SEGMENTS,
    SMALL_TOE,
    Population,
    adult,
    child,
    draw,
    prior,
    typical_foot,
)  # fmt: skip
from kinelift.lifting.mocap.joints import FACE_POINTS
from kinelift.lifting.synthesis.bank import MOCAP
from kinelift.poses.skeleton import FACE

ANKLE = 0.04
"""Height of the ankle joints as a fraction of stature."""
HEAD = float(adult("men")[SEGMENTS.index("head")])
"""Length of the head, m, for which ``FACE_POINTS`` are given; they are scaled for other lengths."""
AWAY = 10.0
"""Sideways angle of the upper arms from the vertical, degrees."""
SPREAD = 2.0
"""Limit of sampled lengths, in standard deviations from the mean."""
LEGS = tuple(SEGMENTS.index(name) for name in ("thigh", "shank"))
CHILD_YEARS = 8.0

Lengths = Float[np.ndarray, " 12"]
"""Metres, in the order of ``SEGMENTS``."""
Joint = Float[np.ndarray, " 3"]


def bodies(drawn: int, seed: int) -> dict[str, Lengths]:
    """Segment lengths of the benchmarks' bodies, by name.

    They are the median man and woman, a child of 8, bodies with legs longer or shorter by ``SPREAD``, and adults
    sampled from the survey, with each length within ``SPREAD`` of the mean.

    Args:
        drawn: Number of sampled adults.
        seed: Seed of the sampling.
    """
    mean, covariance = prior()
    spread = SPREAD * np.sqrt(np.diag(covariance))
    legs = np.isin(np.arange(len(SEGMENTS)), LEGS)
    people = draw(drawn, Population(children=0.0), Generator().manual_seed(seed)).double().log().numpy()
    return {
        "man": adult("men").double().numpy(),
        "woman": adult("women").double().numpy(),
        "child": child(torch.tensor([CHILD_YEARS]))[0].double().numpy(),
        "long legs": np.exp(mean + spread * legs),
        "short legs": np.exp(mean - spread * legs),
        **{f"drawn {k}": np.exp(one.clip(mean - spread, mean + spread)) for k, one in enumerate(people)},
    }


def stature(lengths: Lengths) -> float:
    """Height of a body that stands straight, m."""
    upright = ("thigh", "shank", "spine", "thorax", "neck", "head")
    return sum(float(lengths[SEGMENTS.index(name)]) for name in upright) / (1 - ANKLE)


def stand(lengths: Lengths, knee: float = 0.0, elbow: float = 0.0) -> Float[np.ndarray, "J 3"]:
    """The joints of ``MOCAP``, in m in the rest frame, of a standing body.

    Knee flexion moves the knees forwards, with the ankles below the hips. Elbow flexion moves the wrists forwards. The
    trunk is upright, and the arms hang at an angle of ``AWAY``.

    Args:
        lengths: Segment lengths.
        knee: Flexion of both knees, degrees.
        elbow: Flexion of both elbows, degrees.
    """
    size = dict(zip(SEGMENTS, lengths.tolist(), strict=True))
    trunk = _trunk(size)
    left = _leg(size, radians(knee)) | _arm(trunk["thorax"], size, stature(lengths), radians(elbow))
    sides = {f"{side}_{name}": at * [sign, 1, 1] for side, sign in _SIDES.items() for name, at in left.items()}
    face = dict(zip(FACE, trunk["neck"] + FACE_POINTS * size["head"] / HEAD, strict=True))
    points = np.stack([(trunk | sides | face)[name] for name in MOCAP.joints])
    floor = points[MOCAP.index("left_ankle"), 1] - ANKLE * stature(lengths)
    return points - [0.0, floor, 0.0]


_SIDES = {"left": 1.0, "right": -1.0}


def _trunk(size: Mapping[str, float]) -> dict[str, Joint]:
    """Hip, spine, thorax, neck and head, vertically above one another from the origin."""
    names = ("spine", "thorax", "neck", "head")
    heights = np.cumsum([size[name] for name in names])
    return {"hip": np.zeros(3)} | {name: np.array([0.0, y, 0.0]) for name, y in zip(names, heights, strict=True)}


def _leg(size: Mapping[str, float], bend: float) -> dict[str, Joint]:
    """The left hip, knee, ankle and foot, with the ankle below the hip and a level sole; ``bend`` in radians."""
    forwards = atan2(size["shank"] * sin(bend), size["thigh"] + size["shank"] * cos(bend))
    hip = np.array([size["hip"], 0.0, 0.0])
    knee = hip + size["thigh"] * np.array([0.0, -cos(forwards), sin(forwards)])
    ankle = knee + size["shank"] * np.array([0.0, -cos(bend - forwards), -sin(bend - forwards)])
    return {"hip": hip, "knee": knee, "ankle": ankle} | {name: ankle + at for name, at in _foot(size).items()}


def _foot(size: Mapping[str, float]) -> dict[str, Joint]:
    """Heel, big toe and small toe of the left foot from its ankle."""
    length, height = typical_foot()
    points = {"heel": HEEL, "big_toe": BIG_TOE, "small_toe": SMALL_TOE}
    foot = {name: np.array(at) * [-length, height, length] for name, at in points.items()}
    heel, toe = (size[part] / np.linalg.norm(foot[name]) for part, name in (("heel", "heel"), ("toe", "big_toe")))
    return {name: at * (heel if name == "heel" else toe) for name, at in foot.items()}


def _arm(thorax: Joint, size: Mapping[str, float], tall: float, bend: float) -> dict[str, Joint]:
    """The left shoulder, elbow and wrist, with the elbow flexed forwards; ``bend`` in radians."""
    drop = NECK_BASE * tall
    shoulder = thorax + np.array([sqrt(size["shoulder"] ** 2 - drop**2), -drop, 0.0])
    down = np.array([sin(radians(AWAY)), -cos(radians(AWAY)), 0.0])
    elbow = shoulder + size["upper_arm"] * down
    wrist = elbow + size["forearm"] * (cos(bend) * down + sin(bend) * np.array([0.0, 0.0, 1.0]))
    return {"shoulder": shoulder, "elbow": elbow, "wrist": wrist}
