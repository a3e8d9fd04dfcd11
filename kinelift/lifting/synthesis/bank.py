"""Motion capture in memory: every clip of a prepared file, sampled at any time and speed."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor

from kinelift.poses import COCO17, H36M17
from kinelift.poses.errors import DataError
from kinelift.poses.skeleton import MOCAP22

FORMAT = 2
"""Of prepared files. Since 2 all movement is on the body of ``anthropometry.typical``."""
FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
MOCAP = MOCAP22
"""The joints of a prepared file: the one place that says on which skeleton lifters are trained."""
COCO = tuple(MOCAP.index(name) for name in COCO17.joints)
"""Where each keypoint of coco17 is found in ``MOCAP``."""
TARGET = tuple(MOCAP.index(name) for name in H36M17.joints)
"""Where each joint of h36m17, which lifters answer, is found in ``MOCAP``."""


@dataclass(frozen=True, eq=False)
class MotionBank:
    """Clips laid end to end: ``points`` (F, J, 3) of ``MOCAP`` in world metres, Y up.

    Clip k has ``lengths[k]`` frames from ``starts[k]`` on, ``rates[k]`` of them a second.
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
        """Read what ``kinelift lifting prepare`` wrote. Raises ``DataError`` for any other file."""
        if not path.is_file():
            raise DataError(f"No prepared motion capture at {path}. Make it with: kinelift lifting prepare FOLDER")
        try:
            with np.load(path, allow_pickle=False) as file:
                if int(file["format"]) != FORMAT:
                    raise DataError(
                        f"{path} has format {file['format']}; this version reads {FORMAT}. Prepare it again."
                    )
                if tuple(file["joints"]) != MOCAP.joints:
                    raise DataError(f"{path} holds other joints than this version expects. Prepare it again.")
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

    def only(self, subjects: Collection[str]) -> "MotionBank":
        """The clips of these subjects."""
        keep = [k for k, subject in enumerate(self.subjects) if subject in subjects]
        return self._chosen(keep)

    def without(self, subjects: Collection[str]) -> "MotionBank":
        """The clips of all other subjects."""
        return self._chosen([k for k, subject in enumerate(self.subjects) if subject not in subjects])

    def dropping(self, names: Collection[str]) -> "MotionBank":
        """All clips but these."""
        return self._chosen([k for k, name in enumerate(self.names) if name not in names])

    def to(self, device: torch.device) -> "MotionBank":
        """The same clips on another device."""
        tensors = {name: getattr(self, name).to(device) for name in ("points", "starts", "lengths", "rates")}
        return replace(self, **tensors)

    def clip(self, k: int) -> Float[Tensor, "T J 3"]:
        """All frames of clip ``k``, at ``rates[k]``."""
        return self.points[self.starts[k] : self.starts[k] + self.lengths[k]]

    def draw(self, count: int, generator: Generator) -> tuple[Int[Tensor, " B"], Float[Tensor, " B"]]:
        """Clips and places (frames) in them. A subject with much material counts by the square root of its length."""
        totals = dict.fromkeys(self.subjects, 0.0)
        for subject, length in zip(self.subjects, self.lengths.tolist(), strict=True):
            totals[subject] += length
        share = torch.tensor([totals[s] for s in self.subjects], device=self.lengths.device).rsqrt()
        clips = torch.multinomial(self.lengths * share, count, replacement=True, generator=generator)
        place = torch.rand(count, generator=generator, device=generator.device)
        return clips, place * (self.lengths[clips] - 1)

    def where(
        self, shows: Callable[[Float[Tensor, "F J 3"]], Bool[Tensor, " F"]]
    ) -> tuple[Int[Tensor, " N"], Float[Tensor, " N"]]:
        """Clips and places (frames) in them of all frames that ``shows`` is true of."""
        found = [torch.nonzero(shows(self.clip(k)))[:, 0] for k in range(len(self))]
        clips = [torch.full_like(frames, k) for k, frames in enumerate(found)]
        return torch.cat(clips), torch.cat(found).float()

    def at(self, clips: Int[Tensor, " B"], frames: Float[Tensor, "B R"]) -> Float[Tensor, "B R J 3"]:
        """Joints at fractional frames of clips, linear in between; the ends of a clip repeat."""
        last = (self.lengths[clips] - 1)[:, None]
        frames = frames.clamp(min=0).minimum(last)
        before = frames.floor().long()
        after = (before + 1).minimum(last)
        start = self.starts[clips][:, None]
        return torch.lerp(self.points[start + before], self.points[start + after], (frames - before)[..., None, None])

    def _chosen(self, keep: list[int]) -> "MotionBank":
        index = torch.tensor(keep, dtype=torch.long)
        starts, lengths, rates = (t[index] for t in (self.starts, self.lengths, self.rates))
        names, subjects, actions = (tuple(s[k] for k in keep) for s in (self.names, self.subjects, self.actions))
        return MotionBank(self.points, starts, lengths, rates, names, subjects, actions)
