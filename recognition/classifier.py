"""A trained classifier applied to a person's poses: what they do, from when to when."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from poses import H36M17, Action, Poses3D
from poses.errors import ShapeError
from recognition.data.clips import OTHER
from recognition.network import ActionNetwork
from recognition.segments import UNKNOWN, Timeline, segments
from recognition.windows import WindowPlan, cut, resample, starts

Recogniser = Callable[[Float[np.ndarray, "B T 17 3"]], Float[np.ndarray, "B K"]]
"""Probabilities of every label for windows of finite poses."""


@dataclass(frozen=True, eq=False)
class Classifier:
    """Slides a window over a person's poses at a fixed pace in seconds, whatever the frame rate.

    A window of which less than ``evidence`` seconds were seen, or in which a joint was out of sight for longer than
    ``plan.gap``, says nothing and ends up "unknown".
    """

    recogniser: Recogniser
    labels: tuple[str, ...]
    plan: WindowPlan
    timeline: Timeline
    evidence: float = 0.5

    @staticmethod
    def load(path: Path, device: str = "cpu") -> "Classifier":
        """A classifier from a checkpoint. Raises ``WeightsError`` if ``path`` is not one."""
        network = ActionNetwork.load(path, device)
        timeline = Timeline(network.calibration.threshold)
        return Classifier(network.probabilities, network.labels, network.plan, timeline)

    @property
    def actions(self) -> tuple[str, ...]:
        """Everything that ``classify`` can answer, "unknown" last."""
        return (*(label for label in self.labels if label != OTHER), UNKNOWN)

    def classify(self, poses: Poses3D) -> tuple[Action, ...]:
        """Segments that cover the person's time on the picture without gap or overlap; none where there is no frame.

        Poses shorter than a window are lengthened by playing them backwards and forwards, as in training; below
        ``evidence`` seconds the answer is "unknown". Raises ``ShapeError`` unless the skeleton is h36m17.
        """
        if not len(poses):
            return ()
        if poses.skeleton != H36M17:
            raise ShapeError(f"Actions are recognised from h36m17 skeletons; this one is {poses.skeleton.name}.")
        even = resample(poses.points, poses.times, self.plan)
        centres = self._centres(len(even)) + float(poses.times[0])
        return segments(self._probabilities(even), centres, _span(poses, self.plan), self._names, self.timeline)

    def _probabilities(self, even: Float[np.ndarray, "N 17 3"]) -> Float[np.ndarray, "W A"]:
        """Probability of every action for every window, "other" left out; NaN where nothing can be said."""
        windows = cut(even, self.plan)
        usable = np.isfinite(windows).all(axis=(1, 2, 3)) & (len(even) > self.evidence * self.plan.rate)
        out = np.full((len(windows), len(self.labels)), np.nan)
        if usable.any():
            out[usable] = self.recogniser(windows[usable])
        return out[:, self._kept]

    def _centres(self, frames: int) -> Float[np.ndarray, " W"]:
        length = min(frames, self.plan.frames)
        return (starts(frames, self.plan) + (length - 1) / 2) / self.plan.rate

    @property
    def _kept(self) -> Bool[np.ndarray, " K"]:
        return np.array([label != OTHER for label in self.labels])

    @property
    def _names(self) -> tuple[str, ...]:
        return self.actions[:-1]


def _span(poses: Poses3D, plan: WindowPlan) -> tuple[float, float]:
    """From the first frame to the end of the last one, which lasts as long as the others do."""
    frame = float(np.median(np.diff(poses.times))) if len(poses) > 1 else 1 / plan.rate
    return float(poses.times[0]), float(poses.times[-1]) + frame
