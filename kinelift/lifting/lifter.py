"""Lifts a person's 2D track to 3D poses with a trained network."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from kinelift.lifting.axis_keypoints import keypoints, lacking
from kinelift.lifting.coordinates import normalisation
from kinelift.lifting.inference.dense import DenseLifting, up_tensor
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
    """Lifts tracks of any length and any frame rate, constant or not. First and last frames are repeated as padding.

    A temporal network whose input is normalised frame by frame runs over the whole track at once
    (``lifting.inference.dense``). Other networks get windows resampled to their frame rate
    (``lifting.inference.sliding``): one around every frame, or overlapping ones if they predict many frames.
    """

    network: LifterNetwork
    device: torch.device
    batch: int = 512
    """Frames predicted in one forward pass over windows; bounds the memory."""
    chunk: int = 1536
    """Steps at the network's rate predicted in one pass over a whole track; bounds the memory."""
    step: int = 5
    """Frames, at the network's rate, between overlapping windows."""

    @staticmethod
    def load(path: Path, device: str = "cpu") -> "Lifter":
        """Load a lifter from its checkpoint.

        Raises:
            WeightsError: The file is not a lifter's checkpoint.
        """
        network = LifterNetwork.load(path)
        for net in (network.net, network.trajectory):
            if net:
                net.to(device)
        return Lifter(network, torch.device(device))

    @property
    def source(self) -> Skeleton:
        """The skeleton of the input keypoints."""
        return self.network.source

    def lift(self, track: Track2D, camera: Camera, up: Float[np.ndarray, " 3"] | None = None) -> Poses3D:
        """Lift a track, averaging the predictions for the track and its mirror image.

        Args:
            track: Keypoints of one person, pixels.
            camera: The camera of ``track``.
            up: The direction up in camera axes, for networks that take it; None if not known.

        Returns:
            Poses in metres, camera axes; NaN in frames with fewer than ``MIN_KEYPOINTS`` keypoints. ``root`` comes from
            the trajectory network if there is one and its input keeps distance; it is valid for cameras of the focal
            length it was trained with. Otherwise ``root`` is estimated from the pose and its keypoints.

        Raises:
            SettingsError: The track lacks keypoints other than those of face and feet.
        """
        network, points = self.network, self.joints(track, camera, up)
        points -= points[:, network.target.root, None].copy()
        if network.trajectory and normalisation(network.normalisation).keeps_distance:
            inputs = self._inputs(track, camera)
            valid = np.isfinite(inputs).all(-1).sum(1) >= MIN_KEYPOINTS
            roots = self._average(network.trajectory, inputs, track.times, None)[:, 0]
            root = fill_gaps(np.where(valid[:, None], roots, np.nan))
        else:
            root = _estimate_root(points, network, track, camera)
        return Poses3D(points, track.times, root, network.target)

    def joints(
        self, track: Track2D, camera: Camera, up: Float[np.ndarray, " 3"] | None = None
    ) -> Float[np.ndarray, "T K 3"]:
        """What ``lift`` predicts, metres, camera axes, with the root joint where the network put it, near 0."""
        inputs = self._inputs(track, camera)
        valid = np.isfinite(inputs).all(-1).sum(1) >= MIN_KEYPOINTS
        rows = self._average(self.network.net, inputs, track.times, up)[:, : len(self.network.target)]
        return np.where(valid[:, None, None], rows, np.nan).astype(np.float64)

    def estimate_up(self, track: Track2D, camera: Camera) -> Float[np.ndarray, "T 3"] | None:
        """The direction up (unit vectors, camera axes) as the network sees it in every frame.

        Returns:
            NaN in frames with fewer than ``MIN_KEYPOINTS`` keypoints. None if the network does not estimate it.
        """
        if not normalisation(self.network.normalisation).has_up:
            return None
        inputs = self._inputs(track, camera)
        valid = np.isfinite(inputs).all(-1).sum(1) >= MIN_KEYPOINTS
        up = self._average(self.network.net, inputs, track.times, None)[:, -1]
        return np.where(valid[:, None], up / np.linalg.norm(up, axis=1, keepdims=True), np.nan)

    def _inputs(self, track: Track2D, camera: Camera) -> Float[np.ndarray, "T J 2"]:
        network = self.network
        if missing := lacking(track.skeleton, network.source):
            raise SettingsError(
                f"This lifter takes {network.source} keypoints; the track has {track.skeleton}, without "
                f"{', '.join(missing)}. Use a detector that gives {network.source} keypoints, or another lifter."
            )
        points = keypoints(track, network.source)
        return normalisation(network.normalisation).inputs(points, camera, track.size)

    def _average(
        self,
        net: Net,
        inputs: Float[np.ndarray, "T J 2"],
        times: Float[np.ndarray, " T"],
        up: Float[np.ndarray, " 3"] | None,
    ) -> Float[np.ndarray, "T R 3"]:
        """The rows that ``net`` predicts, camera axes: the mean over the person and the mirror image."""
        network, flip = self.network, np.array([-1.0, 1.0, 1.0])
        rows = self._run(net, inputs, times, up)
        mirrored = self._run(
            net, inputs[:, list(network.source.mirror)] * flip[:2], times, None if up is None else up * flip
        )
        swap = list(range(rows.shape[1]))
        if net is network.net:
            swap[: len(network.target)] = network.target.mirror
        mirrored = mirrored[:, swap]
        mirrored *= flip
        rows += mirrored  # in place: of a track of an hour, each copy takes 28 MB
        rows /= 2
        return rows

    def _run(
        self,
        net: Net,
        inputs: Float[np.ndarray, "T J 2"],
        times: Float[np.ndarray, " T"],
        up: Float[np.ndarray, " 3"] | None,
    ) -> Float[np.ndarray, "T R 3"]:
        """The rows that ``net`` predicts for every frame, in camera axes."""
        if net in self._dense:
            return self._dense[net](inputs, times, up)
        return self._windowed(net, inputs, times, up)

    @cached_property
    def _dense(self) -> Mapping[Net, DenseLifting]:
        """The networks that can run over whole tracks, prepared for that."""
        network, normalise = self.network, normalisation(self.network.normalisation)
        nets = [net for net in (network.net, network.trajectory) if isinstance(net, TemporalNet)]
        return {
            net: DenseLifting(FusedTemporalNet(net), normalise, network.rate, self.chunk, self.device)
            for net in nets
            if normalise.framewise and net.config.layout == "dilated"
        }

    def _windowed(
        self,
        net: Net,
        inputs: Float[np.ndarray, "T J 2"],
        times: Float[np.ndarray, " T"],
        up: Float[np.ndarray, " 3"] | None,
    ) -> Float[np.ndarray, "T R 3"]:
        """The predictions of ``net`` for every frame, in camera axes, from windows."""
        window_net, frames, rate = windowed(net), framing(net.config), self.network.rate
        offsets = (np.arange(frames.window) - frames.first) / rate
        normalise = normalisation(self.network.normalisation)

        @torch.inference_mode()
        def predict(starts: Float[np.ndarray, " B"]) -> Float[np.ndarray, "B S R 3"]:
            windows, visible = sample(inputs, times, starts[:, None] + offsets)
            points = torch.from_numpy(windows).float().to(self.device)
            shown = torch.from_numpy(visible).to(self.device)
            features, rotation = normalise(points, shown, up_tensor(up, len(points), self.device))
            return np.asarray((window_net(features) @ rotation[:, frames.target_slice]).cpu().double().numpy())

        if frames.outputs == 1:
            return one_window_per_frame(predict, times, self.batch)
        return overlapping_windows(predict, times, rate, frames.outputs, self.step, self.batch)


def _estimate_root(
    points: Float[np.ndarray, "T K 3"], network: LifterNetwork, track: Track2D, camera: Camera
) -> Float[np.ndarray, "T 3"]:
    """Estimate the root for any skeletons."""
    plane = convert(camera.plane(track.points), track.skeleton, H36M17)
    return estimate_root(convert(points, network.target, H36M17), plane, track.times)
