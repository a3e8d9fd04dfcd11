"""Whole tracks through a temporal net whose input is normalised frame by frame, so that its answers share layers."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int

from kinelift.lifting.coordinates import Normalisation
from kinelift.models.fused_temporal import FusedTemporalNet
from kinelift.poses.timeseries import interpolate, sample

PHASES = 3
"""Grids of a track whose frames fit no number of them: at 20 Hz a moment every 1/60 s."""

MOST_PHASES = 6
"""Grids that a track is run on at most; six fit 24 frames a second to a net of 20 Hz."""

_SAME_RATE = 0.002
"""Frame rates count as one that differ by this share or less, such as 29.97 and 30 Hz."""

_EVEN = 0.001
"""Seconds: frames no farther from even have a frame rate. Some files round times to milliseconds."""

_ON_GRID = 1e-6
"""Moments: a frame so near to one is on the grid."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Moments of a track, evenly spaced from the first frame on, and each frame's place among them.

    Frame t is at ``share[t]`` of the way from moment ``before[t]`` to the next. Every ``phases``-th moment belongs to
    one grid at the net's rate.
    """

    start: float
    spacing: float
    phases: int
    before: Int[np.ndarray, " T"]
    share: Float[np.ndarray, " T"]

    @staticmethod
    def of(times: Float[np.ndarray, " T"], rate: float) -> "Grid":
        """The grid for frames at ``times`` (s) and a net at ``rate`` Hz.

        Where the frames are even, it has as few phases as let every frame be on it, and the net's rate may change by a
        hair; if it took more than ``MOST_PHASES``, or the frames are uneven, it has ``PHASES``.
        """
        phases, spacing = _fitting(times, rate) or (PHASES, 1 / (PHASES * rate))
        where = (times - times[0]) / spacing
        before = np.floor(where + _ON_GRID).astype(int)
        share = where - before
        return Grid(float(times[0]), spacing, phases, before, np.where(share > _ON_GRID, share, 0.0))

    @property
    def wanted(self) -> Int[np.ndarray, " M"]:
        """The moments that a frame needs, in order. A frame on the grid needs one."""
        return np.unique(np.concatenate([self.before, self.before[self.share > 0] + 1]))

    def between(self, wanted: Int[np.ndarray, " M"], answers: Float[np.ndarray, "M K 3"]) -> Float[np.ndarray, "T K 3"]:
        """Every frame's answer: linear between those of the ``wanted`` moments."""
        return interpolate(answers, np.searchsorted(wanted, self.before) + self.share)


@dataclass(frozen=True, eq=False)
class DenseLifting:
    """Calling it gives what a net answers for every frame of a track, in camera axes. The track's ends repeat.

    The track is resampled to grids at the net's ``rate`` (Hz) that start part of a step after one another, and each is
    run as one sequence. A frame on one of the grids gets the answer for the window around it, up to rounding, another
    frame something between the answers before and after it. ``normalisation`` must be framewise. ``chunk``: steps of a
    grid that are answered at a time; bounds the memory.
    """

    net: FusedTemporalNet
    normalisation: Normalisation
    rate: float
    chunk: int
    device: torch.device

    def __call__(
        self, points: Float[np.ndarray, "T J 2"], times: Float[np.ndarray, " T"]
    ) -> Float[np.ndarray, "T K 3"]:
        """``points`` as the normalisation takes them, NaN where unseen; ``times`` in seconds."""
        grid = Grid.of(times, self.rate)
        wanted = grid.wanted
        answers: Float[np.ndarray, "M K 3"] = np.empty((len(wanted), self.net.config.joints_out, 3))
        for part in _sequences(wanted, grid.phases, self.chunk):
            steps = (wanted[part] - wanted[part[0]]) // grid.phases
            first = grid.start + grid.spacing * wanted[part[0]]
            answers[part] = self._answers(points, times, first, grid.spacing * grid.phases, steps)
        return grid.between(wanted, answers)

    def _answers(
        self,
        points: Float[np.ndarray, "T J 2"],
        times: Float[np.ndarray, " T"],
        first: float,
        step: float,
        wanted: Int[np.ndarray, " N"],
    ) -> Float[np.ndarray, "N K 3"]:
        """Answers for the ``wanted`` steps, in order and 0 the first, of a grid that starts at ``first`` seconds."""
        before, after = self.net.config.padding
        reach = first + step * np.arange(-before, wanted[-1] + after + 1)
        shown, seen = (torch.from_numpy(found) for found in sample(points, times, reach[None]))
        features, rotation = self.normalisation(shown.float().to(self.device), seen.to(self.device))
        steps = torch.from_numpy(wanted).to(self.device)
        return (self.net(features, steps) @ rotation[:, steps + before])[0].cpu().double().numpy()


def _fitting(times: Float[np.ndarray, " T"], rate: float) -> tuple[int, float] | None:
    """The fewest phases that have all of the frames on their grids, and seconds from moment to moment."""
    step = float(times[-1] - times[0]) / max(len(times) - 1, 1)
    if not step or np.abs(times - times[0] - step * np.arange(len(times))).max() > _EVEN:
        return None
    for phases in range(1, MOST_PHASES + 1):
        moments = step * rate * phases
        near = round(moments)
        if abs(moments - near) <= _SAME_RATE * near:
            return phases, step / near
    return None


def _sequences(wanted: Int[np.ndarray, " M"], phases: int, chunk: int) -> Iterator[Int[np.ndarray, " N"]]:
    """Which moments are answered at a time: those of a phase within ``chunk`` steps. There are no empty ones."""
    for phase in range(phases):
        mine = np.flatnonzero(wanted % phases == phase)
        number = wanted[mine] // phases // chunk
        yield from (part for part in np.split(mine, np.flatnonzero(np.diff(number)) + 1) if len(part))
