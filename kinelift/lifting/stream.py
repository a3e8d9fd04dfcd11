"""3D poses from a live stream of frames, with a causal network that keeps the state of its layers."""

from collections.abc import Iterator
from copy import copy
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Bool, Float

from kinelift.lifting.coordinates import normalisation
from kinelift.lifting.network import LifterNetwork
from kinelift.models.streaming import TemporalStream
from kinelift.models.temporal import TemporalNet
from kinelift.poses.camera import Camera
from kinelift.poses.errors import SettingsError
from kinelift.poses.timeseries import sample

Keypoints: TypeAlias = Float[np.ndarray, "J 2"]
Pose: TypeAlias = Float[np.ndarray, "K 3"]


class LifterStream:
    """Lifts one person frame by frame, with the same result as ``Lifter.lift`` on the whole track.

    Poses come at the network's rate from the first frame on, each as soon as a video frame at or after its time
    arrives. The network's input is interpolated between the two neighbouring video frames.

    A network with the input of published weights ("picture") takes an invisible joint where it was last visible. On a
    whole track it takes the nearest frame of the window, so results differ after a joint was lost.

    Attributes:
        estimated_up: The direction up (unit vector, camera axes) as the network saw it with its last pose. None before
            that, or if the network does not estimate it. Given an ``up``, the network repeats that.
    """

    def __init__(
        self,
        network: LifterNetwork,
        camera: Camera,
        size: tuple[int, int],
        up: Float[np.ndarray, " 3"] | None = None,
    ) -> None:
        """Start a stream.

        Args:
            network: A causal network whose input is normalised frame by frame, or as in published weights.
            camera: The camera of the video.
            size: (width, height) of the video.
            up: The direction up in camera axes, for networks that take it; None if not known.

        Raises:
            SettingsError: The network or its input needs future frames.
        """
        if not (isinstance(network.net, TemporalNet) and network.net.config.causal):
            raise SettingsError(
                "This lifter needs future frames, so it cannot follow a stream. Use a causal one, such as: live"
            )
        self._normalise = normalisation(network.normalisation)
        if not (self._normalise.framewise or self._normalise.fills):
            raise SettingsError(
                f"This lifter's input is normalised over a whole window ({network.normalisation}), so it cannot follow "
                f"a stream. Train one with: --causal --normalisation frame"
            )
        self.network, self.camera, self.size = network, camera, size
        self._net = TemporalStream(network.net)
        sides = np.zeros((2, 3)) if up is None else np.stack([up, up * [-1.0, 1.0, 1.0]])
        self._up = torch.from_numpy(sides).float()
        self._begin()

    def _begin(self) -> None:
        self._last = np.full((2 * len(self.network.source), 2), np.nan)
        self._frames: list[tuple[float, Float[np.ndarray, "2*J 2"]]] = []
        self._start, self._count = 0.0, 0
        self.estimated_up: Float[np.ndarray, " 3"] | None = None

    def fresh(self) -> "LifterStream":
        """A stream without frames, for another person, that shares the network of this one."""
        other = copy(self)
        other._net = self._net.fresh()
        other._begin()
        return other

    def push(self, time: float, keypoints: Keypoints) -> Iterator[tuple[float, Pose]]:
        """Add a frame.

        Args:
            time: Seconds; must increase.
            keypoints: Pixels; NaN where not detected.

        Yields:
            Time and pose (metres, relative to the root joint, camera axes) of every prediction that is now due.
        """
        if not self._frames:
            self._start = time
        inputs = self._with_mirror(self._normalise.inputs(keypoints, self.camera, self.size))
        self._frames = [*self._frames[-1:], (time, inputs)]
        while (due := self._start + self._count / self.network.rate) <= time + 1e-9:
            self._count += 1
            yield due, self._pose(due)

    def _pose(self, due: float) -> Pose:
        """The pose at time ``due``, averaged over the person and the mirror image."""
        times, inputs = np.array([t for t, _ in self._frames]), np.stack([p for _, p in self._frames])
        sampled, detected = sample(inputs, times, np.array([due]))
        points, visible = self._filled(sampled[0], detected[0]) if self._normalise.fills else (sampled[0], detected[0])
        both = torch.from_numpy(points).float().unflatten(0, (2, 1, -1))
        features, rotation = self._normalise(both, torch.from_numpy(visible).unflatten(0, (2, 1, -1)), self._up)
        rows = (self._net.push(features[:, 0]) @ rotation[:, 0]).double().numpy()
        if self._normalise.has_up:
            up = rows[0, -1] + rows[1, -1] * [-1.0, 1.0, 1.0]
            self.estimated_up = up / np.linalg.norm(up)
        predictions = rows[:, : len(self.network.target)]
        mirrored = predictions[1][list(self.network.target.mirror)] * [-1.0, 1.0, 1.0]
        pose = (predictions[0] + mirrored) / 2
        return np.asarray(pose - pose[self.network.target.root])

    def _filled(
        self, points: Float[np.ndarray, "P 2"], visible: Bool[np.ndarray, " P"]
    ) -> tuple[Float[np.ndarray, "P 2"], Bool[np.ndarray, " P"]]:
        """The joints of the person and the mirror image, lost ones where they were last seen, and which are known."""
        self._last = np.where(visible[:, None], points, self._last)
        known = np.isfinite(self._last).all(-1)
        return np.where(known[:, None], self._last, 0.0), known

    def _with_mirror(self, inputs: Float[np.ndarray, "J 2"]) -> Float[np.ndarray, "2*J 2"]:
        """The input of the person, followed by that of the mirror image."""
        return np.concatenate([inputs, inputs[list(self.network.source.mirror)] * [-1.0, 1.0]])
