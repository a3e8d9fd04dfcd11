"""Prepared motion capture in memory, which can be sampled at any time and speed."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Generator, Tensor

from kinelift.poses import COCO23, H36M17, H36M21
from kinelift.poses.archive import read_all_arrays
from kinelift.poses.errors import DataError
from kinelift.poses.skeleton import MOCAP28

FORMAT = 3
"""Format of prepared files. Since 2, all motion is on the body of ``anthropometry.typical``; since 3, with feet."""
MOCAP = MOCAP28
"""The joints of a prepared file, from which lifters are trained. This is the only place that names this skeleton."""
KEYPOINTS, JOINTS = COCO23, H36M21
"""The skeletons of the input and of the output of lifters that are trained on motion capture."""
COCO = tuple(MOCAP.index(name) for name in KEYPOINTS.joints)
"""Index in ``MOCAP`` of each keypoint."""
TARGET = tuple(MOCAP.index(name.replace("_toe", "_big_toe")) for name in JOINTS.joints)
"""Index in ``MOCAP`` of each joint of the output."""
BODY_JOINTS = TARGET[: len(H36M17)]
"""Index in ``MOCAP`` of each H36M-17 joint, on which lifters are compared."""


@dataclass(frozen=True, eq=False)
class MotionBank:
    """Motion capture clips, concatenated.

    Attributes:
        points: Joints of ``MOCAP`` in world metres, Y up.
        starts: First frame of each clip.
        lengths: Frames of each clip.
        rates: Frames per second of each clip.
        names: Name of each clip.
        subjects: Subject of each clip.
        actions: Action of each clip.
    """

    points: Float[Tensor, "F J 3"]
    starts: Int[Tensor, " K"]
    lengths: Int[Tensor, " K"]
    rates: Float[Tensor, " K"]
    names: tuple[str, ...]
    subjects: tuple[str, ...]
    actions: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    @staticmethod
    def load(path: Path) -> "MotionBank":
        """Load a file that ``kinelift lifting prepare`` wrote.

        Raises:
            DataError: The file is missing, damaged, or of another kind or format.
        """
        if not path.is_file():
            raise DataError(f"No prepared motion capture at {path}. Make it with: kinelift lifting prepare FOLDER")
        try:
            file = _arrays(path)
            if int(file["format"]) != FORMAT:
                raise DataError(
                    f"{path} has format {file['format']}; this version reads format {FORMAT}. Prepare it again."
                )
            if tuple(file["joints"]) != MOCAP.joints:
                raise DataError(f"{path} has other joints than this version expects. Prepare it again.")
            offsets = torch.from_numpy(file["offsets"])
            return MotionBank(
                torch.from_numpy(file["points"]),
                offsets[:-1],
                offsets.diff(),
                torch.from_numpy(file["rates"]).float(),
                *(tuple(map(str, file[key])) for key in ("names", "subjects", "actions")),
            )
        except DataError:
            raise
        except Exception as error:  # damaged bytes can raise anything
            raise DataError(
                f"{path} is not a file of prepared motion capture, or it is damaged ({error}). Prepare it again."
            ) from error

    def with_subjects(self, subjects: Collection[str]) -> "MotionBank":
        """Select the clips of these subjects."""
        return self._select([k for k, subject in enumerate(self.subjects) if subject in subjects])

    def without_subjects(self, subjects: Collection[str]) -> "MotionBank":
        """Select the clips of all other subjects."""
        return self._select([k for k, subject in enumerate(self.subjects) if subject not in subjects])

    def without_clips(self, names: Collection[str]) -> "MotionBank":
        """Select all clips except those with these names."""
        return self._select([k for k, name in enumerate(self.names) if name not in names])

    def to(self, device: torch.device) -> "MotionBank":
        """Copy the clips to a device."""
        tensors = {name: getattr(self, name).to(device) for name in ("points", "starts", "lengths", "rates")}
        return replace(self, **tensors)

    def clip(self, k: int) -> Float[Tensor, "T J 3"]:
        """Get all frames of clip ``k``, at ``rates[k]``."""
        return self.points[self.starts[k] : self.starts[k] + self.lengths[k]]

    def draw(self, count: int, generator: Generator) -> tuple[Int[Tensor, " B"], Float[Tensor, " B"]]:
        """Draw random clips, and a random position (in frames) within each.

        The weight of a subject is the square root of the length of its clips.
        """
        totals = dict.fromkeys(self.subjects, 0.0)
        for subject, length in zip(self.subjects, self.lengths.tolist(), strict=True):
            totals[subject] += length
        weights = torch.tensor([totals[s] for s in self.subjects], device=self.lengths.device).rsqrt()
        clips = torch.multinomial(self.lengths * weights, count, replacement=True, generator=generator)
        position = torch.rand(count, generator=generator, device=generator.device)
        return clips, position * (self.lengths[clips] - 1)

    def find_frames(
        self, predicate: Callable[[Float[Tensor, "F J 3"]], Bool[Tensor, " F"]]
    ) -> tuple[Int[Tensor, " N"], Float[Tensor, " N"]]:
        """Find all frames that satisfy ``predicate``, and return their clips and their frame numbers."""
        matches = [torch.nonzero(predicate(self.clip(k)))[:, 0] for k in range(len(self))]
        clips = [torch.full_like(frames, k) for k, frames in enumerate(matches)]
        return torch.cat(clips), torch.cat(matches).float()

    def interpolate(self, clips: Int[Tensor, " B"], frames: Float[Tensor, "B R"]) -> Float[Tensor, "B R J 3"]:
        """Interpolate joints linearly at fractional frames of clips; beyond its ends a clip repeats its edge frames."""
        last = (self.lengths[clips] - 1)[:, None]
        frames = frames.clamp(min=0).minimum(last)
        before = frames.floor().long()
        after = (before + 1).minimum(last)
        start = self.starts[clips][:, None]
        return torch.lerp(self.points[start + before], self.points[start + after], (frames - before)[..., None, None])

    def _select(self, indices: list[int]) -> "MotionBank":
        index = torch.tensor(indices, dtype=torch.long)
        starts, lengths, rates = (t[index] for t in (self.starts, self.lengths, self.rates))
        names, subjects, actions = (tuple(s[k] for k in indices) for s in (self.names, self.subjects, self.actions))
        return MotionBank(self.points, starts, lengths, rates, names, subjects, actions)


def _arrays(path: Path) -> dict[str, Shaped[np.ndarray, "..."]]:
    try:
        return read_all_arrays(path)
    except DataError as error:
        raise ValueError(str(error)) from error
