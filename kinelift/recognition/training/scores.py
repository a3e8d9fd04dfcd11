"""How well labels were found: a window, and a clip, which counts once for each action that it shows."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from kinelift.recognition.training.corpus import Corpus


@dataclass(frozen=True, eq=False)
class Scores:
    """``confusion[i, j]`` clips of label i that were called j; ``window_accuracy`` over single windows."""

    confusion: Int[np.ndarray, "K K"]
    window_accuracy: float

    @property
    def accuracy(self) -> float:
        """Share of clips that were called what they are."""
        return float(np.trace(self.confusion) / max(self.confusion.sum(), 1))

    @property
    def recalls(self) -> Float[np.ndarray, " K"]:
        """That share for every label, NaN where there is no clip of it."""
        counts = self.confusion.sum(axis=1)
        return np.where(counts > 0, np.diag(self.confusion) / np.maximum(counts, 1), np.nan)

    @property
    def mean_recall(self) -> float:
        """Mean over the labels that occur: every label counts the same, however many clips it has."""
        return float(np.nanmean(self.recalls))


def clip_scores(corpus: Corpus, probabilities: Float[np.ndarray, "W K"]) -> Scores:
    """Scores of the rows of ``corpus``.

    The windows of a clip with one label are averaged and count once. A clip that shows two actions (standing, then
    sitting) counts once for each.
    """
    right = probabilities.argmax(axis=1) == corpus.labels
    confusion = np.zeros((len(corpus.names), len(corpus.names)), int)
    for label, mean in _shown(corpus, probabilities):
        confusion[label, mean.argmax()] += 1
    return Scores(confusion, float(right.mean()) if len(right) else float("nan"))


def _shown(corpus: Corpus, probabilities: Float[np.ndarray, "W K"]) -> list[tuple[int, Float[np.ndarray, " K"]]]:
    """(label, mean probabilities) of every label in every clip."""
    keys = sorted(set(zip(corpus.clip.tolist(), corpus.labels.tolist(), strict=True)))
    return [
        (label, probabilities[(corpus.clip == clip) & (corpus.labels == label)].mean(axis=0)) for clip, label in keys
    ]
