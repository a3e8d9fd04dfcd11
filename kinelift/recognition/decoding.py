"""The most probable sequence of actions: Viterbi decoding of segments with a minimum duration.

A hidden Markov model stays in a state for a geometrically distributed time, mostly a short one. Here a segment lasts at
least ``Timeline.shortest``, and each change costs ``Timeline.change``, so that durations beyond the minimum are
exponentially distributed (a semi-Markov model; Yu, Hidden semi-Markov models, Artificial Intelligence 2010).

One of the states is "unknown". It is as probable as "other", but at least ``Timeline.threshold``. So a segment gets the
name of an action only if the geometric mean of that action's probabilities reaches the threshold, and exceeds those of
"other" and of every other action: otherwise another name for the same segment would be more probable.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

NOTHING = -1
"""The choice "unknown"."""
_LEAST = 1e-9
"""Lower probabilities count as this."""


@dataclass(frozen=True)
class Timeline:
    """How a timeline is made from probabilities.

    Attributes:
        threshold: An action is not named unless its mean probability over a segment reaches this.
        change: Cost of a change from one segment to the next, in nats × seconds: a change pays if the probabilities
            after it are e times as high for this many seconds.
        shortest: Least duration of a segment in seconds, except of a motion that is shorter itself.
    """

    threshold: float
    change: float = 0.25
    shortest: float = 0.5


def decode(
    probabilities: Float[np.ndarray, "W K"], seconds: Float[np.ndarray, " W"], other: int | None, timeline: Timeline
) -> Int[np.ndarray, " W"]:
    """The label of every window in the most probable sequence of segments.

    Args:
        probabilities: Of all labels, for consecutive windows.
        seconds: The time that each window decides.
        other: Index of the label that stands for none of the actions, or None.
        timeline: The costs.

    Returns:
        Indices of actions; ``NOTHING`` for unknown.
    """
    actions = np.array([k for k in range(probabilities.shape[1]) if k != other], int)
    none = np.zeros(len(probabilities)) if other is None else probabilities[:, other]
    states = np.column_stack([probabilities[:, actions], np.maximum(none, timeline.threshold)])
    scores = np.log(np.maximum(states, _LEAST)) * seconds[:, None]
    choices: Int[np.ndarray, " W"] = np.append(actions, NOTHING)[_best_path(scores, np.cumsum(seconds), timeline)]
    return choices


def _best_path(
    scores: Float[np.ndarray, "W S"], ends: Float[np.ndarray, " W"], timeline: Timeline
) -> Int[np.ndarray, " W"]:
    """The best states of all windows.

    ``best[t]`` is the score of the best segmentation of the first t windows. A segment in state s from window a to
    window t adds ``total[t, s] - total[a, s]``, so the best ``a`` for each state is kept while t grows.

    Args:
        scores: Log probability of every state, times the seconds of its window.
        ends: When each window ends, in seconds from the start.
        timeline: The costs.
    """
    windows, states = scores.shape
    total = np.concatenate([np.zeros((1, states)), np.cumsum(scores, axis=0)])
    bounds = np.concatenate([[0.0], ends])
    best, state, begin = np.full(windows + 1, -np.inf), np.zeros(windows + 1, int), np.zeros(windows + 1, int)
    gain, start = np.full(states, -np.inf), np.zeros(states, int)
    best[0], ready = 0.0, 0
    for t in range(1, windows + 1):
        while (bounds[t] - bounds[ready] >= timeline.shortest - 1e-9 and ready < t) or (t == windows and ready == 0):
            paid = best[ready] - (timeline.change if ready else 0.0) - total[ready]
            start, gain = np.where(paid > gain, ready, start), np.maximum(paid, gain)
            ready += 1
        reached = gain + total[t]
        state[t] = int(reached.argmax())
        best[t], begin[t] = reached[state[t]], start[state[t]]
    path = np.empty(windows, int)
    while windows:
        path[begin[windows] : windows] = state[windows]
        windows = int(begin[windows])
    return path
