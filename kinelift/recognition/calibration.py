"""Calibrate a network on people and motions that it was not trained on.

All functions work on ``Answers``. Windows of unknown motion are those of "other", and those of actions left out of
training on purpose; without the latter, nothing shows how a classifier responds to new motions. Windows are named as in
a timeline, by decoding each stretch of them (docs/explanation/unknown.md).
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from kinelift.poses.json_values import from_json
from kinelift.recognition.decoding import NOTHING, Timeline, decode

_HOTTEST = 20.0
"""Temperatures are searched between 1 / 20 and 20."""
_THRESHOLDS = 100
"""Thresholds are chosen from steps of 1 / 100."""


@dataclass(frozen=True)
class Calibration:
    """From logits to decisions.

    Attributes:
        temperature: Logits are divided by it.
        threshold: A less probable action is not named.
        weights: How likely each label is before anything is seen, relative to the others; empty = all alike, as in
            training.
    """

    temperature: float = 1.0
    threshold: float = 0.5
    weights: tuple[float, ...] = ()

    @staticmethod
    def from_mapping(values: Mapping[str, Any]) -> "Calibration":
        """Read what ``asdict`` wrote, also after a round trip through JSON.

        Raises:
            DataError: A value has another type, or is unknown.
            ValueError: A value is out of range.
        """
        calibration: Calibration = from_json(Calibration, values, "calibration")
        if not all(0 < weight < inf for weight in calibration.weights):
            raise ValueError(f"the weights of labels must be positive, not {calibration.weights}")
        if not (0 < calibration.temperature < inf and 0 <= calibration.threshold <= 1):
            raise ValueError(f"temperature {calibration.temperature} or threshold {calibration.threshold} cannot be")
        return calibration

    def probabilities(self, logits: Float[np.ndarray, "W K"]) -> Float[np.ndarray, "W K"]:
        """Probability of every label."""
        prior = np.log(self.weights) if self.weights else 0.0
        probabilities: Float[np.ndarray, "W K"] = softmax(logits / self.temperature + prior, axis=1)
        return probabilities


@dataclass(frozen=True, eq=False)
class Answers:
    """Logits of networks for windows of people that they were not trained on.

    Attributes:
        logits: One row per window, one column per label.
        labels: True labels.
        folds: Group of people of each window. Parameters are chosen without the fold that they are tested on.
        novel: Windows whose label was left out of the network's training; that label's logit is not used.
        sequences: A number for each stretch of consecutive windows with one label. Rows of a stretch are adjacent and
            in order of time.
        other: Index of the label that stands for none of the actions, or None.
        stride: Seconds between two windows of a stretch.
    """

    logits: Float[np.ndarray, "W K"]
    labels: Int[np.ndarray, " W"]
    folds: Int[np.ndarray, " W"]
    novel: Bool[np.ndarray, " W"]
    sequences: Int[np.ndarray, " W"]
    other: int | None = None
    stride: float = 0.25

    def __len__(self) -> int:
        return len(self.labels)

    def only(self, keep: Bool[np.ndarray, " W"]) -> "Answers":
        """The windows where ``keep`` is true."""
        rows = {name: getattr(self, name)[keep] for name in ("logits", "labels", "folds", "novel", "sequences")}
        return replace(self, **rows)

    @property
    def unknown(self) -> Bool[np.ndarray, " W"]:
        """Mask of the windows that should not be named."""
        unknown: Bool[np.ndarray, " W"] = self.novel | (self.labels == self.other)
        return unknown

    @property
    def taught(self) -> Float[np.ndarray, "W K"]:
        """Logits, −∞ for the label left out of a network's training."""
        logits = self.logits.copy()
        logits[np.flatnonzero(self.novel), self.labels[self.novel]] = -np.inf
        return logits


def best_temperature(logits: Float[np.ndarray, "W K"], labels: Int[np.ndarray, " W"]) -> float:
    """The temperature that maximises the likelihood of the true labels (Guo et al., ICML 2017)."""

    def negative_log_likelihood(log_temperature: float) -> float:
        scaled = log_softmax(logits / np.exp(log_temperature), axis=1)
        return -float(scaled[np.arange(len(labels)), labels].mean())

    limit = float(np.log(_HOTTEST))
    return float(np.exp(minimize_scalar(negative_log_likelihood, bounds=(-limit, limit), method="bounded").x))


def temperatures(answers: Answers) -> Float[np.ndarray, " W"]:
    """The temperature for every window, chosen on known actions in the other folds, or in the only fold."""
    taught, out = answers.only(~answers.novel), np.ones(len(answers))
    for fold in np.unique(answers.folds):
        others = taught.only(taught.folds != fold)
        chosen = others if len(others) else taught
        out[answers.folds == fold] = best_temperature(chosen.logits, chosen.labels)
    return out


def lowest_threshold(answers: Answers, calibration: Calibration, rate: float) -> float:
    """The lowest threshold at which at most ``rate`` of unknown motion gets a name; 0 without unknown motion.

    The rate is the mean over the labels of unknown motion, as in ``Trust``. Thresholds are tried in steps of 0.01; a
    higher one names less.
    """
    unknown = answers.only(answers.unknown)
    if not len(unknown):
        return 0.0

    def holds(step: int) -> bool:
        tried = replace(calibration, threshold=step / _THRESHOLDS)
        return trust(unknown, decide(unknown, tried)).false_accept_rate <= rate + 1e-12

    return bisect_left(range(_THRESHOLDS), True, key=holds) / _THRESHOLDS


def calibrate(answers: Answers, rate: float | None, given: Calibration | None = None) -> Calibration:
    """Choose the temperature on known actions, and the threshold on unknown motion (see ``lowest_threshold``).

    Args:
        answers: Logits on other people than the networks were trained on.
        rate: Share of unknown motion that may get a name; None = the threshold is given.
        given: The weights of labels, on which the temperature does not depend, and perhaps the threshold.
    """
    taught = answers.only(~answers.novel)
    calibration = replace(given or Calibration(), temperature=best_temperature(taught.logits, taught.labels))
    return calibration if rate is None else replace(calibration, threshold=lowest_threshold(answers, calibration, rate))


def decide(answers: Answers, calibration: Calibration) -> Int[np.ndarray, " W"]:
    """The action of every window, ``NOTHING`` if unknown. Each stretch is a timeline of its own."""
    rows, timeline = calibration.probabilities(answers.taught), Timeline(calibration.threshold)
    bounds = np.flatnonzero(np.diff(answers.sequences)) + 1
    parts = [
        decode(part, np.full(len(part), answers.stride), answers.other, timeline) for part in np.split(rows, bounds)
    ]
    return np.concatenate(parts)


def decide_across(answers: Answers, choose: Callable[[Answers], Calibration]) -> Int[np.ndarray, " W"]:
    """Decide for every fold with a calibration chosen on all other folds.

    Measurements of these decisions are unbiased, unlike those of ``decide(answers, choose(answers))``.
    """
    choices = np.full(len(answers), NOTHING)
    for fold in np.unique(answers.folds):
        here = answers.folds == fold
        choices[here] = decide(answers.only(here), choose(answers.only(~here)))
    return choices


@dataclass(frozen=True)
class Trust:
    """How far decisions can be trusted.

    Attributes:
        named: Share of known actions that get a name.
        precision: Share of these names that are correct.
        false_accept_rate: Share of unknown motion that gets a name, as a mean over its labels, so that a label with
            many windows counts no more than one with few.
        false_accept_rates: That share for every label.
    """

    named: float
    precision: float
    false_accept_rate: float
    false_accept_rates: dict[int, float]


def trust(answers: Answers, choices: Int[np.ndarray, " W"]) -> Trust:
    """Measure decisions about windows against the true labels; NaN where there are no windows."""
    known, unknown, named = ~answers.unknown, answers.unknown, choices != NOTHING
    right = choices == answers.labels
    by = {int(k): _share(named[unknown & (answers.labels == k)]) for k in np.unique(answers.labels[unknown])}
    false = float(np.mean(list(by.values()))) if by else float("nan")
    return Trust(_share(named[known]), _share(right[known & named]), false, by)


def trust_curve(answers: Answers, calibration: Calibration, thresholds: Float[np.ndarray, " N"]) -> tuple[Trust, ...]:
    """Trust at every threshold, with the rest of ``calibration``."""
    return tuple(trust(answers, decide(answers, replace(calibration, threshold=float(t)))) for t in thresholds)


@dataclass(frozen=True, eq=False)
class Reliability:
    """Windows in bins of equal width by confidence.

    Attributes:
        counts: Number of windows.
        confidence: Mean confidence, NaN in an empty bin.
        accuracy: Share of correct windows, NaN in an empty bin.
    """

    counts: Int[np.ndarray, " N"]
    confidence: Float[np.ndarray, " N"]
    accuracy: Float[np.ndarray, " N"]

    @property
    def error(self) -> float:
        """Expected calibration error: mean distance of confidence from accuracy (Guo et al. 2017, equation 3)."""
        full = self.counts > 0
        shares = self.counts[full] / max(self.counts.sum(), 1)
        return float((shares * np.abs(self.confidence[full] - self.accuracy[full])).sum())


def reliability(confidence: Float[np.ndarray, " W"], right: Bool[np.ndarray, " W"], bins: int = 10) -> Reliability:
    """Compare confidence with accuracy.

    Args:
        confidence: Of windows, 0–1.
        right: Whether each window is correct.
        bins: Number of bins of equal width.
    """
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    counts = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        sums = (np.bincount(place, values, minlength=bins) for values in (confidence, right.astype(float)))
        means = [total / counts for total in sums]
    return Reliability(counts, *means)


def _share(marks: Bool[np.ndarray, " W"]) -> float:
    return float(marks.mean()) if len(marks) else float("nan")
