"""Calibrate a network on people and motions that it was not trained on.

All functions work on ``Answers``. Windows of unknown motion are those of "other", and those of actions left out of
training on purpose; without the latter, nothing shows how a classifier responds to new motions. An action is claimed by
its odds against "other". They separate unknown motion better than probability, logit, energy, margin, entropy, and
distances in feature space (docs/explanation/unknown.md).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

_HOTTEST = 20.0
"""Temperatures are searched between 1 / 20 and 20."""


@dataclass(frozen=True)
class Calibration:
    """Logits are divided by ``temperature``. An action whose claim is below ``threshold`` is not named."""

    temperature: float = 1.0
    threshold: float = 0.5


def claim(
    action: Float[np.ndarray, " W"], other: Float[np.ndarray, " W"] | None, labels: int
) -> Float[np.ndarray, " W"]:
    """How likely an action is against none of the actions, from 0 to 1.

    Training shows all labels equally often. Here "other" weighs as much as all actions together.

    Args:
        action: Probability of the action.
        other: Probability of "other"; without it, the claim is ``action`` itself.
        labels: Number of labels, including "other".
    """
    return action if other is None else action / np.maximum(action + (labels - 1) * other, 1e-12)


@dataclass(frozen=True, eq=False)
class Answers:
    """Logits of networks for windows of people that they were not trained on.

    Attributes:
        logits: One row per window, one column per label.
        labels: True labels.
        folds: Group of people of each window. Parameters are chosen without the fold that they are tested on.
        novel: Windows whose label was left out of the network's training; that label's logit is not used.
        other: Index of the label that stands for none of the actions, or None.
    """

    logits: Float[np.ndarray, "W K"]
    labels: Int[np.ndarray, " W"]
    folds: Int[np.ndarray, " W"]
    novel: Bool[np.ndarray, " W"]
    other: int | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def only(self, keep: Bool[np.ndarray, " W"]) -> "Answers":
        """The windows where ``keep`` is true."""
        return replace(
            self, logits=self.logits[keep], labels=self.labels[keep], folds=self.folds[keep], novel=self.novel[keep]
        )

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

    def probabilities(self, temperature: float) -> Float[np.ndarray, "W K"]:
        """Probability of every label, 0 for the one left out of a network's training."""
        probabilities: Float[np.ndarray, "W K"] = softmax(self.taught / temperature, axis=1)
        return probabilities


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


def lowest_threshold(answers: Answers, temperature: float, rate: float) -> float:
    """The lowest threshold at which at most ``rate`` of unknown motion gets a name; 0 without unknown motion.

    The rate is the mean over the labels of unknown motion, as in ``Trust``.
    """
    unknown = answers.only(answers.unknown)
    claims = decide(unknown, Calibration(temperature)).claims
    return max(bounding(claims, unknown.labels, rate), 0.0)


def bounding(scores: Float[np.ndarray, " W"], labels: Int[np.ndarray, " W"], rate: float) -> float:
    """The lowest threshold that at most ``rate`` of the scores reach.

    Args:
        scores: Claims of windows.
        labels: The rate is a mean over these.
        rate: From 0 to 1.

    Returns:
        The threshold; −∞ if all scores may reach it.
    """
    groups = [np.sort(scores[labels == label]) for label in np.unique(labels)]
    candidates = np.unique(np.concatenate([[-np.inf], np.nextafter(scores, np.inf)]))
    reaching = [1 - np.searchsorted(group, candidates) / len(group) for group in groups]
    rates = np.mean(reaching, axis=0) if groups else np.zeros(len(candidates))
    return float(candidates[np.argmax(rates <= rate + 1e-12)])


def calibrate(answers: Answers, rate: float) -> Calibration:
    """Choose the temperature on known actions, and the threshold on unknown motion (see ``lowest_threshold``)."""
    taught = answers.only(~answers.novel)
    temperature = best_temperature(taught.logits, taught.labels)
    return Calibration(temperature, lowest_threshold(answers, temperature, rate))


@dataclass(frozen=True, eq=False)
class Decisions:
    """Decisions about windows.

    Attributes:
        choice: The most probable action.
        claims: Its ``claim``.
        named: Whether the claim reaches the threshold.
    """

    choice: Int[np.ndarray, " W"]
    claims: Float[np.ndarray, " W"]
    named: Bool[np.ndarray, " W"]


def decide(answers: Answers, calibration: Calibration) -> Decisions:
    """Decide with one calibration for all windows."""
    probabilities = answers.probabilities(calibration.temperature)
    actions, none = probabilities.copy(), None
    if answers.other is not None:
        none, actions[:, answers.other] = probabilities[:, answers.other], -1.0
    claims = claim(actions.max(axis=1), none, actions.shape[1])
    return Decisions(actions.argmax(axis=1), claims, claims >= calibration.threshold)


def decide_across(answers: Answers, choose: Callable[[Answers], Calibration]) -> Decisions:
    """Decide for every fold with a calibration chosen on all other folds.

    Measurements of these decisions are unbiased, unlike those of ``decide(answers, choose(answers))``.
    """
    folds = np.unique(answers.folds)
    parts = [decide(answers.only(answers.folds == f), choose(answers.only(answers.folds != f))) for f in folds]
    back = np.argsort(np.concatenate([np.flatnonzero(answers.folds == f) for f in folds]))
    names = ("choice", "claims", "named")
    return Decisions(*(np.concatenate([getattr(part, name) for part in parts])[back] for name in names))


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


def trust(answers: Answers, decisions: Decisions) -> Trust:
    """Measure decisions against the true labels; NaN where there are no windows."""
    known, unknown = ~answers.unknown, answers.unknown
    right = decisions.choice == answers.labels
    by = {int(k): _share(decisions.named[unknown & (answers.labels == k)]) for k in np.unique(answers.labels[unknown])}
    false = float(np.mean(list(by.values()))) if by else float("nan")
    return Trust(_share(decisions.named[known]), _share(right[known & decisions.named]), false, by)


def trust_curve(answers: Answers, temperature: float, thresholds: Float[np.ndarray, " N"]) -> tuple[Trust, ...]:
    """Trust at every threshold."""
    return tuple(trust(answers, decide(answers, Calibration(temperature, float(t)))) for t in thresholds)


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
