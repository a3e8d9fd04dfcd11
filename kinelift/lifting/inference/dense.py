"""Runs a temporal network over whole tracks at once, sharing layers between frames. Its input must be framewise."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from kinelift.lifting.coordinates import Normalisation
from kinelift.models.fused_temporal import FusedTemporalNet
from kinelift.poses.timeseries import interpolate, sample

DEFAULT_PHASES = 3
"""Phases for frames that do not fit on a grid: at 20 Hz, an instant every 1/60 s."""

MAX_PHASES = 6
"""Maximum number of phases; six fit 24 frames per second to a network of 20 Hz."""

_RATE_TOLERANCE = 0.002
"""Frame rates that differ by this share or less count as equal, such as 29.97 and 30 Hz."""

_TIME_TOLERANCE = 0.001
"""Seconds: deviation from even spacing up to which frames have a frame rate. Some files round times to milliseconds."""

_GRID_TOLERANCE = 1e-6
"""Instants: a frame this close to an instant is on the grid."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Evenly spaced instants from the first frame of a track on, and the position of each frame among them.

    Every ``phases``-th instant belongs to one sequence at the network's rate.
    """

    start: float
    """Time of instant 0, seconds."""
    spacing: float
    """Seconds between instants."""
    phases: int
    index: Int[np.ndarray, " T"]
    """The instant at or before each frame."""
    fraction: Float[np.ndarray, " T"]
    """Position of each frame between that instant (0) and the next (1)."""

    @staticmethod
    def of(times: Float[np.ndarray, " T"], rate: float) -> "Grid":
        """The grid for frames at ``times`` (s) and a network at ``rate`` Hz.

        For evenly spaced frames it has the fewest phases that put every frame on an instant, adjusting the network's
        rate by at most 0.2 %. If that takes more than ``MAX_PHASES``, or the frames are uneven, it has
        ``DEFAULT_PHASES``.
        """
        phases, spacing = _exact_grid(times, rate) or (DEFAULT_PHASES, 1 / (DEFAULT_PHASES * rate))
        position = (times - times[0]) / spacing
        index = np.floor(position + _GRID_TOLERANCE).astype(int)
        fraction = position - index
        return Grid(float(times[0]), spacing, phases, index, np.where(fraction > _GRID_TOLERANCE, fraction, 0.0))

    @property
    def instants(self) -> Int[np.ndarray, " M"]:
        """Sorted numbers of the instants needed: one for a frame on the grid, two for any other."""
        return np.unique(np.concatenate([self.index, self.index[self.fraction > 0] + 1]))

    def at_frames(
        self, instants: Int[np.ndarray, " M"], predictions: Float[np.ndarray, "M K 3"]
    ) -> Float[np.ndarray, "T K 3"]:
        """Interpolate the predictions at ``instants`` linearly to every frame."""
        return interpolate(predictions, np.searchsorted(instants, self.index) + self.fraction)


@dataclass(frozen=True, eq=False)
class DenseLifting:
    """A network that predicts every frame of a track; the track's first and last frames are repeated as padding.

    The track is resampled to ``Grid.phases`` sequences at the network's rate, each offset by a fraction of a step, and
    each is run as a whole. A frame on an instant gets the prediction of the window around it, up to rounding; other
    frames are interpolated.
    """

    net: FusedTemporalNet
    normalisation: Normalisation
    """Must be framewise."""
    rate: float
    """Frame rate of the network, Hz."""
    chunk: int
    """Steps of a sequence predicted at once; bounds the memory."""
    device: torch.device

    def __call__(
        self,
        points: Float[np.ndarray, "T J 2"],
        times: Float[np.ndarray, " T"],
        up: Float[np.ndarray, " 3"] | None = None,
    ) -> Float[np.ndarray, "T K 3"]:
        """Predict every frame.

        Args:
            points: Keypoints in the coordinates of ``normalisation.inputs``; NaN where not detected.
            times: Time of each frame in seconds.
            up: The direction up in camera axes; None if not known.

        Returns:
            Joints in camera axes.
        """
        grid = Grid.of(times, self.rate)
        instants = grid.instants
        predictions = np.empty((len(instants), self.net.config.joints_out, 3), np.float32)
        for part in _chunks(instants, grid.phases, self.chunk):
            steps = (instants[part] - instants[part[0]]) // grid.phases
            start = grid.start + grid.spacing * instants[part[0]]
            predictions[part] = self._predict(points, times, up, start, grid.spacing * grid.phases, steps)
        return grid.at_frames(instants, predictions)

    def _predict(
        self,
        points: Float[np.ndarray, "T J 2"],
        times: Float[np.ndarray, " T"],
        up: Float[np.ndarray, " 3"] | None,
        start: float,
        interval: float,
        steps: Int[np.ndarray, " N"],
    ) -> Float[np.ndarray, "N K 3"]:
        """Predictions for ``steps`` (sorted, from 0) of a sequence from ``start``, ``interval`` seconds apart."""
        before, after = self.net.config.padding
        sample_times = start + interval * np.arange(-before, steps[-1] + after + 1)
        sampled, visible = (torch.from_numpy(array) for array in sample(points, times, sample_times[None]))
        features, rotation = self.normalisation(
            sampled.float().to(self.device), visible.to(self.device), up_tensor(up, 1, self.device)
        )
        targets = torch.from_numpy(steps).to(self.device)
        return np.asarray((self.net(features, targets) @ rotation[:, targets + before])[0].cpu().numpy())


def up_tensor(up: Float[np.ndarray, " 3"] | None, count: int, device: torch.device) -> Float[Tensor, "B 3"] | None:
    """The direction up for ``count`` windows."""
    return None if up is None else torch.from_numpy(up).float().to(device).expand(count, -1)


def _exact_grid(times: Float[np.ndarray, " T"], rate: float) -> tuple[int, float] | None:
    """The fewest phases for which all frames are on the grid, and its spacing in seconds."""
    interval = float(times[-1] - times[0]) / max(len(times) - 1, 1)
    if not interval or np.abs(times - times[0] - interval * np.arange(len(times))).max() > _TIME_TOLERANCE:
        return None
    for phases in range(1, MAX_PHASES + 1):
        instants = interval * rate * phases
        rounded = round(instants)
        if abs(instants - rounded) <= _RATE_TOLERANCE * rounded:
            return phases, interval / rounded
    return None


def _chunks(instants: Int[np.ndarray, " M"], phases: int, chunk: int) -> Iterator[Int[np.ndarray, " N"]]:
    """Indices of the instants to predict together: one phase, within ``chunk`` steps. No chunk is empty."""
    for phase in range(phases):
        indices = np.flatnonzero(instants % phases == phase)
        number = instants[indices] // phases // chunk
        yield from (part for part in np.split(indices, np.flatnonzero(np.diff(number)) + 1) if len(part))
