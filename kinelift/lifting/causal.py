"""Poses of one person while frames come in: a stream with steady bone lengths and a place in front of the camera."""

from copy import copy
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinelift.lifting.lifter import MIN_KEYPOINTS
from kinelift.lifting.network import LifterNetwork
from kinelift.lifting.root import DEPTH_SMOOTHING, estimate_root
from kinelift.lifting.running_lengths import RunningLengths
from kinelift.lifting.stream import LifterStream
from kinelift.poses import H36M17, convert
from kinelift.poses.camera import Camera

LONGEST_GAP = 0.5
"""Seconds without enough keypoints after which the network starts anew."""


@dataclass(frozen=True, eq=False)
class CausalPose:
    """One person at one moment.

    Attributes:
        points: Joints in metres relative to the root joint, camera axes.
        root: Place of the root joint in the camera frame, metres; NaN if it is not known.
        up: The direction up (unit vector, camera axes) as the network sees it; None if it does not estimate it.
    """

    points: Float[np.ndarray, "K 3"]
    root: Float[np.ndarray, " 3"]
    up: Float[np.ndarray, " 3"] | None


class CausalLifter:
    """Lifts one person frame by frame, from the past only.

    Poses have the lengths of ``RunningLengths``. A pose is up to one step of the network (1 / ``rate``) older than the
    frame that it is given for.
    """

    def __init__(self, network: LifterNetwork, camera: Camera, size: tuple[int, int]) -> None:
        """Start without frames.

        Args:
            network: A causal network; see ``LifterStream``.
            camera: The camera of the video.
            size: (width, height) of the video, px.

        Raises:
            SettingsError: The network or its input needs future frames.
        """
        self._network, self._camera = network, camera
        self._begin(LifterStream(network, camera, size))

    def fresh(self) -> "CausalLifter":
        """A lifter without frames, for another person, that shares the network of this one."""
        other = copy(self)
        other._begin(self._stream.fresh())
        return other

    def _begin(self, stream: LifterStream) -> None:
        self._stream, self._lengths = stream, RunningLengths(self._network.target)
        self._last: float | None = None
        self._points: Float[np.ndarray, "K 3"] | None = None
        self._depth: float | None = None

    def push(self, time: float, keypoints: Float[np.ndarray, "J 2"]) -> CausalPose | None:
        """Add a frame.

        Args:
            time: Seconds; must increase.
            keypoints: Pixels, in the network's ``source`` layout; NaN where not detected.

        Returns:
            The newest pose; None if there are fewer than ``MIN_KEYPOINTS`` keypoints.
        """
        if np.isfinite(keypoints).all(-1).sum() < MIN_KEYPOINTS:
            return None
        if self._last is not None and time - self._last > LONGEST_GAP:
            self._stream = self._stream.fresh()
            self._last = self._depth = None
        for _, pose in self._stream.push(time, keypoints):
            self._points = self._lengths.applied(pose)
        assert self._points is not None  # a stream answers its first frame
        root = self._root(self._points, keypoints, 0.0 if self._last is None else time - self._last)
        self._last = time
        return CausalPose(self._points, root, self._stream.estimated_up)

    def _root(
        self, points: Float[np.ndarray, "K 3"], keypoints: Float[np.ndarray, "J 2"], step: float
    ) -> Float[np.ndarray, " 3"]:
        """The place of the root joint, with its depth smoothed by a first-order low-pass filter."""
        plane = convert(self._camera.plane(keypoints[None]), self._network.source, H36M17)
        pose = convert(points[None], self._network.target, H36M17)
        root: Float[np.ndarray, " 3"] = estimate_root(pose, plane, np.zeros(1))[0]
        if not np.isfinite(root).all():
            return root
        before = root[2] if self._depth is None else self._depth
        share = 1 - np.exp(-step / DEPTH_SMOOTHING)
        self._depth = float(before * (root[2] / before) ** share)
        return np.asarray(root * self._depth / root[2])
