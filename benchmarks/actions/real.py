"""Measure how often the actions of people in real videos are named, and rightly, against labels by eye.

    python -m benchmarks.actions.real [--clips FOLDER] [--cache FOLDER] [--classifier NAME] [--unknown P]
        [--use choose|report] [--report FILE.json]

Clips: the sample clip, the first camera of each calibrated one, and those of ``clips.FILES`` that ``--clips`` has.
Prints person-seconds right, wrong and unnamed, for every action and in all, with coverage, precision and their 95 %
Wilson intervals: for the clips that settings were chosen on and for those kept for reporting (``labels.py``). Only time
in which a person is tracked counts; ``untracked`` is the labelled time without a track, ``strangers`` the seconds of
tracks that belong to nobody labelled, and ``strangers_named`` how many of them have a name. ``--cache`` keeps the
detector's answers.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import torch
import tyro

from benchmarks.actions import labels
from benchmarks.actions.clips import clips as all_clips
from benchmarks.actions.scores import Spell, by_action, confusions, overall, spells
from benchmarks.bodies.world.clips import record
from benchmarks.reporting import Column, machine, percent, table
from kinelift.app.pipeline import Pipeline
from kinelift.app.settings import Settings
from kinelift.poses import Action, Recording
from kinelift.poses.output import replacing
from kinelift.recognition.segments import UNKNOWN

COLUMNS = {
    "seconds": Column("seconds"), "right": Column("right"), "wrong": Column("wrong"), "unnamed": Column("unnamed"),
    "coverage": percent("coverage"), "recall": percent("recall"), "precision": percent("precision"),
}  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """One clip: what its labelled people are said to do, and seconds that cannot be judged."""

    use: str
    spells: list[Spell]
    untracked: float
    strangers: float
    strangers_named: float


def main(
    clips: Path | None = None,
    cache: Path | None = None,
    lifter: str = "default",
    classifier: str = "actions",
    unknown: float | None = None,
    use: Literal["choose", "report", "both"] = "both",
    report: Path | None = None,
) -> None:
    """Measure and print.

    Args:
        clips: Folder with more clips.
        cache: Folder in which the detector's answers are kept.
        lifter: Name of a lifter, or path of its checkpoint.
        classifier: Name of a classifier, or path of its checkpoint.
        unknown: As for ``kinelift run``.
        use: Which clips: those to choose on, those kept for reporting, or both.
        report: JSON file to write.
    """
    torch.set_num_threads(1)
    settings = Settings(unknown=unknown)
    pipeline = Pipeline.load(lifter=lifter, classifier=classifier, device="cpu", settings=settings)
    found: dict[str, Judged] = {}
    with TemporaryDirectory() as folder:
        for clip in all_clips(Path(folder), clips):
            rows = labels.labels(clip.name)
            if use in ("both", rows[0].use):
                found[clip.name] = judged(record(pipeline, clip, cache), rows, labels.places(clip.name))
    results = {name: figures([one for one in found.values() if one.use == name]) for name in ("choose", "report")}
    facts = {
        "machine": machine(), "lifter": lifter, "classifier": classifier, "unknown": unknown, "clips": list(found),
        **{name: result for name, result in results.items() if result},
    }  # fmt: skip
    for name, result in results.items():
        print(markdown(name, result) if result else "")
    if report:
        with replacing(report) as part:
            part.write_text(json.dumps(facts, indent=1), encoding="utf-8")


def judged(recording: Recording, rows: Sequence[labels.Label], marks: list[labels.Place]) -> Judged:
    """Compare a recording with the labels of its clip."""
    named = labels.identify(recording, marks)
    timelines: dict[str, list[Sequence[Action]]] = {row.person: [] for row in rows}
    strange: list[Action] = []
    for k, person in enumerate(recording.people):
        if k in named:
            timelines[named[k]].append(person.actions or ())
        else:
            strange += person.actions or ()
    found = [
        spell
        for name, tracks in timelines.items()
        for spell in spells([row for row in rows if row.person == name], tracks)
    ]
    missing = sum(row.end - row.start for row in rows) - sum(spell.seconds for spell in found)
    claimed = [action for action in strange if action.label != UNKNOWN]
    return Judged(rows[0].use, found, missing, _seconds(strange), _seconds(claimed))


def figures(some: Iterable[Judged]) -> dict[str, Any]:
    """The figures over several clips; empty without clips."""
    some = list(some)
    found = [spell for one in some for spell in one.spells]
    if not found:
        return {}
    return {
        "all": overall(found),
        "actions": by_action(found),
        "wrong": confusions(found),
        **{
            name: round(sum(getattr(one, name) for one in some), 2)
            for name in ("untracked", "strangers", "strangers_named")
        },
    }


def markdown(name: str, result: Mapping[str, Any]) -> str:
    """The figures as a table and some lines."""
    total = {"recall": None, **result["all"]}
    rows = {**result["actions"], "all": total}
    lines = [f"{key}: {value}" for key, value in result.items() if key not in ("all", "actions")]
    lines += [f"{key}: {total[key]}" for key in ("coverage_interval", "precision_interval", "none", "none_named")]
    return "\n".join([table(f"{name}, s", rows, COLUMNS), "", *lines, ""])


def _seconds(actions: Iterable[Action]) -> float:
    return sum(action.end - action.start for action in actions)


if __name__ == "__main__":
    tyro.cli(main)
