"""Cross-subject evaluation: every subject is judged by a network that has never seen them."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import floor

import numpy as np
from jaxtyping import Bool, Float, Int

from recognition.corpus import Corpus
from recognition.labels import LABELS, OTHER
from recognition.network import Calibration
from recognition.scores import Scores, calibration_error, clip_scores
from recognition.spmf import Encoding, encode
from recognition.training import Trainer, TrainSettings

_OTHER = LABELS.index(OTHER)


@dataclass(frozen=True, eq=False)
class Verdicts:
    """What was said about every window of ``corpus`` by models that had not seen its subject.

    ``fair`` marks the windows whose label other subjects show as well: without that nobody could have learnt it.
    """

    corpus: Corpus
    fair: Bool[np.ndarray, " W"]
    network: Float[np.ndarray, "W K"]
    centroid: Float[np.ndarray, "W K"]
    majority: Float[np.ndarray, "W K"]

    def scores(self, answers: Float[np.ndarray, "W K"]) -> Scores:
        """Scores of one of the three models over the fair windows."""
        return clip_scores(self.corpus.only(self.fair), answers[self.fair])


def subject_folds(corpus: Corpus, folds: int) -> list[frozenset[str]]:
    """Subjects in ``folds`` groups, so that the subjects of every label are spread over the groups.

    Subjects with the rarest labels are placed first, each into the group that shares least with them.
    """
    labels: dict[str, set[int]] = {}
    for subject, label in zip(corpus.subjects, corpus.labels.tolist(), strict=True):
        labels.setdefault(subject, set()).add(label)
    subjects_of = Counter(label for found in labels.values() for label in found)
    groups: list[set[str]] = [set() for _ in range(folds)]

    def cost(group: set[str], subject: str) -> tuple[float, int]:
        return sum(1 / subjects_of[label] for other in group for label in labels[other] & labels[subject]), len(group)

    for subject in sorted(labels, key=lambda s: (min(subjects_of[label] for label in labels[s]), s)):
        min(groups, key=lambda group: cost(group, subject)).add(subject)
    return [frozenset(group) for group in groups if group]


def cross_validate(
    corpus: Corpus,
    settings: TrainSettings,
    groups: Sequence[frozenset[str]],
    progress: Callable[[int, int], None] = lambda group, epoch: None,
) -> Verdicts:
    """Train once for each group of subjects, on all others; ``progress(group, epoch)`` is called after every epoch."""
    shape = (len(corpus), len(LABELS))
    fair = np.zeros(len(corpus), bool)
    network, nearest, most = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for number, group in enumerate(groups):
        held_out = corpus.by(group)
        train, test = corpus.only(~held_out), corpus.only(held_out)
        trainer = Trainer(settings, train, None)
        for _ in trainer.fit():
            progress(number, trainer.epoch)
        fair[held_out] = np.isin(test.labels, train.labels)
        network[held_out] = trainer.result({}).probabilities(test.windows())
        nearest[held_out] = centroid(train, test, settings.encoding)
        most[held_out] = majority(train, test)
    return Verdicts(corpus, fair, network, nearest, most)


def majority(train: Corpus, test: Corpus) -> Float[np.ndarray, "W K"]:
    """The baseline that always says the label that most clips of ``train`` show."""
    shown = {(clip, label) for clip, label in zip(train.clip.tolist(), train.labels.tolist(), strict=True)}
    most = Counter(label for _, label in shown).most_common(1)[0][0]
    return _certain(np.full(len(test), most))


def centroid(train: Corpus, test: Corpus, encoding: Encoding) -> Float[np.ndarray, "W K"]:
    """The baseline that says the label whose mean motion image is nearest."""
    known, images = np.unique(train.labels), _flat(train, encoding)
    means = np.stack([images[train.labels == label].mean(axis=0) for label in known])
    distances = [((image - means) ** 2).sum(axis=1) for image in _flat(test, encoding)]
    return _certain(known[np.argmin(np.reshape(distances, (len(test), len(known))), axis=1)])


def calibrate(verdicts: Verdicts, keep: float = 0.9) -> Calibration:
    """Temperature and threshold from held-out subjects.

    The temperature makes the right labels likeliest. The threshold is where ``keep`` of the rightly named windows of
    known actions are still named, and 1 if none is right.
    """
    labels, answers = verdicts.corpus.labels[verdicts.fair], verdicts.network[verdicts.fair]
    grid = np.geomspace(0.3, 5, 60)
    fit = [np.log(tempered(answers, t)[np.arange(len(labels)), labels] + 1e-12).mean() for t in grid]
    temperature = float(grid[int(np.argmax(fit))])
    answers = tempered(answers, temperature)
    right = (answers.argmax(axis=1) == labels) & (labels != _OTHER)
    threshold = float(np.quantile(answers[right].max(axis=1), 1 - keep)) if right.any() else 1.0
    return Calibration(round(temperature, 2), floor(100 * threshold) / 100)


@dataclass(frozen=True)
class Trust:
    """How far answers can be trusted at a threshold; all but ``calibration_error`` are shares of windows.

    ``named``: known actions that get a name; ``right``: of those names, the correct ones; ``false``: windows of
    motions that are no action of ours, of subjects never seen, that get a name all the same.
    """

    named: float
    right: float
    false: float
    calibration_error: float


def trust(verdicts: Verdicts, calibration: Calibration) -> Trust:
    """Measure a calibration on held-out subjects."""
    answers, labels = tempered(verdicts.network, calibration.temperature), verdicts.corpus.labels
    best, confidence = answers.argmax(axis=1), answers.max(axis=1)
    named = (best != _OTHER) & (confidence >= calibration.threshold)
    known, right = verdicts.fair & (labels != _OTHER), best == labels
    error = calibration_error(confidence[verdicts.fair], right[verdicts.fair])
    return Trust(_share(named[known]), _share(right[known & named]), _share(named[labels == _OTHER]), error)


def tempered(probabilities: Float[np.ndarray, "W K"], temperature: float) -> Float[np.ndarray, "W K"]:
    """The same probabilities, flatter (temperature > 1) or more decided (< 1)."""
    powers = np.maximum(probabilities, 1e-12) ** (1 / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


def _flat(corpus: Corpus, encoding: Encoding) -> Float[np.ndarray, "W P"]:
    return encode(corpus.windows(), encoding).reshape(len(corpus), -1).astype(float)


def _certain(labels: Int[np.ndarray, " W"]) -> Float[np.ndarray, "W K"]:
    return np.eye(len(LABELS))[labels]


def _share(marks: Bool[np.ndarray, " W"]) -> float:
    return float(marks.mean()) if len(marks) else float("nan")
