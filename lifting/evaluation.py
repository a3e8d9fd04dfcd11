"""Errors of a lifter on subjects that it has not seen, beside the error of always answering the mean pose."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from math import nan
from statistics import fmean

import numpy as np
from jaxtyping import Bool, Float

from lifting.lifter import Lifter
from lifting.metrics import auc, mpjae, mpjpe, mpjve, n_mpjpe, p_mpjpe, pck
from lifting.trials import Trial

Poses = Float[np.ndarray, "T K 3"]


@dataclass(frozen=True)
class Errors:
    """Mean errors over the ``answered`` share (0–1) of ``frames``; the others showed too few keypoints.

    ``mpjpe`` (P1), ``p_mpjpe`` (P2) and ``n_mpjpe`` (P3) in mm; ``mpjve`` in mm a frame and ``mpjae`` in mm a frame²,
    over runs of answered frames (NaN where there are none); ``pck``: percentage of joints within 150 mm; ``auc``: its mean over 0 to 150 mm.
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
        share = "" if self.answered == 1 else f" ({self.answered:.0%})"
        return f"{self.mpjpe:.1f} / {self.p_mpjpe:.1f}{share}"

    @staticmethod
    def mean(several: Sequence["Errors"]) -> "Errors":
        """The plain mean, whatever the number of frames; these are added up."""
        names = [f.name for f in fields(Errors) if f.name != "frames"]
        means = {name: fmean(getattr(one, name) for one in several) for name in names}
        return Errors(sum(one.frames for one in several), **means)


@dataclass(frozen=True)
class Report:
    """Errors of one way to lift: over all frames, by subject and action, and the plain mean over actions.

    The last is what is published: frames count alike within an action, and actions count alike.
    """

    overall: Errors
    subjects: Mapping[str, Errors]
    actions: Mapping[str, Errors]
    action_mean: Errors


def report(trials: Iterable[Trial], answer: Callable[[Trial], Poses]) -> Report:
    """Compare ``answer(trial)`` with the truth. Trials belong to one action if its names are exactly the same."""
    whole = _Sum()
    subjects: defaultdict[str, _Sum] = defaultdict(_Sum)
    actions: defaultdict[str, _Sum] = defaultdict(_Sum)
    for trial in trials:
        measured = _measured(answer(trial), trial.truth)
        for group in (whole, subjects[trial.subject], actions[trial.action]):
            group.add(len(trial.truth), measured)
    by_subject, by_action = ({name: groups[name].errors() for name in sorted(groups)} for groups in (subjects, actions))
    return Report(whole.errors(), by_subject, by_action, Errors.mean(tuple(by_action.values())))


def lifted(lifter: Lifter) -> Callable[[Trial], Poses]:
    """What ``lifter`` answers."""
    return lambda trial: lifter.lift(trial.track, trial.camera).points


def mean_pose(trials: Iterable[Trial]) -> Callable[[Trial], Poses]:
    """The mean of all true poses in the camera frame, whatever is seen: what an answer is worth without looking."""
    total, frames = 0.0, 0
    for trial in trials:
        total = total + trial.truth.sum(0)
        frames += len(trial.truth)
    mean = total / frames
    return lambda trial: np.broadcast_to(mean, trial.truth.shape)


def tables(reports: Mapping[str, Report]) -> Mapping[str, str]:
    """Markdown tables of every report: all metrics, then MPJPE / P-MPJPE (mm) by subject and by action.

    Where not every frame has an answer, the share that does stands behind.
    """
    return {
        "All metrics": _all_metrics(reports),
        "Overall": _table(reports, {"all": lambda r: r.overall, "mean over actions": lambda r: r.action_mean}),
        "By subject": _table(reports, {n: _pick("subjects", n) for n in _names(reports, "subjects")}),
        "By action": _table(reports, {n: _pick("actions", n) for n in _names(reports, "actions")}),
    }


_COLUMNS = {
    "P1": "mpjpe", "P2": "p_mpjpe", "P3": "n_mpjpe", "MPJVE": "mpjve", "MPJAE": "mpjae", "PCK": "pck", "AUC": "auc"
}  # fmt: skip


def _all_metrics(reports: Mapping[str, Report]) -> str:
    lines = ["| | over | " + " | ".join(_COLUMNS) + " |", "|---|---|" + "---:|" * len(_COLUMNS)]
    for name, found in reports.items():
        for over, errors in (("frames", found.overall), ("actions", found.action_mean)):
            cells = (f"{getattr(errors, key):.{2 if key in ('mpjve', 'mpjae') else 1}f}" for key in _COLUMNS.values())
            lines.append(f"| {name} | {over} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _table(reports: Mapping[str, Report], rows: Mapping[str, Callable[[Report], Errors]]) -> str:
    lines = ["| | frames | " + " | ".join(f"{name}, MPJPE / P-MPJPE" for name in reports) + " |"]
    lines.append("|---|---:|" + "---:|" * len(reports))
    for name, pick in rows.items():
        found = [pick(one) for one in reports.values()]
        lines.append(f"| {name} | {found[0].frames} | " + " | ".join(map(str, found)) + " |")
    return "\n".join(lines)


def _names(reports: Mapping[str, Report], groups: str) -> list[str]:
    return list(getattr(next(iter(reports.values())), groups))


def _pick(groups: str, name: str) -> Callable[[Report], Errors]:
    return lambda one: getattr(one, groups)[name]


_Measured = Mapping[str, tuple[float, int]]


def _measured(predicted: Poses, truth: Poses) -> _Measured:
    """By metric: its value on one trial, and the number of frames, or of steps between frames, that it is over."""
    given = np.isfinite(predicted).all((1, 2))
    found = {}
    for name, metric in (("mpjpe", mpjpe), ("p_mpjpe", p_mpjpe), ("n_mpjpe", n_mpjpe), ("pck", pck), ("auc", auc)):
        scale = 100 if name in ("pck", "auc") else 1000
        found[name] = (scale * metric(predicted[given], truth[given]) if given.any() else 0.0, int(given.sum()))
    for name, metric, order in (("mpjve", mpjve, 1), ("mpjae", mpjae, 2)):
        runs = [run for run in _runs(given) if run.stop - run.start > order]
        steps = [run.stop - run.start - order for run in runs]
        total = sum(n * 1000 * metric(predicted[run], truth[run]) for n, run in zip(steps, runs, strict=True))
        found[name] = (total / max(sum(steps), 1), sum(steps))
    return found


def _runs(given: Bool[np.ndarray, " T"]) -> list[slice]:
    """Stretches of answered frames."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], given, [False]])))
    return [slice(start, stop) for start, stop in edges.reshape(-1, 2).tolist()]


class _Sum:
    """Running means, weighted by what they are over."""

    def __init__(self) -> None:
        self.frames, self.answered = 0, 0
        self.totals: defaultdict[str, float] = defaultdict(float)
        self.counts: defaultdict[str, int] = defaultdict(int)

    def add(self, frames: int, measured: _Measured) -> None:
        self.frames += frames
        self.answered += measured["mpjpe"][1]
        for name, (value, count) in measured.items():
            self.totals[name] += count * value
            self.counts[name] += count

    def errors(self) -> Errors:
        means = {name: self.totals[name] / count if count else nan for name, count in self.counts.items()}
        return Errors(self.frames, self.answered / self.frames, **means)
