"""Measure predicted against true flexion of knees and elbows of standing bodies; prints JSON.

    python -m benchmarks.bodies.straight_bodies [--lifter NAME|PATH] [--noise none|measured] [--flexion] [--seed 0]

Bodies of ``benchmarks.bodies.standing`` stand still in front of cameras on all sides and at three heights
(``benchmarks.bodies.still_views``). The program gets their keypoints as with ``kinelift run --keypoints``.

Without ``--flexion``, all bodies stand straight. ``knee`` and ``elbow``: predicted flexion of both sides in degrees
(true: 0): ``median`` over all frames, and ``worst``, the largest median over the frames of one limb in one view.
``lean``: median angle between trunk and true vertical, degrees. ``spread``: coefficient of variation of each limb's
length in a view, percent, median and worst.

With it, the knees flex while the arms are straight, then the elbows while the legs are straight. ``slope``: of the
least-squares line of predicted over true flexion; ``bias``: mean of predicted minus true; ``answers``: median
prediction by true flexion.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import torch
import tyro
from jaxtyping import Float
from torch import Generator
from tyro.conf import OmitArgPrefixes

from benchmarks.bodies.body_angles import HINGES, Hinge, flexion, lean, spread
from benchmarks.bodies.standing import Lengths, bodies, stand, stature
from benchmarks.bodies.still_views import RATE, VIEWS, StillView, Studio, noisy
from benchmarks.reporting import machine
from kinelift.app.settings import Settings
from kinelift.lifting.synthesis.noise import MEASURED, NoiseSettings
from kinelift.poses import Poses3D

NOISES: Mapping[str, NoiseSettings | None] = {"none": None, "measured": MEASURED}
BENDS = (0, 10, 20, 30, 60, 90)
"""Degrees of true flexion."""


@dataclass(frozen=True, eq=False)
class Answer:
    """The program's poses for one body in one view; ``bends`` is the true flexion by hinge, degrees."""

    body: str
    view: StillView
    bends: Mapping[str, float]
    poses: Poses3D
    lean: float
    """Median degrees between the trunk and the true vertical."""

    def flexion(self, hinge: Hinge) -> Float[np.ndarray, "T 2"]:
        """Predicted flexion, left and right, degrees."""
        return flexion(self.poses.points, hinge, self.poses.skeleton)


def main(
    settings: OmitArgPrefixes[Settings],
    lifter: str = "default",
    noise: Literal["none", "measured"] = "none",
    flexion: bool = False,
    seconds: float = 2.0,
    drawn: int = 6,
    seed: int = 0,
) -> None:
    """Measure and print.

    Args:
        settings: As for ``kinelift run``.
        lifter: Name of a lifter, or path of its checkpoint.
        noise: Noise on the keypoints: none, or as measured on real video.
        flexion: Flex knees and elbows instead of standing straight.
        seconds: Length of each video.
        drawn: Number of adults sampled from the survey, in addition to the named bodies.
        seed: Seed of the sampled adults and of the noise.
    """
    people = bodies(drawn, seed)
    generator, frames = Generator().manual_seed(seed), round(seconds * RATE)
    with TemporaryDirectory() as folder:
        studio = Studio.open(Path(folder), frames, lifter, settings)
        answers = filmed(people, flexion, studio.lift, frames, NOISES[noise], generator)
    figures = followed(answers) if flexion else straightness(answers)
    asked = {"lifter": lifter, "noise": noise, "seed": seed, "bodies": list(people), "views": len(VIEWS)}
    print(json.dumps({"machine": machine(), **asked, **figures}, indent=2))


def filmed(
    people: Mapping[str, Lengths],
    flexion: bool,
    lift: Callable[[Float[np.ndarray, "T K 2"]], Poses3D],
    frames: int,
    noise: NoiseSettings | None,
    generator: Generator,
) -> list[Answer]:
    """Film every body in every view, straight or with each hinge bent, and lift the keypoints."""
    bends: list[dict[str, float]] = [{hinge: bend} for hinge in HINGES for bend in BENDS] if flexion else [{}]

    def film(name: str, lengths: Lengths, view: StillView, bent: Mapping[str, float]) -> Answer:
        tall = stature(lengths)
        poses = lift(noisy(view.keypoints(stand(lengths, **bent), tall), frames, noise, generator))
        up = view.place(tall).rotation @ [0.0, 1.0, 0.0]
        return Answer(name, view, bent, poses, float(np.nanmedian(lean(poses.points, up, poses.skeleton))))

    return [film(name, one, view, bent) for name, one in people.items() for view in VIEWS for bent in bends]


def straightness(answers: Sequence[Answer]) -> dict[str, Any]:
    """The figures of straight bodies: overall, by camera height, by heading and by body."""
    groups: dict[str, Callable[[Answer], str]] = {
        "height": lambda a: str(a.view.height), "heading": lambda a: str(a.view.heading), "body": lambda a: a.body
    }  # fmt: skip
    apart = {f"by {name}": {key: bent(some) for key, some in grouped(answers, of)} for name, of in groups.items()}
    return {**bent(answers), "spread": spreads(answers), **apart}


def bent(answers: Sequence[Answer]) -> dict[str, Any]:
    """Flexion and lean over these predictions, degrees."""
    out: dict[str, Any] = {}
    for hinge in ("knee", "elbow"):
        each = [a.flexion(hinge) for a in answers]
        worst = max(float(np.nanmedian(one, axis=0).max()) for one in each)
        out[hinge] = {"median": round(float(np.nanmedian(np.concatenate(each))), 1), "worst": round(worst, 1)}
    leans = [a.lean for a in answers]
    return out | {"lean": {"median": round(float(np.median(leans)), 1), "worst": round(max(leans), 1)}}


def spreads(answers: Iterable[Answer]) -> dict[str, float]:
    """Coefficient of variation of limb lengths in a view, percent."""
    each = [percent for answer in answers for percent in spread(answer.poses).values()]
    return {"median": round(float(np.median(each)), 2), "worst": round(max(each), 2)}


def followed(answers: Sequence[Answer]) -> dict[str, Any]:
    """The figures of each hinge that was flexed."""
    return {hinge: _followed([answer for answer in answers if hinge in answer.bends], hinge) for hinge in HINGES}


def _followed(answers: Sequence[Answer], hinge: Hinge) -> dict[str, Any]:
    """Slope and bias of one hinge overall, by heading and by camera height, and predictions by true flexion."""
    return {
        **line(answers, hinge),
        "answers": {key: median(some, hinge) for key, some in grouped(answers, lambda a: str(a.bends[hinge]))},
        "by heading": {key: line(some, hinge) for key, some in grouped(answers, lambda a: str(a.view.heading))},
        "by height": {key: line(some, hinge) for key, some in grouped(answers, lambda a: str(a.view.height))},
    }


def line(answers: Sequence[Answer], hinge: Hinge) -> dict[str, float]:
    """The least-squares line of predicted over true flexion, and the mean difference in degrees."""
    predicted = np.array([np.nanmedian(a.flexion(hinge), axis=0) for a in answers])
    true = np.repeat([[a.bends[hinge]] for a in answers], 2, axis=1)
    slope = np.polyfit(true.ravel(), predicted.ravel(), 1)[0]
    return {"slope": round(float(slope), 3), "bias": round(float((predicted - true).mean()), 1)}


def median(answers: Iterable[Answer], hinge: Hinge) -> float:
    """Median predicted flexion over all frames, degrees."""
    return round(float(np.nanmedian(np.concatenate([a.flexion(hinge) for a in answers]))), 1)


def grouped(answers: Iterable[Answer], of: Callable[[Answer], str]) -> Iterable[tuple[str, list[Answer]]]:
    """Group the answers by the key ``of``, in order of first appearance."""
    groups: dict[str, list[Answer]] = {}
    for answer in answers:
        groups.setdefault(of(answer), []).append(answer)
    return groups.items()


if __name__ == "__main__":
    torch.set_num_threads(1)
    tyro.cli(main)
