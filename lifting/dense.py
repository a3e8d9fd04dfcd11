"""Whole tracks through a temporal net whose input is normalised frame by frame, so that answers share activations."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float, Int

from lifting.coordinates import Normalised
from lifting.windows import cut
from models.fused_temporal import FusedTemporalNet

Normalise: TypeAlias = Callable[[torch.Tensor, torch.Tensor], Normalised]

PHASES = 3
"""Grids at the network's rate, each a third of a step after the one before: at 20 Hz a moment every 1/60 s."""

_SAME_RATE = 0.002
"""Part of a moment: frame rates that a moment fits up to this, such as 29.97 Hz, have their frames on the grid."""

_UNEVEN = 0.05
"""Moments: frames that are so even have a frame rate. A millisecond, to which some files round, is less."""

_ON_GRID = 1e-6
"""Moments: a frame so near to one is on the grid."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Moments of a track, evenly spaced from the first frame on, and each frame's place among them.

    Frame t is at ``share[t]`` of the way from moment ``before[t]`` to the next.
    """

    start: float
    spacing: float
    before: Int[np.ndarray, " T"]
    share: Float[np.ndarray, " T"]

    @staticmethod
    def of(times: Float[np.ndarray, " T"], rate: float) -> "Grid":
        """The grid of a network at ``rate`` Hz for frames at ``times`` (s)."""
        spacing = _spacing(times, 1 / (PHASES * rate))
        where = (times - times[0]) / spacing
        before = np.floor(where + _ON_GRID).astype(int)
        share = where - before
        return Grid(float(times[0]), spacing, before, np.where(share > _ON_GRID, share, 0.0))

    @property
    def wanted(self) -> Int[np.ndarray, " M"]:
        """The moments that a frame needs, in order. A frame on the grid needs one."""
        return np.unique(np.concatenate([self.before, self.before[self.share > 0] + 1]))

    def between(
        self, wanted: Int[np.ndarray, " M"], answers: Float[np.ndarray, "M K 3"]
    ) -> Float[np.ndarray, "T K 3"]:
        """Every frame's answer: linear between those of ``wanted`` moments."""
        first = np.searchsorted(wanted, self.before)
        second = np.where(self.share > 0, first + 1, first)
        return answers[first] + self.share[:, None, None] * (answers[second] - answers[first])


def dense(
    net: FusedTemporalNet,
    normalise: Normalise,
    points: Float[np.ndarray, "T J 2"],
    times: Float[np.ndarray, " T"],
    rate: float,
    chunk: int,
    device: torch.device,
) -> Float[np.ndarray, "T K 3"]:
    """What ``net`` answers for every frame of a track, in camera axes; its ends repeat.

    A frame on the grid gets the answer of the window around it, up to rounding, and others something between the
    answers before and after. ``points``: as ``normalise``, which must look at each frame alone, takes them, NaN where
    unseen; ``rate``: of the net (Hz); ``chunk``: the net's steps that are answered at a time, bounds the memory.
    """
    grid = Grid.of(times, rate)
    wanted = grid.wanted
    answers = [
        _answers(net, normalise, points, times, grid, moments, device) for moments in _parts(wanted, PHASES * chunk)
    ]
    return grid.between(wanted, np.concatenate(answers))


def _answers(
    net: FusedTemporalNet,
    normalise: Normalise,
    points: Float[np.ndarray, "T J 2"],
    times: Float[np.ndarray, " T"],
    grid: Grid,
    wanted: Int[np.ndarray, " M"],
    device: torch.device,
) -> Float[np.ndarray, "M K 3"]:
    """Answers for some moments, with one sequence for each phase that occurs."""
    phases, sequence = np.unique(wanted % PHASES, return_inverse=True)
    steps = wanted // PHASES
    before, after = net.config.padding
    first = steps.min()
    reach = np.arange(first - before, steps.max() + after + 1)
    shown, seen = cut(points, times, grid.start + grid.spacing * phases, grid.spacing * PHASES * reach)
    features, rotation = normalise(
        torch.from_numpy(shown).float().to(device), torch.from_numpy(seen).to(device)
    )
    which, answer = (torch.from_numpy(index).to(device) for index in (sequence, steps - first))
    turned = net(features, which, answer) @ rotation[which, answer + before]
    return turned.cpu().double().numpy()


def _spacing(times: Float[np.ndarray, " T"], usual: float) -> float:
    """Seconds from moment to moment: a whole fraction of the time from frame to frame, if there is one so near."""
    step = (times[-1] - times[0]) / max(len(times) - 1, 1)
    near = step / max(round(step / usual), 1)
    even = np.abs(times - times[0] - step * np.arange(len(times))).max() < _UNEVEN * usual
    return float(near) if even and abs(near - usual) < _SAME_RATE * usual else usual


def _parts(wanted: Int[np.ndarray, " M"], size: int) -> Iterator[Int[np.ndarray, " N"]]:
    """Moments that are wanted, by stretches of ``size`` moments. Stretches without any are left out."""
    return iter(np.split(wanted, np.flatnonzero(np.diff(wanted // size)) + 1))
