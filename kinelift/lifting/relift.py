"""Motion capture as the program would have it: filmed, found with a detector's mistakes, and lifted again.

A classifier that learns from these poses has met the lifter's errors before it meets a user's video.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from math import floor, isfinite
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from kinelift.lifting.body import FitMode, with_fit
from kinelift.lifting.datasets.dataset_split import TEST_SUBJECTS
from kinelift.lifting.lifter import Lifter
from kinelift.lifting.measuring.evaluation import Report, report
from kinelift.lifting.measuring.trials import Trial
from kinelift.lifting.mocap.prepare import Clip, write
from kinelift.lifting.synthesis.bank import MotionBank
from kinelift.lifting.synthesis.noise import MEASURED, MEASURED_HEAVY, MEASURED_NONE, NoiseSettings
from kinelift.lifting.synthesis.virtual_camera import project_virtual_camera
from kinelift.poses import Skeleton
from kinelift.poses.camera import DEFAULT_FIELD_OF_VIEW, Camera
from kinelift.poses.errors import SettingsError
from kinelift.weights.store import find

Noise: TypeAlias = Literal["measured", "measured-heavy", "measured-movenet", "training", "none"]
NOISES: Mapping[Noise, NoiseSettings | None] = {
    "measured": MEASURED,
    "measured-heavy": MEASURED_HEAVY,
    "measured-movenet": MEASURED_NONE,
    "training": NoiseSettings(),
    "none": None,
}
KIND = "lifted"
"""What ``save`` writes for every clip's kind."""


@dataclass(frozen=True)
class ReliftSettings:
    """How clips are filmed and lifted. Raises ``SettingsError`` for values out of range."""

    lifter: str = "default"
    """Name of a lifter, or the path of its checkpoint."""
    cameras: int = 2
    """Random cameras that film each clip."""
    noise: Noise = "measured"
    """The detector's mistakes: as measured on real video (the default, BlazePose heavy, MoveNet alone), as in the
    training of lifters, or none."""
    lens: Literal["assumed", "known"] = "assumed"
    """The focal length that the lifter is told: what the program assumes if nobody says, or the true one."""
    fit: FitMode = "body"
    """What happens to the poses then, as in the program: one body of constant size, or nothing."""
    rate: float = 30.0
    """Frames a second of the films."""
    seed: int = 0
    """Of cameras and mistakes."""

    def __post_init__(self) -> None:
        if self.cameras < 1:
            raise SettingsError(f"{self.cameras} cameras film nothing. Give at least one with --cameras.")
        if not (isfinite(self.rate) and self.rate > 0):
            raise SettingsError(f"No film has {self.rate} frames a second. Give a positive number with --rate.")

    def load(self, device: str = "cpu") -> Lifter:
        """The lifter. Raises ``WeightsError``."""
        return Lifter.load(find(self.lifter), device)


@dataclass(frozen=True, eq=False)
class Relifted(Trial):
    """One clip before one camera, and what the lifter answers. ``source``: the clip's row in the prepared file.

    ``points`` like ``truth``: relative to the root, metres, camera axes; NaN in frames that show too little.
    """

    name: str
    source: int
    points: Float[np.ndarray, "T K 3"]


def relift(bank: MotionBank, lifter: Lifter, settings: ReliftSettings) -> Iterator[Relifted]:
    """Every clip of ``bank`` before ``settings.cameras`` cameras, one after the other, in the order of the bank.

    A frame's time in its clip is its number over ``settings.rate``. Cameras and mistakes follow from the seed, the
    clip's name and its motion, so other clips change nothing.
    """
    pose_lifter = with_fit(lifter, settings.fit)
    for source in range(len(bank)):
        times, motion = _at(bank, source, settings.rate)
        for camera in range(settings.cameras):
            generator = _generator(f"{settings.seed}/{camera}/{bank.names[source]}", bank.clip(source))
            track, truth, true_camera = project_virtual_camera(motion, times, NOISES[settings.noise], generator)
            assumed = (
                true_camera
                if settings.lens == "known"
                else Camera.from_field_of_view(DEFAULT_FIELD_OF_VIEW, track.size)
            )
            what = bank.subjects[source], bank.actions[source], track, truth, true_camera
            yield Relifted(*what, bank.names[source], source, pose_lifter.lift(track, assumed).points)


def save(path: Path, done: Sequence[Relifted], skeleton: Skeleton, settings: ReliftSettings) -> None:
    """Write poses of ``skeleton`` in the layout of ``lifting prepare``, and three arrays more.

    ``kinds``: ``KIND`` for every clip; ``sources``: its row in the prepared file, as the pieces of a cut recording
    have one name; ``made_with``: ``settings`` as JSON. Raises ``OutputError``.
    """
    write(
        path,
        [Clip(one.name, one.subject, one.action, one.points, settings.rate) for one in done],
        skeleton.joints,
        kinds=np.array([KIND] * len(done)),
        sources=np.array([one.source for one in done]),
        made_with=np.array(json.dumps(asdict(settings))),
    )


def errors(bank: MotionBank, done: Sequence[Relifted]) -> Mapping[str, Report]:
    """How far the lifted poses are from the motion capture: on the subjects that lifters are tested on, and on others.

    A lifter that was trained on the others does better on them than it would on anybody new.
    """
    tested = bank.only(TEST_SUBJECTS).names
    parts = {
        "test subjects": [one for one in done if one.name in tested],
        "other subjects": [one for one in done if one.name not in tested],
    }
    return {name: report(part, lambda one: one.points) for name, part in parts.items() if part}


def _at(bank: MotionBank, source: int, rate: float) -> tuple[Float[Tensor, " T"], Float[Tensor, "T J 3"]]:
    """Times (s) of a clip's frames at ``rate``, and the clip then."""
    last = (int(bank.lengths[source]) - 1) / float(bank.rates[source])
    times = torch.arange(floor(last * rate + 1e-3) + 1, dtype=torch.float64) / rate
    frames = (times * float(bank.rates[source])).float()
    return times, bank.at(torch.tensor([source]), frames[None])[0]


def _generator(name: str, motion: Float[Tensor, "T J 3"]) -> Generator:
    digest = blake2b(name.encode() + motion.numpy().tobytes(), digest_size=7).digest()
    return Generator().manual_seed(int.from_bytes(digest, "big"))
