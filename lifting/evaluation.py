"""Errors of a lifter on subjects that it has not seen, beside the error of always answering the mean pose."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from lifting.lifter import Lifter
from lifting.metrics import mpjpe, p_mpjpe
from lifting.trials import Trial

Poses = Float[np.ndarray, "T 17 3"]


@dataclass(frozen=True)
class Errors:
    """Mean errors in mm over the ``answered`` share (0–1) of ``frames``; the others showed too few keypoints."""

    frames: int
    answered: float
    mpjpe: float
    p_mpjpe: float

    def __str__(self) -> str:
        share = "" if self.answered == 1 else f" ({self.answered:.0%})"
        return f"{self.mpjpe:.1f} / {self.p_mpjpe:.1f}{share}"


@dataclass(frozen=True)
class Report:
    """Errors of one way to lift: over all frames, and by subject and action."""

    overall: Errors
    subjects: Mapping[str, Errors]
    actions: Mapping[str, Errors]


def report(trials: Iterable[Trial], answer: Callable[[Trial], Poses]) -> Report:
    """Compare ``answer(trial)`` with the truth, frame by frame."""
    whole = _Sum()
    subjects: defaultdict[str, _Sum] = defaultdict(_Sum)
    actions: defaultdict[str, _Sum] = defaultdict(_Sum)
    for trial in trials:
        predicted = answer(trial)
        for group in (whole, subjects[trial.subject], actions[trial.action]):
            group.add(predicted, trial.truth)
    by_name = ({name: groups[name].errors() for name in sorted(groups)} for groups in (subjects, actions))
    return Report(whole.errors(), *by_name)


def lifted(lifter: Lifter) -> Callable[[Trial], Poses]:
    """What ``lifter`` answers."""
    return lambda trial: lifter.lift(trial.track, trial.camera).points


def mean_pose(trials: Iterable[Trial]) -> Callable[[Trial], Poses]:
    """The mean of all true poses in the camera frame, whatever is seen: what an answer is worth without looking."""
    total, frames = np.zeros((17, 3)), 0
    for trial in trials:
        total += trial.truth.sum(0)
        frames += len(trial.truth)
    mean = total / frames
    return lambda trial: np.broadcast_to(mean, trial.truth.shape)


def tables(reports: Mapping[str, Report]) -> Mapping[str, str]:
    """Markdown tables: MPJPE / P-MPJPE in mm of every report, overall and by subject and action.

    Where not every frame has an answer, the share that does stands behind.
    """
    head = "| | frames | " + " | ".join(f"{name}, MPJPE / P-MPJPE" for name in reports) + " |"
    rule = "|---|---:|" + "---:|" * len(reports)

    def table(groups: Iterable[Mapping[str, Errors]]) -> str:
        columns = list(groups)
        rows = (
            f"| {name} | {columns[0][name].frames} | " + " | ".join(str(c[name]) for c in columns) + " |"
            for name in columns[0]
        )
        return "\n".join([head, rule, *rows])

    return {
        "Overall": table({"all": r.overall} for r in reports.values()),
        "By subject": table(r.subjects for r in reports.values()),
        "By action": table(r.actions for r in reports.values()),
    }


@dataclass
class _Sum:
    """A running, frame-weighted mean over the frames that have an answer."""

    frames: int = 0
    answered: int = 0
    totals: Float[np.ndarray, " 2"] = field(default_factory=lambda: np.zeros(2))

    def add(self, predicted: Poses, truth: Poses) -> None:
        given = np.isfinite(predicted).all((1, 2))
        self.frames += len(truth)
        self.answered += int(given.sum())
        if given.any():
            errors = mpjpe(predicted[given], truth[given]), p_mpjpe(predicted[given], truth[given])
            self.totals = self.totals + given.sum() * np.array(errors)

    def errors(self) -> Errors:
        position, aligned = 1000 * self.totals / max(self.answered, 1)
        return Errors(self.frames, self.answered / self.frames, float(position), float(aligned))
