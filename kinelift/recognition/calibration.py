"""How far to trust a network, found on people and motions that it has not seen.

Everything here is arithmetic on ``Answers``. Windows of unknown motion are those of "other", and those of a class that
was left out of training on purpose: without the latter nobody knows what a classifier says about motions that it has
never met. An action is claimed by its odds against "other", which told unknown motion better than its probability,
its logit, energy, margin, entropy, and distances in feature space did (docs/explanation/unknown.md).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

_HOTTEST = 20.0
"""Temperatures are sought between 1 / 20 and 20."""


@dataclass(frozen=True)
class Calibration:
    """Logits are divided by ``temperature``; an action whose claim is below ``threshold`` is not named."""

    temperature: float = 1.0
    threshold: float = 0.5


def claim(
    action: Float[np.ndarray, " W"], other: Float[np.ndarray, " W"] | None, labels: int
) -> Float[np.ndarray, " W"]:
    """How likely an action is against none of ours, 0–1; the probability of the action where there is no "other".

    Training shows every one of the ``labels`` equally often. Here "other" counts as often as all actions together.
    """
    return action if other is None else action / np.maximum(action + (labels - 1) * other, 1e-12)


@dataclass(frozen=True, eq=False)
class Answers:
    """What networks said about W windows of people whom they had not seen.

    ``labels`` are the true ones; ``other`` is the index of the label that stands for none of the actions, or None.
    ``novel`` marks windows whose label the network that answered was not taught; that label's logit is not used.
    ``folds`` numbers the groups of people: whatever is chosen from answers is chosen without the fold that it is
    measured on.
    """

    logits: Float[np.ndarray, "W K"]
    labels: Int[np.ndarray, " W"]
    folds: Int[np.ndarray, " W"]
    novel: Bool[np.ndarray, " W"]
    other: int | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def only(self, keep: Bool[np.ndarray, " W"]) -> "Answers":
        """The windows that ``keep`` marks."""
        return replace(
            self, logits=self.logits[keep], labels=self.labels[keep], folds=self.folds[keep], novel=self.novel[keep]
        )

    @property
    def unknown(self) -> Bool[np.ndarray, " W"]:
        """Windows that ought to get no name."""
        return self.novel | (self.labels == self.other)

    @property
    def taught(self) -> Float[np.ndarray, "W K"]:
        """Logits; −∞ for the label that a window's network was not taught."""
        logits = self.logits.copy()
        logits[np.flatnonzero(self.novel), self.labels[self.novel]] = -np.inf
        return logits

    def probabilities(self, temperature: float) -> Float[np.ndarray, "W K"]:
        """Probability of every label; 0 for the one that a window's network was not taught."""
        return softmax(self.taught / temperature, axis=1)


def best_temperature(logits: Float[np.ndarray, "W K"], labels: Int[np.ndarray, " W"]) -> float:
    """The temperature at which the true labels are likeliest (Guo et al., ICML 2017)."""

    def surprise(log_temperature: float) -> float:
        scaled = log_softmax(logits / np.exp(log_temperature), axis=1)
        return -float(scaled[np.arange(len(labels)), labels].mean())

    limit = float(np.log(_HOTTEST))
    return float(np.exp(minimize_scalar(surprise, bounds=(-limit, limit), method="bounded").x))


def temperatures(answers: Answers) -> Float[np.ndarray, " W"]:
    """Of every window the best temperature for what was taught in all other folds, or in the only fold there is."""
    taught, out = answers.only(~answers.novel), np.ones(len(answers))
    for fold in np.unique(answers.folds):
        others = taught.only(taught.folds != fold)
        chosen = others if len(others) else taught
        out[answers.folds == fold] = best_temperature(chosen.logits, chosen.labels)
    return out


def lowest_threshold(answers: Answers, temperature: float, rate: float) -> float:
    """The lowest threshold at which at most ``rate`` of unknown motion gets a name; 0 if there is no unknown motion.

    The rate is the mean over the labels of unknown motion, as in ``Trust``.
    """
    unknown = answers.only(answers.unknown)
    claims = decide(unknown, Calibration(temperature)).claims
    return max(bounding(claims, unknown.labels, rate), 0.0)


def bounding(scores: Float[np.ndarray, " W"], labels: Int[np.ndarray, " W"], rate: float) -> float:
    """The lowest threshold that at most ``rate`` of the scores reach, as a mean over ``labels``; −∞ if all may."""
    groups = [np.sort(scores[labels == label]) for label in np.unique(labels)]
    candidates = np.unique(np.concatenate([[-np.inf], np.nextafter(scores, np.inf)]))
    reaching = [1 - np.searchsorted(group, candidates) / len(group) for group in groups]
    rates = np.mean(reaching, axis=0) if groups else np.zeros(len(candidates))
    return float(candidates[np.argmax(rates <= rate + 1e-12)])


def calibrate(answers: Answers, rate: float) -> Calibration:
    """Temperature from windows of what was taught, threshold from unknown motion (``lowest_threshold``)."""
    taught = answers.only(~answers.novel)
    temperature = best_temperature(taught.logits, taught.labels)
    return Calibration(temperature, lowest_threshold(answers, temperature, rate))


@dataclass(frozen=True, eq=False)
class Decisions:
    """What is said about every window: the likeliest action, its ``claim``, and whether that is enough to name it."""

    choice: Int[np.ndarray, " W"]
    claims: Float[np.ndarray, " W"]
    named: Bool[np.ndarray, " W"]


def decide(answers: Answers, calibration: Calibration) -> Decisions:
    """Decisions with one calibration for all windows."""
    probabilities = answers.probabilities(calibration.temperature)
    actions, none = probabilities.copy(), None
    if answers.other is not None:
        none, actions[:, answers.other] = probabilities[:, answers.other], -1.0
    claims = claim(actions.max(axis=1), none, actions.shape[1])
    return Decisions(actions.argmax(axis=1), claims, claims >= calibration.threshold)


def decide_across(answers: Answers, choose: Callable[[Answers], Calibration]) -> Decisions:
    """Decisions for every fold with a calibration that is chosen from all other folds.

    A measure of these is honest where one of ``decide(answers, choose(answers))`` is not.
    """
    folds = np.unique(answers.folds)
    parts = [decide(answers.only(answers.folds == f), choose(answers.only(answers.folds != f))) for f in folds]
    back = np.argsort(np.concatenate([np.flatnonzero(answers.folds == f) for f in folds]))
    names = ("choice", "claims", "named")
    return Decisions(*(np.concatenate([getattr(part, name) for part in parts])[back] for name in names))


@dataclass(frozen=True)
class Trust:
    """How far decisions can be trusted.

    ``named``: share of known actions that get a name; ``right``: share of those names that are correct; ``false``:
    share of unknown motion that gets a name all the same, as a mean over its labels (``false_by`` label), so that a
    label with many windows counts no more than one with few.
    """

    named: float
    right: float
    false: float
    false_by: dict[int, float]


def trust(answers: Answers, decisions: Decisions) -> Trust:
    """Measure decisions against the truth; NaN where there is nothing to measure on."""
    known, unknown = ~answers.unknown, answers.unknown
    right = decisions.choice == answers.labels
    by = {int(k): _share(decisions.named[unknown & (answers.labels == k)]) for k in np.unique(answers.labels[unknown])}
    false = float(np.mean(list(by.values()))) if by else float("nan")
    return Trust(_share(decisions.named[known]), _share(right[known & decisions.named]), false, by)


def trust_curve(answers: Answers, temperature: float, thresholds: Float[np.ndarray, " N"]) -> tuple[Trust, ...]:
    """Trust at every threshold: what a stricter or a laxer one would cost."""
    return tuple(trust(answers, decide(answers, Calibration(temperature, float(t)))) for t in thresholds)


@dataclass(frozen=True, eq=False)
class Reliability:
    """Windows sorted by confidence into bins of equal width: how many, how confident, how often right (NaN if none)."""

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
    """How often windows are right whose confidence (0–1) lies in each of ``bins`` equal parts."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    counts = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        sums = (np.bincount(place, values, minlength=bins) for values in (confidence, right.astype(float)))
        means = [total / counts for total in sums]
    return Reliability(counts, *means)


def _share(marks: Bool[np.ndarray, " W"]) -> float:
    return float(marks.mean()) if len(marks) else float("nan")
