"""From probabilities over time to a timeline of actions. benchmarks/studies/timeline.py compares ways to do this."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from kinelift.poses import Action
from kinelift.recognition.data.clips import OTHER
from kinelift.recognition.decoding import NOTHING, Timeline, decode

UNKNOWN = "unknown"


def segments(
    probabilities: Float[np.ndarray, "W K"],
    centres: Float[np.ndarray, " W"],
    span: tuple[float, float],
    labels: Sequence[str],
    timeline: Timeline,
) -> tuple[Action, ...]:
    """Actions that cover a span of time without gap or overlap. Two neighbours never have the same label.

    They are the most probable sequence (``decode``). Every label of a segment has its own mean probability over the
    windows; that of "unknown" is that of "other", or 0 if the classifier does not know "other". Without windows, the
    whole span is "unknown" with probability 1.

    ``Action.top`` holds all labels; "unknown" stands for "other".

    Args:
        probabilities: Of ``labels``, for every window.
        centres: Of the windows, in seconds; increasing.
        span: Start and end, in seconds.
        labels: One of them may be "other".
        timeline: How decisions are made.
    """
    if not len(probabilities):
        return (unseen(span),)
    bounds = np.concatenate([[span[0]], (centres[1:] + centres[:-1]) / 2, [span[1]]])
    other = labels.index(OTHER) if OTHER in labels else None
    choices = decode(probabilities, np.diff(bounds), other, timeline)
    edges = [0, *(np.flatnonzero(np.diff(choices)) + 1).tolist(), len(choices)]
    return tuple(
        _action((float(bounds[a]), float(bounds[b])), int(choices[a]), probabilities[a:b].mean(axis=0), labels)
        for a, b in pairwise(edges)
    )


def unseen(span: tuple[float, float]) -> Action:
    """What is said about time in which nothing was seen."""
    return Action(*span, UNKNOWN, 1.0, ((UNKNOWN, 1.0),))


def _action(span: tuple[float, float], choice: int, mean: Float[np.ndarray, " K"], labels: Sequence[str]) -> Action:
    names, mean = [UNKNOWN if label == OTHER else label for label in labels], mean.clip(0.0, 1.0)
    top = tuple((names[k], float(mean[k])) for k in np.argsort(-mean, kind="stable"))
    label = UNKNOWN if choice == NOTHING else names[choice]
    return Action(*span, label, dict(top).get(label, 0.0), top)
