"""Simulates the program on motion capture: virtual cameras, noisy keypoints, lifting.

Classifiers trained on these poses have seen the lifter's errors before they are used on real video.
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

from kinelift.lifting.body import FitMode
from kinelift.lifting.datasets.dataset_split import TEST_SUBJECTS
from kinelift.lifting.lifter import Lifter
from kinelift.lifting.measuring.evaluation import Report, report
from kinelift.lifting.mocap.prepare import Clip, write
from kinelift.lifting.synthesis.bank import MOCAP, MotionBank
from kinelift.lifting.synthesis.noise import MEASURED, MEASURED_HEAVY, MEASURED_NONE, NoiseSettings
from kinelift.lifting.synthesis.trials import Trial
from kinelift.lifting.synthesis.virtual_camera import project_virtual_camera
from kinelift.lifting.world.stage import WorldLifter
from kinelift.poses import H36M17, convert
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
"""The kind of clip that ``save`` writes."""


@dataclass(frozen=True)
class ReliftSettings:
    """How clips are recorded and lifted.

    Raises:
        SettingsError: A value is out of range.
    """

    lifter: str = "default"
    """Name of a lifter, or path of its checkpoint."""
    cameras: int = 2
    """Random cameras per clip."""
    noise: Noise = "measured"
    """Errors of the detector: as measured on real video (the default, BlazePose heavy, or MoveNet alone), as in the
    training of lifters, or none."""
    lens: Literal["assumed", "known"] = "assumed"
    """Focal length given to the lifter: the one the program assumes by default, or the true one."""
    fit: FitMode = "body"
    """Fit the lifted poses to one body of constant size, as in the program, or not."""
    rate: float = 30.0
    """Frames per second of the simulated videos."""
    seed: int = 0
    """Seed of cameras and noise."""

    def __post_init__(self) -> None:
        if self.cameras < 1:
            raise SettingsError(f"There are {self.cameras} cameras. Give at least one with --cameras.")
        if not (isfinite(self.rate) and self.rate > 0):
            raise SettingsError(f"The frame rate is {self.rate}. Give a positive number with --rate.")

    def load(self, device: str = "cpu") -> Lifter:
        """Load the lifter.

        Raises:
            WeightsError: There is no such lifter.
        """
        return Lifter.load(find(self.lifter), device)


@dataclass(frozen=True, eq=False)
class Relifted(Trial):
    """One clip recorded by one camera, and the lifted poses."""

    source: int
    """Row of the clip in the prepared file."""
    points: Float[np.ndarray, "T K 3"]
    """Relative to the root, metres, camera axes, like ``truth``; NaN in frames with too few keypoints."""


def relift(bank: MotionBank, lifter: Lifter, settings: ReliftSettings) -> Iterator[Relifted]:
    """Lift every clip of ``bank`` as recorded by ``settings.cameras`` cameras, in the order of the bank.

    Cameras and noise depend on the seed, the clip's name and its motion only, not on other clips.
    """
    pose_lifter = WorldLifter(lifter, settings.fit)
    for source in range(len(bank)):
        times, motion = _resample(bank, source, settings.rate)
        for camera in range(settings.cameras):
            generator = _generator(f"{settings.seed}/{camera}/{bank.names[source]}", bank.clip(source))
            track, truth, true_camera = project_virtual_camera(motion, times, NOISES[settings.noise], generator)
            assumed = (
                true_camera
                if settings.lens == "known"
                else Camera.from_field_of_view(DEFAULT_FIELD_OF_VIEW, track.size)
            )
            trial = (
                bank.subjects[source],
                bank.actions[source],
                bank.names[source],
                track,
                truth,
                true_camera,
                MOCAP.root,
            )
            poses = pose_lifter.lift(track, assumed)
            yield Relifted(*trial, source, convert(poses.points, poses.skeleton, H36M17))


def save(path: Path, clips: Sequence[Relifted], settings: ReliftSettings) -> None:
    """Write lifted poses in the layout of ``lifting prepare``, with three more arrays.

    ``kinds`` is ``KIND`` for every clip; ``sources`` is its row in the prepared file, because the pieces of a divided
    recording share a name; ``made_with`` holds ``settings`` as JSON.

    Raises:
        OutputError: The file cannot be written.
    """
    write(
        path,
        [Clip(clip.clip, clip.subject, clip.action, clip.points, settings.rate) for clip in clips],
        H36M17.joints,
        kinds=np.array([KIND] * len(clips)),
        sources=np.array([clip.source for clip in clips]),
        made_with=np.array(json.dumps(asdict(settings))),
    )


def errors(bank: MotionBank, clips: Sequence[Relifted]) -> Mapping[str, Report]:
    """Errors of the lifted poses, separately for the lifters' test subjects and for the other subjects.

    The lifter was trained on the others, so it does better on them than on new people.
    """
    test_names = bank.with_subjects(TEST_SUBJECTS).names
    parts = {
        "test subjects": [clip for clip in clips if clip.clip in test_names],
        "other subjects": [clip for clip in clips if clip.clip not in test_names],
    }
    return {name: report(part, lambda clip: clip.points) for name, part in parts.items() if part}


def _resample(bank: MotionBank, source: int, rate: float) -> tuple[Float[Tensor, " T"], Float[Tensor, "T J 3"]]:
    """Frame times (s) at ``rate``, and the clip resampled to them."""
    duration = (int(bank.lengths[source]) - 1) / float(bank.rates[source])
    times = torch.arange(floor(duration * rate + 1e-3) + 1, dtype=torch.float64) / rate
    frames = (times * float(bank.rates[source])).float()
    return times, bank.interpolate(torch.tensor([source]), frames[None])[0]


def _generator(name: str, motion: Float[Tensor, "T J 3"]) -> Generator:
    digest = blake2b(name.encode() + motion.numpy().tobytes(), digest_size=7).digest()
    return Generator().manual_seed(int.from_bytes(digest, "big"))
