"""Accuracy of predicted labels, over windows and over clips. A clip counts once for each action that it shows."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from kinelift.recognition.training.corpus import Corpus


@dataclass(frozen=True, eq=False)
class Scores:
    """Accuracy of a classifier.

    Attributes:
        confusion: ``confusion[i, j]`` clips of label i were predicted as label j.
        window_accuracy: Share of windows whose label was predicted correctly.
    """

    confusion: Int[np.ndarray, "K K"]
    window_accuracy: float

    @property
    def accuracy(self) -> float:
        """Share of clips whose label was predicted correctly."""
        return float(np.trace(self.confusion) / max(self.confusion.sum(), 1))

    @property
    def recalls(self) -> Float[np.ndarray, " K"]:
        """That share for every label, NaN for a label without clips."""
        counts = self.confusion.sum(axis=1)
        return np.where(counts > 0, np.diag(self.confusion) / np.maximum(counts, 1), np.nan)

    @property
    def mean_recall(self) -> float:
        """Mean recall over the labels that occur: every label counts the same, however many clips it has."""
        return float(np.nanmean(self.recalls))


def clip_scores(corpus: Corpus, probabilities: Float[np.ndarray, "W K"]) -> Scores:
    """Score the rows of a corpus.

    The probabilities of all windows of a clip with one label are averaged, and count once. A clip that shows two
    actions (standing, then sitting) counts once for each.
    """
    correct = probabilities.argmax(axis=1) == corpus.labels
    confusion = np.zeros((len(corpus.names), len(corpus.names)), int)
    for label, mean in _means_by_clip(corpus, probabilities):
        confusion[label, mean.argmax()] += 1
    return Scores(confusion, float(correct.mean()) if len(correct) else float("nan"))


def _means_by_clip(
    corpus: Corpus, probabilities: Float[np.ndarray, "W K"]
) -> list[tuple[int, Float[np.ndarray, " K"]]]:
    """(label, mean probabilities) of every label in every clip."""
    keys = sorted(set(zip(corpus.clip.tolist(), corpus.labels.tolist(), strict=True)))
    return [
        (label, probabilities[(corpus.clip == clip) & (corpus.labels == label)].mean(axis=0)) for clip, label in keys
    ]
