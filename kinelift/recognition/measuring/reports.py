"""What a measured classifier has to say for itself: tables for a reader, JSON for a program."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.table import Table

from kinelift.recognition.calibration import Calibration, Trust
from kinelift.recognition.measuring.evaluation import Round
from kinelift.recognition.training.corpus import Corpus
from kinelift.recognition.training.scores import Scores

_FEW = 8


def contents(corpus: Corpus, plan: Sequence[Round]) -> Table:
    """Labels, who shows them, and how often; who is judged in which round."""
    table = Table("label", "subjects", "clips", "windows", title="Labelled motion")
    for index, label in enumerate(corpus.names):
        part = corpus.only(corpus.labels == index)
        subjects = sorted(set(part.subjects), key=lambda s: (len(s), s))
        named = ", ".join(subjects) if len(subjects) <= _FEW else f"{len(subjects)} subjects"
        table.add_row(label, named, str(len(set(part.clip.tolist()))), str(len(part)))
    for number, each in enumerate(plan, 1):
        table.add_row(f"round {number} judges {each.name}", "", "", str(int(each.test.sum())))
    return table


def compared(scores: Mapping[str, Scores], labels: Sequence[str]) -> Table:
    """Shares of clips, of windows, and of the clips of every label, side by side."""
    table = Table("", *scores, title="Right, on subjects never seen")
    rows = {
        "clips": [each.accuracy for each in scores.values()],
        "mean recall": [each.mean_recall for each in scores.values()],
        "windows": [each.window_accuracy for each in scores.values()],
    }
    rows |= {label: [each.recalls[k] for each in scores.values()] for k, label in enumerate(labels)}
    for name, shares in rows.items():
        table.add_row(name, *map(_share, shares))
    return table


def plain(scores: Scores, labels: Sequence[str]) -> dict[str, Any]:
    """The same of one model, ready for JSON; what cannot be said is null."""
    recalls = {label: _known(recall) for label, recall in zip(labels, scores.recalls.tolist(), strict=True)}
    return {
        "clips": scores.accuracy,
        "mean_recall": _known(scores.mean_recall),
        "windows": _known(scores.window_accuracy),
        "recalls": recalls,
        "confusion": scores.confusion.tolist(),
    }


def trusted(found: Trust, calibration: Calibration, error: float) -> Table:
    """How far decisions can be trusted, in shares of windows."""
    table = Table("", "share", title=f"Trust at threshold {calibration.threshold:.2f}")
    table.add_row("known actions that get a name", _share(found.named))
    table.add_row("names that are right", _share(found.precision))
    table.add_row("unknown motion that gets a name all the same", _share(found.false_accept_rate))
    table.add_row("expected calibration error", _share(error))
    return table


def plain_trust(found: Trust, labels: Sequence[str]) -> dict[str, Any]:
    """The same, ready for JSON."""
    by = {labels[k]: _known(share) for k, share in found.false_accept_rates.items()}
    return {
        "named": _known(found.named),
        "right": _known(found.precision),
        "false": _known(found.false_accept_rate),
        "false_by": by,
    }


def _share(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.1%}"


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
