"""3D poses while the frames come in: a causal network that keeps what its layers have seen."""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float

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
    """One person, frame by frame: the poses that ``Lifter.lift`` gives for the whole track, as soon as they are due.

    The network sees frames at its own rate, each interpolated between the two video frames around it. Answers come at
    that rate, counted from the first frame, each with the first video frame that is not before it. ``size``: the
    picture's (width, height). Raises ``SettingsError`` for a network that looks ahead, or whose input changes when
    further frames follow.
    """

    def __init__(self, network: LifterNetwork, camera: Camera, size: tuple[int, int]) -> None:
        if not (isinstance(network.net, TemporalNet) and network.net.config.causal):
            raise SettingsError(
                "This lifter looks ahead, so it cannot follow a stream. Name a causal one, such as: live"
            )
        if not normalisation(network.normalisation).framewise:
            raise SettingsError(
                f"This lifter's input is normalised over a whole window ({network.normalisation}), so it cannot follow "
                f"a stream. Train one with: --causal --normalisation frame"
            )
        self.network, self.camera, self.size = network, camera, size
        self._net = TemporalStream(network.net)
        self._normalise = normalisation(network.normalisation)
        self._frames: list[tuple[float, Float[np.ndarray, "2*J 2"]]] = []
        self._start, self._answers = 0.0, 0

    def push(self, time: float, keypoints: Keypoints) -> Iterator[tuple[float, Pose]]:
        """Take the keypoints (pixels, NaN = not seen) of the frame at ``time`` (s), later than the one before.

        Gives the time and the pose (metres, relative to the root joint, camera axes) of every answer now due.
        """
        if not self._frames:
            self._start = time
        inputs = self._normalise.inputs(self._with_mirror(keypoints), self.camera, self.size)
        self._frames = [*self._frames[-1:], (time, inputs)]
        while (due := self._start + self._answers / self.network.rate) <= time + 1e-9:
            self._answers += 1
            yield due, self._pose(due)

    def _pose(self, due: float) -> Pose:
        """The answer at time ``due``, averaged over the person and the mirror image."""
        times, shown = np.array([t for t, _ in self._frames]), np.stack([p for _, p in self._frames])
        points, seen = sample(shown, times, np.array([due]))
        both = torch.from_numpy(points[0]).float().unflatten(0, (2, 1, -1))
        features, rotation = self._normalise(both, torch.from_numpy(seen[0]).unflatten(0, (2, 1, -1)))
        answers = (self._net.push(features[:, 0]) @ rotation[:, 0]).double().numpy()
        mirrored = answers[1][list(self.network.target.mirror)] * [-1.0, 1.0, 1.0]
        pose = (answers[0] + mirrored) / 2
        return pose - pose[self.network.target.root]

    def _with_mirror(self, keypoints: Keypoints) -> Float[np.ndarray, "2*J 2"]:
        """The person, and behind it the mirror image."""
        swapped = keypoints[list(self.network.source.mirror)] * [-1.0, 1.0] + [float(self.size[0]), 0.0]
        return np.concatenate([keypoints, swapped])
