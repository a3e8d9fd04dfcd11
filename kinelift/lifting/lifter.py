"""A person's 2D track to 3D poses with a trained network."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from kinelift.lifting.coordinates import normalisation
from kinelift.lifting.inference.dense import DenseLifting
from kinelift.lifting.inference.sliding import one_window_per_frame, overlapping_windows
from kinelift.lifting.network import LifterNetwork, Net, framing, windowed
from kinelift.lifting.root import estimate_root, fill_gaps
from kinelift.models.fused_temporal import FusedTemporalNet
from kinelift.models.temporal import TemporalNet
from kinelift.poses import H36M17, Poses3D, Skeleton, Track2D, convert
from kinelift.poses.camera import Camera
from kinelift.poses.errors import SettingsError
from kinelift.poses.timeseries import sample

MIN_KEYPOINTS = 5
"""Frames with fewer keypoints are not lifted."""


@dataclass(frozen=True, eq=False)
class Lifter:
    """Lifts whole tracks of any length and frame rate, also a varying one. Their ends repeat.

    A temporal net whose input is normalised frame by frame goes over the whole track (``lifting.inference.dense``).
    Others get windows resampled to the network's frame rate (``lifting.inference.sliding``): one around the time of
    every frame, or, if they answer many frames, few that slide over the track.
    """

    network: LifterNetwork
    device: torch.device
    batch: int = 512
    """Frames answered in a forward pass over windows; bounds the memory."""
    chunk: int = 1536
    """Steps at the network's rate answered in a pass over a whole track; bounds the memory."""
    step: int = 5
    """Frames, at the network's rate, from one window to the next of a network that answers many."""

    @staticmethod
    def load(path: Path, device: str = "cpu") -> "Lifter":
        """A lifter from its checkpoint. Raises ``WeightsError`` for a file that holds none."""
        network = LifterNetwork.load(path)
        for net in (network.net, network.trajectory):
            if net:
                net.to(device)
        return Lifter(network, torch.device(device))

    @property
    def source(self) -> Skeleton:
        """The layout of the keypoints that it takes."""
        return self.network.source

    def lift(self, track: Track2D, camera: Camera) -> Poses3D:
        """Poses in metres in the frame of ``camera``, averaged over the track and its mirror image.

        Frames that show fewer than ``MIN_KEYPOINTS`` keypoints are NaN: what the network would answer there is a guess.
        ``root`` is what the trajectory network answers, if there is one and its input keeps distance; it holds for
        cameras of the focal length that it was trained with. Else it is where the skeleton's proportions and the
        keypoints agree best.
        """
        network = self.network
        if track.skeleton != network.source:
            raise SettingsError(
                f"This lifter takes {network.source} keypoints; the track has {track.skeleton}. "
                f"Use a detector of that layout or another lifter."
            )
        inputs = normalisation(network.normalisation).inputs(track.points, camera, track.size)
        lifted = self._once(inputs, track.times)
        mirrored = inputs[:, list(network.source.mirror)] * [-1.0, 1.0]
        flipped = self._once(mirrored, track.times).mirrored()
        shown = np.isfinite(inputs).all(-1).sum(1) >= MIN_KEYPOINTS
        points = np.where(shown[:, None, None], (lifted.points + flipped.points) / 2, np.nan)
        if lifted.root is None or flipped.root is None:
            return replace(lifted, points=points, root=_placed(points, network, track, camera))
        root = np.where(shown[:, None], (lifted.root + flipped.root) / 2, np.nan)
        return replace(lifted, points=points, root=fill_gaps(root))

    def _once(self, inputs: Float[np.ndarray, "T J 2"], times: Float[np.ndarray, " T"]) -> Poses3D:
        network, root = self.network, None
        points = self._answers(network.net, inputs, times)
        if network.trajectory and normalisation(network.normalisation).keeps_distance:
            root = self._answers(network.trajectory, inputs, times)[:, 0]
        centre = network.target.root
        return Poses3D(points - points[:, centre : centre + 1], times, root, network.target)

    def _answers(
        self, net: Net, inputs: Float[np.ndarray, "T J 2"], times: Float[np.ndarray, " T"]
    ) -> Float[np.ndarray, "T K 3"]:
        """What ``net`` answers for every frame, in camera axes."""
        if net in self._dense:
            return self._dense[net](inputs, times)
        return self._windowed(net, inputs, times)

    @cached_property
    def _dense(self) -> Mapping[Net, DenseLifting]:
        """Those of the networks that can go over whole tracks, made ready for it."""
        network, seen = self.network, normalisation(self.network.normalisation)
        nets = [net for net in (network.net, network.trajectory) if isinstance(net, TemporalNet)]
        return {
            net: DenseLifting(FusedTemporalNet(net), seen, network.rate, self.chunk, self.device)
            for net in nets
            if seen.framewise and net.config.layout == "dilated"
        }

    def _windowed(
        self, net: Net, inputs: Float[np.ndarray, "T J 2"], times: Float[np.ndarray, " T"]
    ) -> Float[np.ndarray, "T K 3"]:
        """What ``net`` answers for every frame, in camera axes, from windows."""
        form, frames, rate = windowed(net), framing(net.config), self.network.rate
        offsets = (np.arange(frames.window) - frames.first) / rate
        normalise = normalisation(self.network.normalisation)

        @torch.inference_mode()
        def ask(at: Float[np.ndarray, " B"]) -> Float[np.ndarray, "B S K 3"]:
            windows, seen = sample(inputs, times, at[:, None] + offsets)
            points = torch.from_numpy(windows).float().to(self.device)
            features, rotation = normalise(points, torch.from_numpy(seen).to(self.device))
            return (form(features) @ rotation[:, frames.answered]).cpu().double().numpy()

        if frames.outputs == 1:
            return one_window_per_frame(ask, times, self.batch)
        return overlapping_windows(ask, times, rate, frames.outputs, self.step, self.batch)


def _placed(
    points: Float[np.ndarray, "T K 3"], network: LifterNetwork, track: Track2D, camera: Camera
) -> Float[np.ndarray, "T 3"]:
    """The root by ``place``, for any skeletons."""
    plane = convert(camera.plane(track.points), network.source, H36M17)
    return estimate_root(convert(points, network.target, H36M17), plane, track.times)
