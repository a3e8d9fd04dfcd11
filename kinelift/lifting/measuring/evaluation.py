"""Errors of a lifter on held-out subjects, and of a baseline that always predicts the mean pose.

Errors of position follow two protocols. In one, predicted poses are relative to their own root joint, as the program
gives them. In the other the predicted root stays where the network put it, as in the published code of Pavllo et al.
2019: its distance from the true root at 0 is an error of every joint.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from statistics import fmean
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Bool, Float

from kinelift.lifting.body import PoseLifter
from kinelift.lifting.lifter import Lifter
from kinelift.lifting.measuring.intervals import confidence_intervals
from kinelift.lifting.measuring.metrics import auc, mpjae, mpjpe, mpjve, n_mpjpe, p_mpjpe, pck
from kinelift.lifting.synthesis.trials import Trial
from kinelift.lifting.world.stage import estimate_up
from kinelift.poses.errors import DataError

Poses = Float[np.ndarray, "T K 3"]
TrialT = TypeVar("TrialT", bound=Trial)


@dataclass(frozen=True)
class Errors:
    """Mean errors over the frames that have both a true and a predicted pose; NaN where there are too few."""

    frames: int
    """Frames that have a true pose."""
    answered: float
    """Share of them (0–1) that have a prediction; the others show too few keypoints."""
    mpjpe: float
    """P1 of poses relative to their own root, mm."""
    mpjpe_kept: float
    """P1 with the predicted root kept, mm."""
    p_mpjpe: float
    """P2, mm."""
    n_mpjpe: float
    """P3 of poses relative to their own root, mm."""
    n_mpjpe_kept: float
    """P3 with the predicted root kept, mm."""
    mpjve: float
    """mm per frame, over consecutive predicted frames."""
    mpjae: float
    """mm per frame², over consecutive predicted frames."""
    pck: float
    """Percentage of joints within 150 mm."""
    auc: float
    """Mean of ``pck`` over thresholds from 0 to 150 mm."""

    def __str__(self) -> str:
        return self.cell(POSITION)

    def cell(self, metrics: Sequence[str]) -> str:
        """``metrics`` as text, with the share of predicted frames where it is below 100 %."""
        share = "" if self.answered == 1 else f" ({self.answered:.0%})"
        return " / ".join(self.number(key) for key in metrics) + share

    def number(self, key: str) -> str:
        """One metric as text."""
        value = getattr(self, key)
        return f"{value:.{2 if key in MOTION else 1}f}" if isfinite(value) else "–"

    @staticmethod
    def mean(items: Sequence["Errors"]) -> "Errors":
        """The unweighted mean, ignoring NaN; ``frames`` are added up."""
        means = {}
        for name in ("answered", *METRICS):
            finite = [value for errors in items if isfinite(value := getattr(errors, name))]
            means[name] = fmean(finite) if finite else nan
        return Errors(sum(errors.frames for errors in items), **means)


METRICS = {
    "mpjpe": "MPJPE",
    "mpjpe_kept": "MPJPE, root kept",
    "p_mpjpe": "P-MPJPE",
    "n_mpjpe": "N-MPJPE",
    "n_mpjpe_kept": "N-MPJPE, root kept",
    "mpjve": "MPJVE",
    "mpjae": "MPJAE",
    "pck": "PCK",
    "auc": "AUC",
}
"""Fields of ``Errors`` and their headings in tables."""
POSITION = ("mpjpe", "p_mpjpe")
MOTION = ("mpjve", "mpjae")
CORRECT = ("pck", "auc")


@dataclass(frozen=True)
class Interval:
    """Between these errors the mean lies with a confidence of 95 %, if clips are drawn at random.

    NaN if no action has two clips.
    """

    low: Errors
    high: Errors


@dataclass(frozen=True)
class Report:
    """Errors of one lifter: over all frames, by subject and by action.

    ``action_mean`` is the figure usually published: frames count equally within an action, and actions count equally.
    """

    overall: Errors
    subjects: Mapping[str, Errors]
    actions: Mapping[str, Errors]
    action_mean: Errors
    overall_interval: Interval
    action_mean_interval: Interval

    @property
    def subject_mean(self) -> Errors:
        """The unweighted mean over subjects."""
        return Errors.mean(tuple(self.subjects.values()))


def report(trials: Iterable[TrialT], predict: Callable[[TrialT], Poses]) -> Report:
    """Compare predictions with the truth.

    Args:
        trials: The test videos.
        predict: Returns poses like ``Trial.truth``, or with their root elsewhere; NaN in frames without a prediction.

    Raises:
        DataError: No frame has a true pose.
    """
    overall = _Sum()
    subjects: defaultdict[str, _Sum] = defaultdict(_Sum)
    actions: defaultdict[str, _Sum] = defaultdict(_Sum)
    clips: defaultdict[tuple[str, str], _Sum] = defaultdict(_Sum)
    for trial in trials:
        sums = _sums(predict(trial), trial)
        for group in (overall, subjects[trial.subject], actions[trial.action], clips[trial.action, trial.clip]):
            group.add(sums)
    if not overall.counts["answered"]:
        raise DataError("Cannot measure errors: no frame has a true pose. Choose other subjects or actions.")
    by_subject, by_action = ({name: groups[name].errors() for name in sorted(groups)} for groups in (subjects, actions))
    action_mean = Errors.mean(tuple(by_action.values()))
    return Report(overall.errors(), by_subject, by_action, action_mean, *_intervals(clips, overall.counts["answered"]))


def predictions(lifter: PoseLifter) -> Callable[[Trial], Poses]:
    """The poses that ``lifter`` predicts, for ``report``. Feet, which ``Trial.truth`` lacks, are left out."""
    return lambda trial: lifter.lift(trial.track, trial.camera).points[:, : trial.truth.shape[1]]


def network_predictions(lifter: Lifter) -> Callable[[Trial], Poses]:
    """As ``predictions``, with the root where the network put it. The direction up is estimated if it is needed."""

    def predict(trial: Trial) -> Poses:
        up = estimate_up([trial.track], lifter, trial.camera)
        return lifter.joints(trial.track, trial.camera, up)[:, : trial.truth.shape[1]]

    return predict


def mean_pose(trials: Iterable[Trial]) -> Callable[[Trial], Poses]:
    """A baseline that ignores its input: the mean of all true poses in the camera frame.

    Raises:
        DataError: There are no true poses.
    """
    total, frames = np.zeros(()), 0
    for trial in trials:
        complete = trial.truth[_is_complete(trial.truth)]
        total = total + complete.sum(0)
        frames += len(complete)
    if not frames:
        raise DataError("There is no true pose to average. Choose other subjects or actions.")
    mean = total / frames
    return lambda trial: np.broadcast_to(mean, trial.truth.shape)


def to_json(table: Mapping[str, Any]) -> str:
    """Reports and errors, at any depth, as JSON by field; NaN becomes null."""
    return json.dumps(_to_builtin(table), indent=1, allow_nan=False) + "\n"


def _to_builtin(value: Any) -> Any:
    if isinstance(value, Report | Errors | Interval):
        return _to_builtin(vars(value))
    if isinstance(value, Mapping):
        return {name: _to_builtin(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_to_builtin(item) for item in value]
    return None if isinstance(value, float) and not isfinite(value) else value


_Sums = Mapping[str, tuple[float, int]]


def _sums(predicted: Poses, trial: Trial) -> _Sums:
    """For each field of ``Errors``: its sum over one trial, and the number of frames (or differences) summed."""
    truth, relative = trial.truth, predicted - predicted[:, trial.root, None]
    has_truth = _is_complete(truth)
    valid = has_truth & _is_complete(predicted)
    frames = int(valid.sum())
    sums = {"answered": (float(frames), int(has_truth.sum()))}
    for name, (metric, kept) in _OF_FRAMES.items():
        scale, poses = 100 if name in CORRECT else 1000, predicted if kept else relative
        sums[name] = (frames * scale * metric(poses[valid], truth[valid]) if frames else 0.0, frames)
    for name, metric, order in (("mpjve", mpjve, 1), ("mpjae", mpjae, 2)):
        runs = [run for run in _runs(valid) if run.stop - run.start > order]
        counts = [run.stop - run.start - order for run in runs]
        total = sum(n * 1000 * metric(relative[run], truth[run]) for n, run in zip(counts, runs, strict=True))
        sums[name] = (total, sum(counts))
    return sums


_OF_FRAMES: Mapping[str, tuple[Callable[[Poses, Poses], float], bool]] = {
    "mpjpe": (mpjpe, False),
    "mpjpe_kept": (mpjpe, True),
    "p_mpjpe": (p_mpjpe, False),
    "n_mpjpe": (n_mpjpe, False),
    "n_mpjpe_kept": (n_mpjpe, True),
    "pck": (pck, False),
    "auc": (auc, False),
}
"""The metrics of single frames, and whether the predicted root is kept."""


def _is_complete(poses: Poses) -> Bool[np.ndarray, " T"]:
    """Whether each frame has all joints."""
    complete: Bool[np.ndarray, " T"] = np.isfinite(poses).all((1, 2))
    return complete


def _runs(valid: Bool[np.ndarray, " T"]) -> list[slice]:
    """Runs of consecutive valid frames."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], valid, [False]])))
    return [slice(start, stop) for start, stop in edges.reshape(-1, 2).tolist()]


def _intervals(clips: Mapping[tuple[str, str], "_Sum"], frames: int) -> tuple[Interval, Interval]:
    """The intervals of the mean over all frames and of the mean over actions."""
    names = ("answered", *METRICS)
    totals, counts = (
        np.array([[getattr(one, what)[name] for name in names] for one in clips.values()], dtype=float)
        for what in ("totals", "counts")
    )
    bounds = confidence_intervals(totals, counts, [action for action, _ in clips])
    overall, action_mean = (Interval(*(Errors(frames, *map(float, row)) for row in one)) for one in bounds)
    return overall, action_mean


class _Sum:
    """Accumulates sums and counts; the mean of nothing is NaN."""

    def __init__(self) -> None:
        self.totals: defaultdict[str, float] = defaultdict(float)
        self.counts: defaultdict[str, int] = defaultdict(int)

    def add(self, sums: _Sums) -> None:
        for name, (total, count) in sums.items():
            self.totals[name] += total
            self.counts[name] += count

    def errors(self) -> Errors:
        means = {name: self.totals[name] / count if count else nan for name, count in self.counts.items()}
        return Errors(self.counts["answered"], **means)
