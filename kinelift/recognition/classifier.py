"""Apply a trained classifier to a person's poses: what they do, and when."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from kinelift.poses import H36M17, Action, ActionWindows, Poses3D, convert
from kinelift.poses.containers import Recognition
from kinelift.poses.errors import ShapeError, WeightsError
from kinelift.poses.positions import positions
from kinelift.poses.timeseries import span
from kinelift.recognition.data.clips import OTHER
from kinelift.recognition.decoding import Timeline
from kinelift.recognition.network import ActionNetwork
from kinelift.recognition.segments import UNKNOWN, segments, unseen
from kinelift.recognition.windows import WindowPlan, extend, resample, starts

_Answers = tuple[np.ndarray, np.ndarray]
"""Middle (s) and probabilities of the windows of a stretch."""
Recogniser = Callable[[Float[np.ndarray, "B T J 3"]], Float[np.ndarray, "B K"]]
"""Probabilities of every label for windows of finite poses."""

TOP = 3
"""Number of labels in ``Action.top``."""
_BETWEEN = {"spine": (("hip", "thorax"), 0.5), "neck": (("thorax", "head"), 0.4)}
"""Joints of h36m17 that other layouts lack: between which joints they lie, and at what share of the way."""
_BLOCK = 512
"""Windows in memory at a time; an hour of one person has 14,400."""


@dataclass(frozen=True, eq=False)
class Classifier:
    """Slides a window over a person's poses at a fixed stride in seconds, independent of the frame rate.

    Time in which a joint is not seen for longer than ``plan.gap`` is "unknown"; what comes before and after is
    classified separately.

    Attributes:
        recogniser: Classifies windows.
        labels: Of the recogniser's outputs.
        plan: How poses are cut into windows.
        timeline: How actions are decided.
        evidence: Stretches of fewer seconds are "unknown".
    """

    recogniser: Recogniser
    labels: tuple[str, ...]
    plan: WindowPlan
    timeline: Timeline
    evidence: float = 0.5

    @staticmethod
    def load(path: Path, device: str = "cpu", threshold: float | None = None) -> "Classifier":
        """Load a classifier from a checkpoint.

        Args:
            path: The checkpoint.
            device: cpu or cuda.
            threshold: The lowest probability of an action that is named; by default, the checkpoint's.

        Raises:
            WeightsError: The file is not a checkpoint, or was trained on other skeletons or on whole clips.
        """
        network = ActionNetwork.load(path, device)
        if network.encoding.skeleton != H36M17.name:
            raise WeightsError(
                f"{path} classifies {network.encoding.skeleton} skeletons. Use a classifier of h36m17 skeletons."
            )
        if network.plan.seconds is None:
            raise WeightsError(f"{path} was trained on whole clips. Train a classifier on windows: --plan.seconds 1")
        timeline = Timeline(network.calibration.threshold if threshold is None else threshold)
        return Classifier(network.probabilities, network.labels, network.plan, timeline)

    @property
    def actions(self) -> tuple[str, ...]:
        """All labels that ``classify`` can return, "unknown" last."""
        return (*(label for label in self.labels if label != OTHER), UNKNOWN)

    def classify(self, poses: Poses3D) -> tuple[Action, ...]:
        """The actions of one person, as ``recognise`` finds them."""
        return self.recognise(poses).actions

    def recognise(self, poses: Poses3D) -> Recognition:
        """Classify the actions of one person. ``Action.top`` holds the three most probable labels. Feet are not used.

        Poses shorter than a window are extended by playing them backwards and forwards, as in training.

        Returns:
            Actions that cover the person's time in the video without gap or overlap, none if there are no frames; and
            the windows, none in time that is not seen.

        Raises:
            ShapeError: The skeleton lacks joints of h36m17 that cannot be estimated.
        """
        if not len(poses):
            return Recognition((), self._windows([]))
        even = resample(_h36m17(poses), poses.times, self.plan)
        begin, end = span(poses.times)
        marks = [begin + frame / self.plan.rate for frame in range(len(even))] + [end]
        actions: list[Action] = []
        answers: list[_Answers] = []
        for start, stop in _stretches(np.isfinite(even).all(axis=(1, 2))):
            stretch = marks[start], marks[stop]
            if answer := self._ask(even[start:stop], stretch[0]):
                actions += segments(answer[1], answer[0], stretch, self.labels, self.timeline)
                answers.append(answer)
            else:
                actions.append(unseen(stretch))
        top = tuple(replace(action, top=action.top[:TOP]) for action in _joined(actions))
        return Recognition(top, self._windows(answers))

    def _ask(self, seen: Float[np.ndarray, "N J 3"], start: float) -> _Answers | None:
        """Answers for a stretch that begins at ``start`` s; None if it is too short, or not seen."""
        if len(seen) <= self.evidence * self.plan.rate or not np.isfinite(seen).all():
            return None
        length = min(len(seen), self.plan.frames)
        centres = start + (starts(len(seen), self.plan) + (length - 1) / 2) / self.plan.rate
        return centres, self._probabilities(seen)

    def _windows(self, answers: list[_Answers]) -> ActionWindows:
        names = tuple(UNKNOWN if label == OTHER else label for label in self.labels)
        times = [times for times, _ in answers]
        rows = [rows for _, rows in answers]
        none = np.zeros(0), np.zeros((0, len(names)))
        return ActionWindows(names, np.concatenate([none[0], *times]), np.concatenate([none[1], *rows]))

    def _probabilities(self, seen: Float[np.ndarray, "N J 3"]) -> Float[np.ndarray, "W K"]:
        long = extend(seen, self.plan.frames)
        places = starts(len(seen), self.plan)[:, None] + np.arange(self.plan.frames)
        blocks = [places[i : i + _BLOCK] for i in range(0, len(places), _BLOCK)]
        return np.concatenate([self.recogniser(long[block]) for block in blocks])


def _h36m17(poses: Poses3D) -> Float[np.ndarray, "T K 3"]:
    """Where the joints of h36m17 are; spine and neck are estimated if only they are missing, as in humaneva15."""
    whole = positions(poses)
    points, given = convert(whole, poses.skeleton, H36M17), set(poses.skeleton.joints)
    missing = [name for name in H36M17.joints if name not in given]
    if not {*missing} <= _BETWEEN.keys():
        raise ShapeError(
            f"The classifier needs h36m17 skeletons; these poses are {poses.skeleton.name}. Lift them to h36m17."
        )
    for name in missing:
        (low, high), share = _BETWEEN[name]
        ends = (whole[:, poses.skeleton.index(joint)] for joint in (low, high))
        points[:, H36M17.index(name)] = (1 - share) * next(ends) + share * next(ends)
    return points


def _stretches(seen: Bool[np.ndarray, " N"]) -> list[tuple[int, int]]:
    """Start and stop of every stretch of frames that are all seen, or all not."""
    bounds = [0, *(np.flatnonzero(np.diff(seen)) + 1).tolist(), len(seen)]
    return list(pairwise(bounds))


def _joined(actions: list[Action]) -> tuple[Action, ...]:
    """Merge neighbouring unknown actions, such as an unseen stretch next to an unknown one."""
    out: list[Action] = []
    for action in actions:
        if out and out[-1].label == action.label == UNKNOWN:
            action = _both(out.pop(), action)
        out.append(action)
    return tuple(out)


def _both(a: Action, b: Action) -> Action:
    """Two actions as one; its probabilities are their means over time."""
    share = (a.end - a.start) / (b.end - a.start)
    first, second = dict(a.top), dict(b.top)
    means = {label: share * first.get(label, 0.0) + (1 - share) * second.get(label, 0.0) for label in first | second}
    top = tuple(sorted(means.items(), key=lambda entry: -entry[1]))
    return Action(a.start, b.end, a.label, means.get(a.label, 0.0), top)
