"""Errors of a lifter on held-out subjects, and of a baseline that always predicts the mean pose."""

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
from kinelift.lifting.measuring.metrics import auc, mpjae, mpjpe, mpjve, n_mpjpe, p_mpjpe, pck
from kinelift.lifting.synthesis.trials import Trial
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
    """P1, mm."""
    p_mpjpe: float
    """P2, mm."""
    n_mpjpe: float
    """P3, mm."""
    mpjve: float
    """mm per frame, over consecutive predicted frames."""
    mpjae: float
    """mm per frame², over consecutive predicted frames."""
    pck: float
    """Percentage of joints within 150 mm."""
    auc: float
    """Mean of ``pck`` over thresholds from 0 to 150 mm."""

    def __str__(self) -> str:
        return _cell(self, POSITION)

    @staticmethod
    def mean(items: Sequence["Errors"]) -> "Errors":
        """The unweighted mean, ignoring NaN; ``frames`` are added up."""
        means = {}
        for name in ("answered", *METRICS):
            finite = [value for errors in items if isfinite(value := getattr(errors, name))]
            means[name] = fmean(finite) if finite else nan
        return Errors(sum(errors.frames for errors in items), **means)


METRICS = {
    "mpjpe": "MPJPE", "p_mpjpe": "P-MPJPE", "n_mpjpe": "N-MPJPE", "mpjve": "MPJVE", "mpjae": "MPJAE", "pck": "PCK",
    "auc": "AUC",
}  # fmt: skip
"""Fields of ``Errors`` and their headings in tables."""
POSITION = ("mpjpe", "p_mpjpe")
MOTION = ("mpjve", "mpjae")
CORRECT = ("pck", "auc")


@dataclass(frozen=True)
class Report:
    """Errors of one lifter: over all frames, by subject and by action.

    ``action_mean`` is the figure usually published: frames count equally within an action, and actions count equally.
    """

    overall: Errors
    subjects: Mapping[str, Errors]
    actions: Mapping[str, Errors]
    action_mean: Errors

    @property
    def subject_mean(self) -> Errors:
        """The unweighted mean over subjects."""
        return Errors.mean(tuple(self.subjects.values()))


def report(trials: Iterable[TrialT], predict: Callable[[TrialT], Poses]) -> Report:
    """Compare predictions with the truth.

    Args:
        trials: The test videos.
        predict: Returns poses like ``Trial.truth``; NaN in frames without a prediction.

    Raises:
        DataError: No frame has a true pose.
    """
    overall = _Sum()
    subjects: defaultdict[str, _Sum] = defaultdict(_Sum)
    actions: defaultdict[str, _Sum] = defaultdict(_Sum)
    for trial in trials:
        sums = _sums(predict(trial), trial.truth)
        for group in (overall, subjects[trial.subject], actions[trial.action]):
            group.add(sums)
    if not overall.counts["answered"]:
        raise DataError("Cannot measure errors: no frame has a true pose. Choose other subjects or actions.")
    by_subject, by_action = ({name: groups[name].errors() for name in sorted(groups)} for groups in (subjects, actions))
    return Report(overall.errors(), by_subject, by_action, Errors.mean(tuple(by_action.values())))


def predictions(lifter: PoseLifter) -> Callable[[Trial], Poses]:
    """The poses that ``lifter`` predicts, for ``report``. Feet, which ``Trial.truth`` lacks, are left out."""
    return lambda trial: lifter.lift(trial.track, trial.camera).points[:, : trial.truth.shape[1]]


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


def tables(reports: Mapping[str, Report], metrics: Sequence[str] = POSITION) -> Mapping[str, str]:
    """Markdown tables by title: all metrics, then ``metrics`` (such as ``MOTION``) overall, by subject and by action.

    The share of predicted frames follows in brackets where it is below 100 %. Units are those of ``Errors``.
    """
    return {
        "All metrics": _all_metrics(reports),
        "Overall": _table(reports, metrics, _totals),
        "By subject": _table(reports, metrics, lambda report: report.subjects),
        "By action": _table(reports, metrics, lambda report: report.actions),
    }


def _totals(report: Report) -> Mapping[str, Errors]:
    return {
        "all": report.overall,
        "mean over subjects": report.subject_mean,
        "mean over actions": report.action_mean,
    }


def _all_metrics(reports: Mapping[str, Report]) -> str:
    lines = ["| | over | " + " | ".join(METRICS.values()) + " |", "|---|---|" + "---:|" * len(METRICS)]
    for name, report in reports.items():
        means = {"frames": report.overall, "subjects": report.subject_mean, "actions": report.action_mean}
        for over, errors in means.items():
            lines.append(f"| {name} | {over} | " + " | ".join(_number(errors, key) for key in METRICS) + " |")
    return "\n".join(lines)


def _table(
    reports: Mapping[str, Report], metrics: Sequence[str], rows: Callable[[Report], Mapping[str, Errors]]
) -> str:
    heading = " / ".join(METRICS[key] for key in metrics)
    lines = ["| | frames | " + " | ".join(f"{name}, {heading}" for name in reports) + " |"]
    lines.append("|---|---:|" + "---:|" * len(reports))
    for name in dict.fromkeys(name for report in reports.values() for name in rows(report)):
        row = [rows(report).get(name) for report in reports.values()]
        frames = max(errors.frames for errors in row if errors)
        lines.append(
            f"| {name} | {frames} | " + " | ".join(_cell(errors, metrics) if errors else "–" for errors in row) + " |"
        )
    return "\n".join(lines)


def _cell(errors: Errors, metrics: Sequence[str]) -> str:
    share = "" if errors.answered == 1 else f" ({errors.answered:.0%})"
    return " / ".join(_number(errors, key) for key in metrics) + share


def _number(errors: Errors, key: str) -> str:
    value = getattr(errors, key)
    return f"{value:.{2 if key in MOTION else 1}f}" if isfinite(value) else "–"


def _to_builtin(value: Any) -> Any:
    if isinstance(value, Report | Errors):
        return _to_builtin(vars(value))
    if isinstance(value, Mapping):
        return {name: _to_builtin(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_to_builtin(item) for item in value]
    return None if isinstance(value, float) and not isfinite(value) else value


_Sums = Mapping[str, tuple[float, int]]


def _sums(predicted: Poses, truth: Poses) -> _Sums:
    """For each field of ``Errors``: its sum over one trial, and the number of frames (or differences) summed."""
    has_truth = _is_complete(truth)
    valid = has_truth & _is_complete(predicted)
    frames = int(valid.sum())
    sums = {"answered": (float(frames), int(has_truth.sum()))}
    for name, metric in (("mpjpe", mpjpe), ("p_mpjpe", p_mpjpe), ("n_mpjpe", n_mpjpe), ("pck", pck), ("auc", auc)):
        scale = 100 if name in CORRECT else 1000
        sums[name] = (frames * scale * metric(predicted[valid], truth[valid]) if frames else 0.0, frames)
    for name, metric, order in (("mpjve", mpjve, 1), ("mpjae", mpjae, 2)):
        runs = [run for run in _runs(valid) if run.stop - run.start > order]
        counts = [run.stop - run.start - order for run in runs]
        total = sum(n * 1000 * metric(predicted[run], truth[run]) for n, run in zip(counts, runs, strict=True))
        sums[name] = (total, sum(counts))
    return sums


def _is_complete(poses: Poses) -> Bool[np.ndarray, " T"]:
    """Whether each frame has all joints."""
    complete: Bool[np.ndarray, " T"] = np.isfinite(poses).all((1, 2))
    return complete


def _runs(valid: Bool[np.ndarray, " T"]) -> list[slice]:
    """Runs of consecutive valid frames."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], valid, [False]])))
    return [slice(start, stop) for start, stop in edges.reshape(-1, 2).tolist()]


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
