"""Measure flexion of standing bodies as ``kinelift live`` lifts them, from the past only; prints JSON.

    python -m benchmarks.bodies.live_bodies [--noise none|measured] [--flexion] [--seed 0]

Bodies, views and figures are those of ``benchmarks.bodies.straight_bodies``; every frame of a view is given to a
``CausalLifter``. ``mean``: mean predicted flexion of straight knees and elbows, degrees.
"""

import json
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
import tyro
from jaxtyping import Float
from torch import Generator

from benchmarks.bodies.body_angles import HINGES
from benchmarks.bodies.standing import bodies
from benchmarks.bodies.still_views import RATE, SIZE, VIEWS
from benchmarks.bodies.straight_bodies import NOISES, Answer, filmed, followed, straightness
from benchmarks.reporting import machine
from kinelift.lifting.causal import CausalLifter
from kinelift.lifting.network import LifterNetwork
from kinelift.poses import COCO17, Poses3D
from kinelift.poses.camera import DEFAULT_FIELD_OF_VIEW, Camera
from kinelift.weights.store import find


def main(
    lifter: str = "live",
    noise: Literal["none", "measured"] = "none",
    flexion: bool = False,
    seconds: float = 2.0,
    drawn: int = 6,
    seed: int = 0,
) -> None:
    """Measure and print.

    Args:
        lifter: Name of a causal lifter, or path of its checkpoint.
        noise: Noise on the keypoints: none, or as measured on real video.
        flexion: Flex knees and elbows instead of standing straight.
        seconds: Length of each video.
        drawn: Number of adults sampled from the survey, in addition to the named bodies.
        seed: Seed of the sampled adults and of the noise.
    """
    people = bodies(drawn, seed)
    network = LifterNetwork.load(find(lifter))
    camera, generator = Camera.from_field_of_view(DEFAULT_FIELD_OF_VIEW, SIZE), Generator().manual_seed(seed)
    lift = partial(lifted, CausalLifter(network, camera, SIZE), network)
    answers = filmed(people, flexion, lift, round(seconds * RATE), NOISES[noise], generator)
    figures = followed(answers) if flexion else {"mean": means(answers), **straightness(answers)}
    asked = {"lifter": lifter, "noise": noise, "seed": seed, "bodies": list(people), "views": len(VIEWS)}
    print(json.dumps({"machine": machine(), **asked, **figures}, indent=2))


def lifted(empty: CausalLifter, network: LifterNetwork, points: Float[np.ndarray, "T K 2"]) -> Poses3D:
    """What a live analysis shows for these keypoints (coco23, px), whose feet are not seen."""
    seen = points.copy()
    seen[:, len(COCO17) :] = np.nan
    lifter, times = empty.fresh(), np.arange(len(points)) / RATE
    poses = [lifter.push(time, frame) for time, frame in zip(times, seen, strict=True)]
    nothing = np.full((len(network.target), 3), np.nan)
    rows = np.array([nothing if pose is None else pose.points for pose in poses])
    return Poses3D(rows, times, skeleton=network.target)


def means(answers: list[Answer]) -> dict[str, Any]:
    """Mean flexion over all frames, degrees."""
    return {hinge: round(float(np.nanmean([a.flexion(hinge) for a in answers])), 1) for hinge in HINGES}


if __name__ == "__main__":
    torch.set_num_threads(1)
    tyro.cli(main)
