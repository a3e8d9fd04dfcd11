"""From probabilities over time to a timeline of actions."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from jaxtyping import Float, Int
from scipy.ndimage import gaussian_filter1d

from poses import Action

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Timeline:
    """How decisions are made: probabilities are ``smoothing`` seconds wide averages (standard deviation).

    Below ``threshold`` the answer is "unknown"; segments shorter than ``shortest`` seconds join a neighbour.
    """

    threshold: float
    smoothing: float = 0.3
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
    """Gaussian average over time, ``steps`` rows wide; rows without an answer (NaN) take no part and stay so."""
    seen = np.isfinite(probabilities).all(axis=1, keepdims=True)
    total = gaussian_filter1d(np.where(seen, probabilities, 0.0), steps, axis=0, mode="constant")
    weight = gaussian_filter1d(seen.astype(float), steps, axis=0, mode="constant")
    return np.where(seen, total / np.maximum(weight, 1e-12), np.nan)


def segments(
    probabilities: Float[np.ndarray, "W K"],
    centres: Float[np.ndarray, " W"],
    span: tuple[float, float],
    labels: Sequence[str],
    timeline: Timeline,
) -> tuple[Action, ...]:
    """Actions that cover ``span`` (seconds) without gap or overlap.

    ``probabilities`` belong to windows centred at ``centres`` (seconds, increasing); a row of NaN says that nothing
    could be seen. The probability of an action is the mean over its windows; that of "unknown" is one minus the mean
    of the likeliest action, and 1 where nothing was seen.
    """
    if not len(probabilities):
        return (Action(*span, UNKNOWN, 1.0),)
    pace = float(np.median(np.diff(centres))) if len(centres) > 1 else 1.0
    smooth = smoothed(probabilities, timeline.smoothing / pace)
    bounds = np.concatenate([[span[0]], (centres[1:] + centres[:-1]) / 2, [span[1]]])
    runs = _merged(_runs(_choices(smooth, timeline.threshold), bounds), timeline.shortest)
    return tuple(_action(run, smooth, bounds, labels) for run in runs)


def _choices(probabilities: Float[np.ndarray, "W K"], threshold: float) -> Int[np.ndarray, " W"]:
    """Index of the label, −1 = unknown."""
    safe = np.nan_to_num(probabilities, nan=0.0)
    return np.where(safe.max(axis=1) >= threshold, safe.argmax(axis=1), -1)


def _runs(choices: Int[np.ndarray, " W"], bounds: Float[np.ndarray, " W1"]) -> list[_Run]:
    runs, first = [], 0
    for choice, group in groupby(choices.tolist()):
        last = first + len(list(group))
        runs.append(_Run(choice, float(bounds[first]), float(bounds[last])))
        first = last
    return runs


def _merged(runs: list[_Run], shortest: float) -> list[_Run]:
    """Join the shortest run to its longer neighbour until all are long enough or one is left."""
    while len(runs) > 1 and min(run.seconds for run in runs) < shortest:
        index = min(range(len(runs)), key=lambda i: runs[i].seconds)
        neighbours = [i for i in (index - 1, index + 1) if 0 <= i < len(runs)]
        choice = runs[max(neighbours, key=lambda i: runs[i].seconds)].choice
        runs[index] = _Run(choice, runs[index].start, runs[index].end)
        runs = [_joined(list(group)) for _, group in groupby(runs, key=lambda run: run.choice)]
    return runs


def _joined(runs: list[_Run]) -> _Run:
    return _Run(runs[0].choice, runs[0].start, runs[-1].end)


def _action(
    run: _Run, probabilities: Float[np.ndarray, "W K"], bounds: Float[np.ndarray, " W1"], labels: Sequence[str]
) -> Action:
    inside = (bounds[:-1] >= run.start) & (bounds[1:] <= run.end)
    rows = np.nan_to_num(probabilities[inside], nan=0.0)
    if run.choice < 0:
        return Action(run.start, run.end, UNKNOWN, float(1 - rows.max(axis=1).mean()))
    return Action(run.start, run.end, labels[run.choice], float(rows[:, run.choice].mean()))
