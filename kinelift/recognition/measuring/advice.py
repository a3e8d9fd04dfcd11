"""What labelled data lack, said before a training, and the accuracy to expect of the result."""

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.stats import binomtest

from kinelift.recognition.training.corpus import Corpus
from kinelift.recognition.training.scores import Scores

ENOUGH_PEOPLE, ENOUGH_CLIPS = 3, 20
"""People and clips of an action from which it can be learned and judged. Fewer are reported."""


def shortages(corpus: Corpus) -> Iterator[str]:
    """One line for each label that too few people or clips show. Copies of a clip, as by several cameras, count once.

    Args:
        corpus: The windows to train on.
    """
    for index, label in enumerate(corpus.names):
        clips = corpus.only(corpus.labels == index).clips
        people, names = len({clip.subject for clip in clips}), len({clip.name for clip in clips})
        if not names:
            yield f"No window shows {label}. Label at least {ENOUGH_CLIPS} clips of it, or remove it from labels.txt."
        elif people == 1:
            yield f"One person shows {label} ({_clips(names)}): it cannot be judged. Add clips of other people."
        elif people < ENOUGH_PEOPLE or names < ENOUGH_CLIPS:
            yield (
                f"{people} people show {label} in {_clips(names)}. "
                f"Add some, up to {ENOUGH_PEOPLE} people and {ENOUGH_CLIPS} clips, to have it recognised reliably."
            )


def expectation(scores: Scores, labels: Sequence[str], worst: int = 3) -> str:
    """The accuracy to expect on people who are not in the data, with its 95 % Wilson interval over clips.

    Args:
        scores: On people whom the networks were not trained on.
        labels: Of the classifier.
        worst: How many of the labels recognised least often are named.
    """
    counts, right = scores.confusion.sum(axis=1), np.diag(scores.confusion)
    if not counts.sum():
        return "No clip could be judged, so no accuracy can be expected."
    interval = binomtest(int(right.sum()), int(counts.sum())).proportion_ci(method="wilson")
    shown = [k for k in np.argsort(scores.recalls, kind="stable").tolist() if 0 < counts[k] != right[k]]
    weak = ", ".join(f"{labels[k]} ({right[k]} of {counts[k]})" for k in shown[:worst])
    return (
        f"Expect {scores.accuracy:.0%} of the clips of new people to be right "
        f"(95% interval {interval.low:.0%} to {interval.high:.0%}, {_clips(int(counts.sum()))})."
        + (f" Least often right: {weak}." if weak else "")
    )


def _clips(count: int) -> str:
    return "1 clip" if count == 1 else f"{count} clips"
