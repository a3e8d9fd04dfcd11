"""Reports of a measured classifier: tables to read, and values for JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.table import Table

from kinelift.recognition.calibration import Calibration, Trust
from kinelift.recognition.data.clips import Dataset
from kinelift.recognition.measuring.evaluation import Round
from kinelift.recognition.training.corpus import Corpus
from kinelift.recognition.training.scores import Scores

_MAX_LISTED = 8


def dataset_table(dataset: Dataset) -> Table:
    """Labels with their subjects, clips and minutes; copies of a clip, as by several cameras, count once."""
    table = Table("label", "subjects", "clips", "minutes", title="Labelled motion")
    originals = list({clip.name: clip for clip in dataset.clips}.values())
    for label in dataset.labels:
        shown = [(clip, part) for clip in originals for part in clip.segments if part.label == label]
        bounds = [(max(part.start, clip.times[0]), min(part.end, clip.times[-1])) for clip, part in shown]
        counts = (len({clip.subject for clip, _ in shown}), len({clip.name for clip, _ in shown}))
        table.add_row(label, *map(str, counts), f"{sum(end - start for start, end in bounds) / 60:.1f}")
    return table


def corpus_table(corpus: Corpus, plan: Sequence[Round]) -> Table:
    """Labels with their subjects, clips and windows, and who is tested in which round."""
    table = Table("label", "subjects", "clips", "windows", title="Labelled motion")
    for index, label in enumerate(corpus.names):
        part = corpus.only(corpus.labels == index)
        subjects = sorted(set(part.subjects), key=lambda s: (len(s), s))
        named = ", ".join(subjects) if len(subjects) <= _MAX_LISTED else f"{len(subjects)} subjects"
        table.add_row(label, named, str(len(set(part.clip.tolist()))), str(len(part)))
    for number, each in enumerate(plan, 1):
        table.add_row(f"round {number} tests {each.name}", "", "", str(int(each.test.sum())))
    return table


def scores_table(scores: Mapping[str, Scores], labels: Sequence[str]) -> Table:
    """Accuracy over clips and windows, and the recall of every label, for several models side by side."""
    table = Table("", *scores, title="Share correct, on subjects not trained on")
    rows = {
        "clips": [each.accuracy for each in scores.values()],
        "mean recall": [each.mean_recall for each in scores.values()],
        "windows": [each.window_accuracy for each in scores.values()],
    }
    rows |= {label: [each.recalls[k] for each in scores.values()] for k, label in enumerate(labels)}
    for name, shares in rows.items():
        table.add_row(name, *map(_share, shares))
    return table


def scores_json(scores: Scores, labels: Sequence[str]) -> dict[str, Any]:
    """Scores of one model, ready for JSON; undefined values are null."""
    recalls = {label: _or_null(recall) for label, recall in zip(labels, scores.recalls.tolist(), strict=True)}
    return {
        "clips": scores.accuracy,
        "mean_recall": _or_null(scores.mean_recall),
        "windows": _or_null(scores.window_accuracy),
        "recalls": recalls,
        "confusion": scores.confusion.tolist(),
    }


def trust_table(trust: Trust, calibration: Calibration, error: float) -> Table:
    """Trust in decisions, as shares of windows."""
    table = Table("", "share", title=f"Trust at threshold {calibration.threshold:.2f}")
    table.add_row("known actions that get a name", _share(trust.named))
    table.add_row("names that are correct", _share(trust.precision))
    table.add_row("unknown motion that gets a name", _share(trust.false_accept_rate))
    table.add_row("expected calibration error", _share(error))
    return table


def trust_json(trust: Trust, labels: Sequence[str]) -> dict[str, Any]:
    """Trust in decisions, ready for JSON."""
    by_label = {labels[k]: _or_null(share) for k, share in trust.false_accept_rates.items()}
    return {
        "named": _or_null(trust.named),
        "right": _or_null(trust.precision),
        "false": _or_null(trust.false_accept_rate),
        "false_by": by_label,
    }


def _share(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.1%}"


def _or_null(value: float) -> float | None:
    return None if np.isnan(value) else value
