"""Metrics of identities over a video: IDF1, CLEAR MOT, and counts of identity errors.

Sources: Ristani et al., Performance measures and a data set for multi-target, multi-camera tracking, 2016 (IDF1);
Bernardin and Stiefelhagen, Evaluating multiple object tracking performance: the CLEAR MOT metrics, 2008.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment

SAME = 0.5
"""Minimum similarity at which a true person and a detected one may match."""


@dataclass(frozen=True, eq=False)
class Moment:
    """One frame: ids of the true and the detected people, and the similarity (0-1) of each pair."""

    truth: Int[np.ndarray, " N"]
    found: Int[np.ndarray, " M"]
    similarity: Float[np.ndarray, "N M"]


@dataclass(frozen=True)
class Score:
    """Identity metrics of a video.

    Attributes:
        idf1: F1 score of detections with the right id, when each person is assigned one id.
        mota: 1 − (missed + false + switches) / true instances.
        switches: Changes of a person's id.
        fragments: Times that a person was lost and detected again.
        ghosts: Ids that match nobody for most of their time.
        ids: Number of ids.
        held: Fraction of a person's time under their most frequent id, averaged over people.
    """

    idf1: float
    mota: float
    switches: int
    fragments: int
    ghosts: int
    ids: int
    held: float


def score(moments: Sequence[Moment], same: float = SAME) -> Score:
    """Compute the metrics of a video.

    Args:
        moments: Its frames.
        same: Minimum similarity of a match, both of whole tracks (``idf1``, ``held``) and frame by frame (the others).
    """
    people, there = _numbers([m.truth for m in moments])
    ids, shown = _numbers([m.found for m in moments])
    together = np.zeros((len(people), len(ids)), dtype=int)
    for moment in moments:
        t, f = (moment.similarity >= same).nonzero()
        together[np.searchsorted(people, moment.truth[t]), np.searchsorted(ids, moment.found[f])] += 1
    right = together[linear_sum_assignment(together, maximize=True)].sum()
    pairs = matched(moments, same)
    misses, false = there.sum() - len(pairs), shown.sum() - len(pairs)
    switches, fragments = _changes(pairs, moments)
    owned = np.bincount(np.searchsorted(ids, [found for _, _, found in pairs]), minlength=len(ids))
    return Score(
        idf1=float(2 * right / max(there.sum() + shown.sum(), 1)),
        mota=float(1 - (misses + false + switches) / max(there.sum(), 1)),
        switches=switches,
        fragments=fragments,
        ghosts=int((2 * owned < shown).sum()),
        ids=len(ids),
        held=float(np.mean(together.max(axis=1, initial=0) / there)) if len(people) else 1.0,
    )


def matched(moments: Sequence[Moment], same: float = SAME) -> list[tuple[int, int, int]]:
    """One-to-one matches (frame, truth, found) in each frame.

    Matches that are still similar enough are kept. The rest are assigned by the largest sum of similarities (Bernardin
    and Stiefelhagen, section 2.1.3).
    """
    partner: dict[int, int] = {}
    pairs = []
    for frame, moment in enumerate(moments):
        value = np.where(moment.similarity >= same, moment.similarity, 0.0)
        for row, column in zip(*np.nonzero(value), strict=True):
            if partner.get(int(moment.truth[row])) == moment.found[column]:
                value[row, column] += len(moment.truth) + 1
        for row, column in zip(*linear_sum_assignment(value, maximize=True), strict=True):
            if value[row, column] > 0:
                partner[int(moment.truth[row])] = int(moment.found[column])
                pairs.append((frame, int(moment.truth[row]), int(moment.found[column])))
    return pairs


def _numbers(rows: Sequence[Int[np.ndarray, " _"]]) -> tuple[Int[np.ndarray, " K"], Int[np.ndarray, " K"]]:
    """All ids in order, and how often each occurs."""
    return np.unique(np.concatenate([np.zeros(0, dtype=int), *rows]), return_counts=True)


def _changes(pairs: Sequence[tuple[int, int, int]], moments: Sequence[Moment]) -> tuple[int, int]:
    """Number of switches, and of fragments."""
    last: dict[int, tuple[int, int]] = {}
    switches = fragments = 0
    missed = {(k, int(t)) for k, m in enumerate(moments) for t in m.truth} - {(k, t) for k, t, _ in pairs}
    for frame, truth, found in pairs:
        before, partner = last.get(truth, (frame, found))
        switches += int(partner != found)
        fragments += int(any((k, truth) in missed for k in range(before + 1, frame)))
        last[truth] = frame, found
    return switches, fragments
