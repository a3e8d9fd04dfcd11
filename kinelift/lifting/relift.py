"""Simulates the program on motion capture: virtual cameras, noisy keypoints, lifting.

Classifiers trained on these poses have seen the lifter's errors before they are used on real video.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
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
from kinelift.lifting.world.stage import lift_together
from kinelift.poses import H36M17, Track2D, convert
from kinelift.poses.camera import DEFAULT_FIELD_OF_VIEW, Camera
from kinelift.poses.errors import SettingsError
from kinelift.poses.positions import positions
from kinelift.poses.world import LEVEL
from kinelift.weights.store import find

Noise: TypeAlias = Literal["measured", "measured-heavy", "measured-movenet", "training", "none"]
NOISES: Mapping[Noise, NoiseSettings | None] = {
    "measured": MEASURED,
    "measured-heavy": MEASURED_HEAVY,
    "measured-movenet": MEASURED_NONE,
    "training": NoiseSettings(),
    "none": None,
}
SLOWEST = 6.0
"""Frames per second of the slowest videos."""
FEET = ("ankle", "big_toe", "small_toe", "heel")
LEGS = ("knee", *FEET)
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
    slow: float = 0.2
    """Share of videos with fewer frames per second: from 6 to ``rate``."""
    partial: float = 0.3
    """Share of videos that do not show the whole body: half of them no feet, the other half no legs."""
    seed: int = 0
    """Seed of cameras and noise."""

    def __post_init__(self) -> None:
        if self.cameras < 1:
            raise SettingsError(f"There are {self.cameras} cameras. Give at least one with --cameras.")
        if not (isfinite(self.rate) and self.rate > 0):
            raise SettingsError(f"The frame rate is {self.rate}. Give a positive number with --rate.")
        for name in ("slow", "partial"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingsError(f"--{name} is {getattr(self, name)}. Give a share from 0 to 1.")

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
    positions: Float[np.ndarray, "T K 3"]
    """The same joints in the frame of the camera."""
    rate: float
    """Frames per second."""
    axes: Float[np.ndarray, "3 3"]
    """Rows are the world's axes, y up, in camera axes, as estimated."""


def relift(bank: MotionBank, lifter: Lifter, settings: ReliftSettings) -> Iterator[Relifted]:
    """Lift every clip of ``bank`` as recorded by ``settings.cameras`` cameras, in the order of the bank.

    Cameras and noise depend on the seed, the clip's name and its motion only, not on other clips.
    """
    for source in range(len(bank)):
        for camera in range(settings.cameras):
            generator = _generator(f"{settings.seed}/{camera}/{bank.names[source]}", bank.clip(source))
            yield _filmed(bank, source, lifter, settings, generator)


def _filmed(bank: MotionBank, source: int, lifter: Lifter, settings: ReliftSettings, generator: Generator) -> Relifted:
    """One clip, recorded by a random camera and lifted as the program does it."""
    rate = _rate(settings, generator)
    times, motion = _resample(bank, source, rate)
    whole, truth, true_camera = project_virtual_camera(motion, times, NOISES[settings.noise], generator)
    track = _cropped(whole, settings.partial, generator)
    known = settings.lens == "known"
    camera = true_camera if known else Camera.from_field_of_view(DEFAULT_FIELD_OF_VIEW, track.size)
    (poses,), world = lift_together([track], lifter, camera, settings.fit)
    trial = bank.subjects[source], bank.actions[source], bank.names[source], track, truth, true_camera, MOCAP.root
    points, where = (convert(joints, poses.skeleton, H36M17) for joints in (poses.points, positions(poses)))
    return Relifted(*trial, source, points, where, rate, LEVEL if world is None else world.rotation)


def _rate(settings: ReliftSettings, generator: Generator) -> float:
    """The frame rate of a video: most have the usual one."""
    slow, share = torch.rand(2, generator=generator).tolist()
    return settings.rate if slow >= settings.slow else min(SLOWEST, settings.rate) ** (1 - share) * settings.rate**share


def _cropped(track: Track2D, partial: float, generator: Generator) -> Track2D:
    """The track, or with probability ``partial`` one whose feet or legs are never seen."""
    part, legs = torch.rand(2, generator=generator).tolist()
    if part >= partial:
        return track
    ends = LEGS if legs < 0.5 else FEET
    lost = [k for k, joint in enumerate(track.skeleton.joints) if joint.partition("_")[2] in ends]
    points, scores = track.points.copy(), track.scores.copy()
    points[:, lost], scores[:, lost] = np.nan, 0.0
    return replace(track, points=points, scores=scores)


def save(path: Path, clips: Sequence[Relifted], settings: ReliftSettings) -> None:
    """Write lifted poses, in the frame of the camera, in the layout of ``lifting prepare``, with four more arrays.

    ``kinds`` is ``KIND`` for every clip; ``sources`` is its row in the prepared file, because the pieces of a divided
    recording share a name; ``axes`` is that of ``Relifted``; ``made_with`` holds ``settings`` as JSON.

    Raises:
        OutputError: The file cannot be written.
    """
    write(
        path,
        [Clip(clip.clip, clip.subject, clip.action, clip.positions, clip.rate) for clip in clips],
        H36M17.joints,
        kinds=np.array([KIND] * len(clips)),
        sources=np.array([clip.source for clip in clips]),
        axes=np.array([clip.axes for clip in clips]),
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
