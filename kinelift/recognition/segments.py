"""From probabilities over time to a timeline of actions: smooth, segment, merge short segments, then name them or not.

A segment is named, or not, as a whole and after segmentation, so that single windows below the threshold do not split
it. benchmarks/studies/timeline.py compares this with Viterbi decoding.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from jaxtyping import Float, Int
from scipy.ndimage import gaussian_filter1d

from kinelift.poses import Action
from kinelift.recognition.data.clips import OTHER

UNKNOWN = "unknown"
SMOOTHING = 0.6
"""Standard deviation of the average over time, in seconds."""


@dataclass(frozen=True)
class Timeline:
    """How a timeline is made from probabilities.

    Attributes:
        threshold: A segment is "unknown" unless the mean probability of its label reaches this.
        smoothing: Standard deviation of the average over time, in seconds.
        shortest: Segments of fewer seconds are merged into a neighbour.
    """

    threshold: float
    smoothing: float = SMOOTHING
    shortest: float = 0.6


@dataclass(frozen=True)
class _Run:
    choice: int
    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


def smoothed(probabilities: Float[np.ndarray, "W K"], steps: float) -> Float[np.ndarray, "W K"]:
    """Gaussian average over time with a standard deviation of ``steps`` rows, normalised at both ends."""
    total = gaussian_filter1d(probabilities, steps, axis=0, mode="constant")
    return total / gaussian_filter1d(np.ones((len(probabilities), 1)), steps, axis=0, mode="constant")


def segments(
    probabilities: Float[np.ndarray, "W K"],
    centres: Float[np.ndarray, " W"],
    span: tuple[float, float],
    labels: Sequence[str],
    timeline: Timeline,
) -> tuple[Action, ...]:
    """Actions that cover a span of time without gap or overlap. Two neighbours never have the same label.

    A segment has the mean probabilities of its windows. It is named if that of its label reaches the threshold and
    exceeds that of "other". The probability of "unknown" is that of "other", or 0 if the classifier does not know
    "other". Without windows, the whole span is "unknown" with probability 1.

    ``Action.top`` holds all labels; "unknown" stands for "other".

    Args:
        probabilities: Of ``labels``, for every window.
        centres: Of the windows, in seconds; increasing and evenly spaced.
        span: Start and end, in seconds.
        labels: One of them may be "other".
        timeline: How decisions are made.
    """
    if not len(probabilities):
        return (unseen(span),)
    pace = float(np.median(np.diff(centres))) if len(centres) > 1 else 1.0
    smooth = smoothed(probabilities, timeline.smoothing / pace)
    bounds = np.concatenate([[span[0]], (centres[1:] + centres[:-1]) / 2, [span[1]]])
    runs = _merged(_runs(smooth.argmax(axis=1), bounds), timeline.shortest)
    other = labels.index(OTHER) if OTHER in labels else None
    judged = [_judged(run, _mean(run, smooth, bounds), other, timeline.threshold) for run in runs]
    return tuple(_action(run, _mean(run, smooth, bounds), labels) for run in _together(judged))


def unseen(span: tuple[float, float]) -> Action:
    """What is said about time in which nothing was seen."""
    return Action(*span, UNKNOWN, 1.0, ((UNKNOWN, 1.0),))


def _mean(run: _Run, rows: Float[np.ndarray, "W K"], bounds: Float[np.ndarray, " W1"]) -> Float[np.ndarray, " K"]:
    mean: Float[np.ndarray, " K"] = rows[(bounds[:-1] >= run.start) & (bounds[1:] <= run.end)].mean(axis=0)
    return mean.clip(0.0, 1.0)


def _judged(run: _Run, mean: Float[np.ndarray, " K"], other: int | None, threshold: float) -> _Run:
    """The run, or an unknown one (−1) if its label is not probable enough."""
    leads = other is None or mean[run.choice] > mean[other]
    return run if leads and mean[run.choice] >= threshold else _Run(-1, run.start, run.end)


def _runs(choices: Int[np.ndarray, " W"], bounds: Float[np.ndarray, " W1"]) -> list[_Run]:
    runs, first = [], 0
    for choice, group in groupby(choices.tolist()):
        last = first + len(list(group))
        runs.append(_Run(choice, float(bounds[first]), float(bounds[last])))
        first = last
    return runs


def _merged(runs: list[_Run], shortest: float) -> list[_Run]:
    """Merge the shortest run into its longer neighbour until all are long enough or one is left."""
    while len(runs) > 1 and min(run.seconds for run in runs) < shortest:
        index = min(range(len(runs)), key=lambda i: runs[i].seconds)
        neighbours = [i for i in (index - 1, index + 1) if 0 <= i < len(runs)]
        choice = runs[max(neighbours, key=lambda i: runs[i].seconds)].choice
        runs[index] = _Run(choice, runs[index].start, runs[index].end)
        runs = _together(runs)
    return runs


def _together(runs: list[_Run]) -> list[_Run]:
    """Neighbouring runs of one choice as one run."""
    return [_joined(list(group)) for _, group in groupby(runs, key=lambda run: run.choice)]


def _joined(runs: list[_Run]) -> _Run:
    return _Run(runs[0].choice, runs[0].start, runs[-1].end)


def _action(run: _Run, mean: Float[np.ndarray, " K"], labels: Sequence[str]) -> Action:
    names = [UNKNOWN if label == OTHER else label for label in labels]
    top = tuple((names[k], float(mean[k])) for k in np.argsort(-mean, kind="stable"))
    label = UNKNOWN if run.choice < 0 else names[run.choice]
    return Action(run.start, run.end, label, dict(top).get(label, 0.0), top)
