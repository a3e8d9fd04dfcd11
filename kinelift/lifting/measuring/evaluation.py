"""Errors of a lifter on subjects that it has not seen, beside the error of always answering the mean pose."""

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
from kinelift.lifting.measuring.trials import Trial
from kinelift.poses.errors import DataError

Poses = Float[np.ndarray, "T K 3"]
Seen = TypeVar("Seen", bound=Trial)


@dataclass(frozen=True)
class Errors:
    """Mean errors over the ``answered`` share (0–1) of ``frames``; the others showed too few keypoints.

    Frames without a true pose do not count. ``mpjpe`` (P1), ``p_mpjpe`` (P2) and ``n_mpjpe`` (P3) in mm; ``mpjve`` in
    mm a frame and ``mpjae`` in mm a frame², over runs of answered frames; ``pck``: percentage of joints within 150 mm;
    ``auc``: its mean over 0 to 150 mm. NaN = nothing was answered, or no two (three) frames in a row.
    """

    frames: int
    answered: float
    mpjpe: float
    p_mpjpe: float
    n_mpjpe: float
    mpjve: float
    mpjae: float
    pck: float
    auc: float

    def __str__(self) -> str:
        return _cell(self, POSITION)

    @staticmethod
    def mean(several: Sequence["Errors"]) -> "Errors":
        """The plain mean, whatever the number of frames; these are added up. What is NaN does not count."""
        means = {}
        for name in ("answered", *METRICS):
            known = [value for one in several if isfinite(value := getattr(one, name))]
            means[name] = fmean(known) if known else nan
        return Errors(sum(one.frames for one in several), **means)


METRICS = {
    "mpjpe": "MPJPE", "p_mpjpe": "P-MPJPE", "n_mpjpe": "N-MPJPE", "mpjve": "MPJVE", "mpjae": "MPJAE", "pck": "PCK",
    "auc": "AUC",
}  # fmt: skip
"""Fields of ``Errors`` and what tables call them."""
POSITION = ("mpjpe", "p_mpjpe")
MOTION = ("mpjve", "mpjae")
CORRECT = ("pck", "auc")


@dataclass(frozen=True)
class Report:
    """Errors of one way to lift: over all frames, by subject and action, and the plain means over these.

    The mean over actions is what is published: frames count alike within an action, and actions count alike.
    """

    overall: Errors
    subjects: Mapping[str, Errors]
    actions: Mapping[str, Errors]
    action_mean: Errors

    @property
    def subject_mean(self) -> Errors:
        """The plain mean over subjects."""
        return Errors.mean(tuple(self.subjects.values()))


def report(trials: Iterable[Seen], answer: Callable[[Seen], Poses]) -> Report:
    """Compare ``answer(trial)`` with the truth. Raises ``DataError`` if no frame has a true pose."""
    whole = _Sum()
    subjects: defaultdict[str, _Sum] = defaultdict(_Sum)
    actions: defaultdict[str, _Sum] = defaultdict(_Sum)
    for trial in trials:
        measured = _measured(answer(trial), trial.truth)
        for group in (whole, subjects[trial.subject], actions[trial.action]):
            group.add(measured)
    if not whole.counts["answered"]:
        raise DataError("Nothing to measure: no frame has a true pose. Choose other subjects or actions.")
    by_subject, by_action = ({name: groups[name].errors() for name in sorted(groups)} for groups in (subjects, actions))
    return Report(whole.errors(), by_subject, by_action, Errors.mean(tuple(by_action.values())))


def lifted(lifter: PoseLifter) -> Callable[[Trial], Poses]:
    """What ``lifter`` answers."""
    return lambda trial: lifter.lift(trial.track, trial.camera).points


def mean_pose(trials: Iterable[Trial]) -> Callable[[Trial], Poses]:
    """The mean of all true poses in the camera frame, whatever is seen: what an answer is worth without looking.

    Raises ``DataError`` if there are none.
    """
    total, frames = np.zeros(()), 0
    for trial in trials:
        known = trial.truth[_whole(trial.truth)]
        total = total + known.sum(0)
        frames += len(known)
    if not frames:
        raise DataError("No true pose to take the mean of. Choose other subjects or actions.")
    mean = total / frames
    return lambda trial: np.broadcast_to(mean, trial.truth.shape)


def written(table: Mapping[str, Any]) -> str:
    """Reports, errors and whatever holds them as JSON, by field; null = NaN, which JSON does not have."""
    return json.dumps(_plain(table), indent=1, allow_nan=False) + "\n"


def tables(reports: Mapping[str, Report], metrics: Sequence[str] = POSITION) -> Mapping[str, str]:
    """Markdown tables of every report: all metrics, then ``metrics`` (such as ``MOTION``) by subject and by action.

    Where not every frame has an answer, the share that does stands behind. Units are those of ``Errors``.
    """
    return {
        "All metrics": _all_metrics(reports),
        "Overall": _table(reports, metrics, _totals),
        "By subject": _table(reports, metrics, lambda one: one.subjects),
        "By action": _table(reports, metrics, lambda one: one.actions),
    }


def _totals(one: Report) -> Mapping[str, Errors]:
    return {"all": one.overall, "mean over subjects": one.subject_mean, "mean over actions": one.action_mean}


def _all_metrics(reports: Mapping[str, Report]) -> str:
    lines = ["| | over | " + " | ".join(METRICS.values()) + " |", "|---|---|" + "---:|" * len(METRICS)]
    for name, found in reports.items():
        overs = {"frames": found.overall, "subjects": found.subject_mean, "actions": found.action_mean}
        for over, errors in overs.items():
            lines.append(f"| {name} | {over} | " + " | ".join(_number(errors, key) for key in METRICS) + " |")
    return "\n".join(lines)


def _table(
    reports: Mapping[str, Report], metrics: Sequence[str], rows: Callable[[Report], Mapping[str, Errors]]
) -> str:
    what = " / ".join(METRICS[key] for key in metrics)
    lines = ["| | frames | " + " | ".join(f"{name}, {what}" for name in reports) + " |"]
    lines.append("|---|---:|" + "---:|" * len(reports))
    for name in dict.fromkeys(name for one in reports.values() for name in rows(one)):
        found = [rows(one).get(name) for one in reports.values()]
        frames = max(errors.frames for errors in found if errors)
        lines.append(f"| {name} | {frames} | " + " | ".join(_cell(e, metrics) if e else "–" for e in found) + " |")
    return "\n".join(lines)


def _cell(errors: Errors, metrics: Sequence[str]) -> str:
    share = "" if errors.answered == 1 else f" ({errors.answered:.0%})"
    return " / ".join(_number(errors, key) for key in metrics) + share


def _number(errors: Errors, key: str) -> str:
    value = getattr(errors, key)
    return f"{value:.{2 if key in MOTION else 1}f}" if isfinite(value) else "–"


def _plain(value: Any) -> Any:
    if isinstance(value, Report | Errors):
        return _plain(vars(value))
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not isfinite(value) else value


_Measured = Mapping[str, tuple[float, int]]


def _measured(predicted: Poses, truth: Poses) -> _Measured:
    """By field of ``Errors``: its sum over one trial, and over how many frames, or steps between frames, that is."""
    known = _whole(truth)
    given = known & _whole(predicted)
    frames = int(given.sum())
    found = {"answered": (float(frames), int(known.sum()))}
    for name, metric in (("mpjpe", mpjpe), ("p_mpjpe", p_mpjpe), ("n_mpjpe", n_mpjpe), ("pck", pck), ("auc", auc)):
        scale = 100 if name in CORRECT else 1000
        found[name] = (frames * scale * metric(predicted[given], truth[given]) if frames else 0.0, frames)
    for name, metric, order in (("mpjve", mpjve, 1), ("mpjae", mpjae, 2)):
        runs = [run for run in _runs(given) if run.stop - run.start > order]
        steps = [run.stop - run.start - order for run in runs]
        total = sum(n * 1000 * metric(predicted[run], truth[run]) for n, run in zip(steps, runs, strict=True))
        found[name] = (total, sum(steps))
    return found


def _whole(poses: Poses) -> Bool[np.ndarray, " T"]:
    """Which frames have all joints."""
    return np.isfinite(poses).all((1, 2))


def _runs(given: Bool[np.ndarray, " T"]) -> list[slice]:
    """Stretches of answered frames."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], given, [False]])))
    return [slice(start, stop) for start, stop in edges.reshape(-1, 2).tolist()]


class _Sum:
    """Running means; NaN of nothing."""

    def __init__(self) -> None:
        self.totals: defaultdict[str, float] = defaultdict(float)
        self.counts: defaultdict[str, int] = defaultdict(int)

    def add(self, measured: _Measured) -> None:
        for name, (total, count) in measured.items():
            self.totals[name] += total
            self.counts[name] += count

    def errors(self) -> Errors:
        means = {name: self.totals[name] / count if count else nan for name, count in self.counts.items()}
        return Errors(self.counts["answered"], **means)
