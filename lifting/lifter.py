"""A person's 2D track to 3D poses with a trained network."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from lifting.camera import Camera
from lifting.coordinates import normalisation
from lifting.network import LifterNetwork
from lifting.root import place
from lifting.windows import cut
from models.temporal import StridedTwin
from poses import Poses3D, Track2D, convert
from poses.errors import SettingsError

FEWEST = 5
"""Keypoints that a frame must show."""


@dataclass(frozen=True, eq=False)
class Lifter:
    """Lifts whole tracks. Every frame gets a window around its own time, resampled to the network's frame rate.

    So any frame rate, also a varying one, meets the rate that the network was trained at, nothing has to be resampled
    back, and the input can be normalised a window at a time. Tracks of any length will do: their ends repeat.
    """

    network: LifterNetwork
    device: torch.device
    batch: int = 512
    """Windows a forward pass; bounds the memory."""

    @staticmethod
    def load(path: Path, device: str = "cpu") -> "Lifter":
        """A lifter from its checkpoint. Raises ``WeightsError`` for a file that holds none."""
        network = LifterNetwork.load(path)
        network.net.to(device)
        return Lifter(network, torch.device(device))

    def lift(self, track: Track2D, camera: Camera) -> Poses3D:
        """Poses in metres in the frame of ``camera``, averaged over the track and its mirror image.

        ``root`` is where the skeleton's proportions and the keypoints agree best. Frames that show fewer than
        ``FEWEST`` keypoints are NaN: what the network would answer there is a guess.
        """
        if track.skeleton != self.network.source:
            raise SettingsError(
                f"This lifter takes {self.network.source} keypoints; the track has {track.skeleton}. "
                f"Use a detector of that layout or another lifter."
            )
        lifted = self._once(track, camera)
        flipped = self._once(track.mirrored(), camera).mirrored()
        shown = np.isfinite(track.points).all(-1).sum(1) >= FEWEST
        points = np.where(shown[:, None, None], (lifted.points + flipped.points) / 2, np.nan)
        plane = convert(camera.plane(track.points), track.skeleton, lifted.skeleton)
        return replace(lifted, points=points, root=place(points, plane, track.times))

    @torch.inference_mode()
    def _once(self, track: Track2D, camera: Camera) -> Poses3D:
        twin, prepare = StridedTwin(self.network.net), normalisation(self.network.normalisation)
        points = np.empty((len(track), len(self.network.target), 3))
        plane = camera.plane(track.points)
        for start in range(0, len(track), self.batch):
            part = slice(start, start + self.batch)
            windows, seen = cut(plane, track.times, track.times[part], self.network.times.numpy())
            inputs, rotation = prepare(self._tensor(windows), torch.from_numpy(seen).to(self.device))
            points[part] = (twin(inputs) @ rotation[:, self.network.tap]).double().cpu().numpy()
        return Poses3D(points - points[:, :1], track.times, skeleton=self.network.target)

    def _tensor(self, array: Float[np.ndarray, "..."]) -> Tensor:
        return torch.from_numpy(array).float().to(self.device)
